//! Names that are not there, but mean something in other languages: what Flow has in their place.

use crate::bytecode::{Field, Type};
use crate::compile_codes as code;
use crate::context::Cx;
use crate::diagnostic::Diagnostic;
use crate::functions::is_function;
use crate::node::Node;
use crate::types::Class;
use flow_grammar::ast::Name;
use flow_grammar::span::Span;

/// Flow's name of a function of other languages.
pub(crate) fn function_meant(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().replace('_', "").as_str() {
        "len" | "size" | "strlen" | "charlength" => "length",
        "lowercase" | "tolower" | "tolowercase" | "lcase" | "downcase" => "lower",
        "uppercase" | "toupper" | "touppercase" | "ucase" | "upcase" => "upper",
        "strip" => "trim",
        "str" | "string" | "tostring" | "totext" => "text",
        "tonumber" | "parsefloat" | "float" | "decimal" => "number",
        "toint" | "parseint" | "integer" => "int",
        "todate" => "date",
        "ceiling" => "ceil",
        "dayofweek" => "weekday",
        _ => return None,
    })
}

/// What stands in place of a function of other languages that is none here.
pub(crate) fn instead_of_function(word: &str) -> Option<&'static str> {
    Some(match word.to_lowercase().replace('_', "").as_str() {
        "coalesce" | "ifnull" | "nvl" | "default" => "`a ?? b` is b where a is missing",
        "has" | "exists" | "isset" | "isnull" | "defined" | "isempty" | "empty" => {
            "ask `x is known` or `x is missing`; whether an event happened, its name alone asks"
        }
        "random" | "rand" => "chance is a step: `split { 50% a: …  50% b: … }`",
        "any" | "happened" | "did" => "the name of an event alone asks whether it happened: `purchased in last 7d`",
        "concat" | "join" | "format" => "values stand in a text: `\"{user.first_name ?? \"you\"}, hello\"`",
        "datediff" | "daysbetween" | "dayssince" | "datedif" => "write `days between a and b`",
        "dateadd" | "datesub" | "adddays" => "write `today + 7d` or `now - 2h`",
        "contains" | "includes" => "write `x contains \"a\"`, or `x in [\"a\", \"b\"]`",
        "startswith" | "beginswith" => "write `x starts with \"a\"`",
        "endswith" => "write `x ends with \"a\"`",
        "if" | "iif" | "iff" => "branches are steps: `if x then … else …`; `a ?? b` is b where a is missing",
        "mod" => "write `x - floor(x / 7) * 7`",
        "average" | "mean" => "write `avg(order_value of purchased in last 30d)`",
        _ => return None,
    })
}

impl Cx<'_> {
    /// `purchased()`, `now()`: names that take no brackets. Says so.
    pub fn called_in_vain(&mut self, name: &Name, arguments: usize, span: Span) -> bool {
        let brackets = Span::new(span.file, name.span.end, span.end);
        let word = name.text.to_lowercase();
        let without = match word.as_str() {
            "now" | "getdate" | "currenttimestamp" | "current_timestamp" => Some("now"),
            "today" | "curdate" | "current_date" => Some("today"),
            _ => None,
        };
        if let Some(right) = without.filter(|_| arguments == 0) {
            let message = format!("`{right}` stands without brackets");
            let found = Diagnostic::error(code::UNKNOWN_FUNCTION, span, message).help(format!("write `{right}`"));
            self.report(found.fix(format!("write `{right}`"), span, right));
            return true;
        }
        if !self.schema.events.contains_key(&name.text) {
            return false;
        }
        let message = format!("`{}` is an event, and no function", name.text);
        let help = format!("its name alone asks whether it happened; `count({} in last 7d)` how often", name.text);
        let found = Diagnostic::error(code::UNKNOWN_FUNCTION, name.span, message).help(help);
        self.report(if arguments == 0 { found.fix("remove the brackets", brackets, "") } else { found });
        true
    }

    /// `user.first_name.length`: a field of what has none.
    pub fn no_such_field(&mut self, of: &Node, name: &Name, span: Span) {
        let have = self.show_a(&of.ty);
        let found = Diagnostic::error(code::UNKNOWN_FIELD, name.span, format!("{have} has no field `{}`", name.text));
        let written = self.folded(of.span);
        let function = Some(name.text.as_str()).filter(|name| is_function(name)).or(function_meant(&name.text));
        self.report(match (function, instead_of_function(&name.text)) {
            (Some(function), _) => {
                let right = format!("{function}({written})");
                found.help(format!("write `{right}`")).fix(format!("write `{right}`"), span, right)
            }
            (None, Some(instead)) => found.help(instead),
            _ if of.ty.kind.class() == Class::List => found.help("a list has `.first`"),
            _ => found.help(format!("only events, apis' answers and records have fields: use `{written}` itself")),
        });
    }

    /// `IT`, `yes`, `hour`: words that mean a value, but are none as they stand. Says so.
    pub fn meant_value(&mut self, name: &Name) -> bool {
        let right = match name.text.as_str() {
            "yes" | "Yes" | "YES" => "true".to_owned(),
            "no" | "No" | "NO" => "false".to_owned(),
            word if self.is_choice(word) => format!("{word:?}"),
            _ => return self.meant_function(name),
        };
        let message = format!("`{}` is written `{right}`", name.text);
        let help = if right.starts_with('"') { "texts stand in quotes" } else { "the two are `true` and `false`" };
        let found = Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(help);
        self.report(found.fix(format!("write `{right}`"), name.span, right));
        true
    }

    /// `hour >= 9`, `user == …`
    fn meant_function(&mut self, name: &Name) -> bool {
        let help = match name.text.as_str() {
            "hour" | "minute" | "time" | "date" => format!("of this moment it is `{}(now)`", name.text),
            "weekday" | "day" | "month" | "year" => format!("of this day it is `{}(today)`", name.text),
            "user" => "an attribute of the person is `user.email`, its id `user.id`".to_owned(),
            "trigger" | "event" => "a field of the event that began the journey is `trigger.FIELD`".to_owned(),
            _ => return false,
        };
        let message = format!("`{}` alone is no value", name.text);
        self.report(Diagnostic::error(code::UNKNOWN_NAME, name.span, message).help(help));
        true
    }

    /// Whether a word is a value of some `one of`.
    fn is_choice(&self, word: &str) -> bool {
        let fields = self.program.events.iter().flat_map(|event| &event.fields);
        let all = fields.chain(self.program.attributes.iter().map(|attribute| &attribute.field));
        let has = |field: &Field| matches!(&field.ty, Type::OneOf(values) if values.iter().any(|value| value == word));
        let mut all = all.filter(|field| has(field));
        all.next().is_some()
    }
}
