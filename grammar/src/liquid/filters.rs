//! The filters there are: their names and how many arguments they take. What they mean is the renderer's, what
//! types they want is the checker's.

macro_rules! filters {
    ($($(#[$doc:meta])* $kind:ident = $name:literal $($alias:literal)* ($min:literal to $max:literal $(, $named:literal)*);)*) => {
        /// A filter.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum FilterKind { $($(#[$doc])* $kind),* }

        impl FilterKind {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The filter with this name.
            #[must_use]
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($name $(| $alias)* => Some(Self::$kind),)* _ => None }
            }

            /// Its name.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Self::$kind => $name),* }
            }

            /// How many arguments it takes, at least and at most.
            #[must_use]
            pub fn arity(self) -> (usize, usize) {
                match self { $(Self::$kind => ($min, $max)),* }
            }

            /// The names of its named arguments.
            #[must_use]
            pub fn named(self) -> &'static [&'static str] {
                match self { $(Self::$kind => &[$($named),*]),* }
            }
        }
    };
}

filters! {
    /// The number without its sign.
    Abs = "abs" (0 to 0);
    /// The text with another behind it.
    Append = "append" (1 to 1);
    /// The number, or the limit where it is less.
    AtLeast = "at_least" (1 to 1);
    /// The number, or the limit where it is more.
    AtMost = "at_most" (1 to 1);
    /// The text that a Base64 text stands for.
    Base64Decode = "base64_decode" (0 to 0);
    /// The text in Base64.
    Base64Encode = "base64_encode" (0 to 0);
    /// As `base64_decode`, with `-` and `_`.
    Base64UrlSafeDecode = "base64_url_safe_decode" (0 to 0);
    /// As `base64_encode`, with `-` and `_`.
    Base64UrlSafeEncode = "base64_url_safe_encode" (0 to 0);
    /// The first letter large, the others small.
    Capitalize = "capitalize" (0 to 0);
    /// The next whole number.
    Ceil = "ceil" (0 to 0);
    /// The list without what is missing.
    Compact = "compact" (0 to 1);
    /// Two lists in one.
    Concat = "concat" (1 to 1);
    /// A moment in a form.
    Date = "date" (1 to 1);
    /// Another value where there is none.
    Default = "default" (0 to 1, "allow_false");
    /// The quotient; of whole numbers the whole part, rounded down.
    DividedBy = "divided_by" (1 to 1);
    /// In small letters.
    Downcase = "downcase" (0 to 0);
    /// HTML's characters written so that they show.
    Escape = "escape" "h" (0 to 0);
    /// As `escape`, leaving what is escaped.
    EscapeOnce = "escape_once" (0 to 0);
    /// The first element with this property.
    Find = "find" (1 to 2);
    /// The place of the first element with this property.
    FindIndex = "find_index" (1 to 2);
    /// The first element.
    First = "first" (0 to 0);
    /// A number with just so many digits after the point.
    Fixed = "fixed" (0 to 1);
    /// The whole number before.
    Floor = "floor" (0 to 0);
    /// Whether an element has this property.
    Has = "has" (1 to 2);
    /// The elements as one text.
    Join = "join" (0 to 1);
    /// The value as JSON.
    Json = "json" (0 to 0);
    /// The last element.
    Last = "last" (0 to 0);
    /// Without blanks on the left.
    Lstrip = "lstrip" (0 to 0);
    /// A property of each element.
    Map = "map" (1 to 1);
    /// The difference.
    Minus = "minus" (1 to 1);
    /// The rest of a division.
    Modulo = "modulo" (1 to 1);
    /// Line breaks as HTML has them.
    NewlineToBr = "newline_to_br" (0 to 0);
    /// The sum of two.
    Plus = "plus" (1 to 1);
    /// The text with another before it.
    Prepend = "prepend" (1 to 1);
    /// As it is: not escaped.
    Raw = "raw" (0 to 0);
    /// The elements without this property.
    Reject = "reject" (1 to 2);
    /// Without a text.
    Remove = "remove" (1 to 1);
    /// Without the first occurrence of a text.
    RemoveFirst = "remove_first" (1 to 1);
    /// Without the last occurrence of a text.
    RemoveLast = "remove_last" (1 to 1);
    /// One text for another.
    Replace = "replace" (1 to 2);
    /// One text for another, once, from the left.
    ReplaceFirst = "replace_first" (1 to 2);
    /// One text for another, once, from the right.
    ReplaceLast = "replace_last" (1 to 2);
    /// The list from its end.
    Reverse = "reverse" (0 to 0);
    /// The nearest whole number, or so many digits after the point.
    Round = "round" (0 to 1);
    /// Without blanks on the right.
    Rstrip = "rstrip" (0 to 0);
    /// How many characters or elements.
    Size = "size" (0 to 0);
    /// A part of a text or list.
    Slice = "slice" (1 to 2);
    /// In order.
    Sort = "sort" (0 to 1);
    /// In order, large and small letters alike.
    SortNatural = "sort_natural" (0 to 1);
    /// The parts of a text.
    Split = "split" (1 to 1);
    /// Without blanks around.
    Strip = "strip" (0 to 0);
    /// Without HTML's tags.
    StripHtml = "strip_html" (0 to 0);
    /// Without line breaks.
    StripNewlines = "strip_newlines" (0 to 0);
    /// The elements added up.
    Sum = "sum" (0 to 1);
    /// The product.
    Times = "times" (1 to 1);
    /// At most so many characters.
    Truncate = "truncate" (0 to 2);
    /// At most so many words.
    Truncatewords = "truncatewords" (0 to 2);
    /// Each element once.
    Uniq = "uniq" (0 to 1);
    /// In large letters.
    Upcase = "upcase" (0 to 0);
    /// The text that an encoded part of an address stands for.
    UrlDecode = "url_decode" (0 to 0);
    /// As a part of an address.
    UrlEncode = "url_encode" (0 to 0);
    /// The elements with this property.
    Where = "where" (1 to 2);
}
