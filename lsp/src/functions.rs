//! The functions, as signature help and completion show them.

/// A function: its name, its parameters, what it gives, and a sentence about it.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Its parameters.
    pub params: &'static [&'static str],
    /// The type of its result.
    pub gives: &'static str,
    /// What it does.
    pub about: &'static str,
}

impl Function {
    /// `round(x: number, places: int) -> number`
    #[must_use]
    pub fn signature(&self) -> String {
        format!("{}({}) -> {}", self.name, self.params.join(", "), self.gives)
    }
}

macro_rules! functions {
    ($($name:literal ( $($param:literal),* ) -> $gives:literal : $about:literal;)*) => {
        /// All of them.
        pub const FUNCTIONS: &[Function] = &[
            $(Function { name: $name, params: &[$($param),*], gives: $gives, about: $about }),*
        ];
    };
}

functions! {
    "abs"("x: number") -> "number": "the distance from zero";
    "avg"("FIELD of EVENT") -> "number?": "the mean of a field over events; missing when there are none";
    "ceil"("x: number") -> "int": "the next whole number above";
    "count"("EVENT") -> "int": "how often an event happened";
    "date"("moment: datetime") -> "date": "the local day of a moment";
    "day"("moment: date") -> "int": "the day of the month, 1 to 31";
    "first"("EVENT") -> "event": "the first occurrence: `first(purchased).time`; of a list its first element";
    "floor"("x: number") -> "int": "the next whole number below";
    "hour"("moment: datetime") -> "int": "the local hour, 0 to 23";
    "int"("x: text") -> "int?": "the whole number that a text holds; missing when it holds none";
    "last"("EVENT") -> "event": "the latest occurrence: `last(purchased).order_value`";
    "length"("x: text") -> "int": "how many characters a text has, or how many elements a list";
    "lower"("x: text") -> "text": "in small letters";
    "max"("a", "b") -> "number": "the larger of two; of a field over events: `max(order_value of purchased)`";
    "min"("a", "b") -> "number": "the smaller of two; of a field over events: `min(order_value of purchased)`";
    "minute"("moment: datetime") -> "int": "the local minute, 0 to 59";
    "month"("moment: date") -> "int": "the month, 1 to 12";
    "number"("x: text") -> "number?": "the number that a text holds; missing when it holds none";
    "round"("x: number", "places: int") -> "number": "rounded, half away from zero; without places to a whole number";
    "sum"("FIELD of EVENT") -> "number": "the sum of a field over events: `sum(order_value of purchased in last 30d)`";
    "text"("x") -> "text": "written out";
    "time"("moment: datetime") -> "time": "the local time of day of a moment";
    "trim"("x: text") -> "text": "without blanks at both ends";
    "upper"("x: text") -> "text": "in capital letters";
    "weekday"("moment: date") -> "weekday": "the day of the week: `weekday(today) == monday`";
    "year"("moment: date") -> "int": "the year";
}

/// A function by its name.
#[must_use]
pub fn function(name: &str) -> Option<&'static Function> {
    FUNCTIONS.iter().find(|function| function.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::World;

    #[test]
    fn the_compiler_knows_every_one_of_them() {
        for function in FUNCTIONS {
            let text = format!("segment a = {}(1) == 2", function.name);
            let world = World::of(&[("a.flow", &text)], &[]);
            assert!(world.diagnostics().all(|d| !d.message.contains("no function")), "{}", function.name);
        }
    }
}
