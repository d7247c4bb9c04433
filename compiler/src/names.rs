//! Finding the name that was meant.

/// The candidate nearest to `word` by spelling, if any is near enough.
pub(crate) fn nearest<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    crate::nearest::nearest(word, candidates.into_iter().filter(|candidate| *candidate != word))
}

/// A name as the wire may spell it: `Product Added`, `product.added` and `product_added` are one.
pub(crate) fn fold_wire(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Names one after the other, each in backticks: "`a`, `b` and `c`".
pub(crate) fn enumerate<S: AsRef<str>>(names: &[S]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{}`", n.as_ref())).collect();
    match quoted.split_last() {
        None => String::new(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// What a file's bare flow is called: the file's stem as an identifier.
pub(crate) fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    let stem = file.strip_suffix(".flow").unwrap_or(file);
    let mut name: String = stem.chars().map(|c| if c.is_alphanumeric() || c == '_' { c } else { '_' }).collect();
    if name.chars().next().is_none_or(|c| c.is_numeric()) {
        name.insert(0, '_');
    }
    name
}
