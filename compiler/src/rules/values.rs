//! Which values something can still have: intervals of numbers, sets of texts, truth values, and
//! whether it may be missing.

use crate::bytecode::{Compare, Const, Function, Type};
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// The values that something can have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Values {
    /// It may be missing.
    pub missing: bool,
    /// What it can be when it is known.
    pub known: Known,
}

/// Values that are known.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Known {
    /// None at all.
    Nothing,
    /// Nothing is known of it.
    Any,
    Numbers(Interval),
    Texts(Texts),
    Bools {
        yes: bool,
        no: bool,
    },
}

/// Numbers between two ends; no end: without bound.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Interval {
    low: Option<End>,
    high: Option<End>,
    /// Only whole numbers.
    whole: bool,
}

/// An end of an interval.
#[derive(Clone, Copy, Debug, PartialEq)]
struct End {
    at: Decimal,
    included: bool,
}

/// A set of texts.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Texts {
    Only(BTreeSet<String>),
    AllBut(BTreeSet<String>),
}

/// A question about one value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Test {
    /// Compared with a constant.
    Compare(Compare, Const),
    /// In a list of constants.
    In(Vec<Const>),
    IsKnown,
    /// It is true.
    IsTrue,
}

impl Values {
    /// Anything of a type.
    pub fn of(ty: &Type, missing: bool) -> Self {
        let known = match ty {
            Type::Int | Type::Date => Known::Numbers(Interval { low: None, high: None, whole: true }),
            Type::Number => Known::Numbers(Interval { low: None, high: None, whole: false }),
            Type::Bool => Known::Bools { yes: true, no: true },
            Type::OneOf(values) => Known::Texts(Texts::Only(values.iter().cloned().collect())),
            Type::Text | Type::Email | Type::Phone | Type::Url | Type::Timezone => {
                Known::Texts(Texts::AllBut(BTreeSet::new()))
            }
            _ => Known::Any,
        };
        Self { missing, known }
    }

    /// A count.
    pub fn count() -> Self {
        let zero = End { at: Decimal::ZERO, included: true };
        Self { missing: false, known: Known::Numbers(Interval { low: Some(zero), high: None, whole: true }) }
    }

    /// What a function gives, where that is less than its type says: (lowest, highest). See the language reference.
    pub fn range_of(function: Function) -> Option<(i64, Option<i64>)> {
        Some(match function {
            Function::Hour => (0, Some(23)),
            Function::Minute => (0, Some(59)),
            Function::Month => (1, Some(12)),
            Function::Day => (1, Some(31)),
            Function::Length | Function::Abs => (0, None),
            _ => return None,
        })
    }

    /// What a function gives; `missing` says whether it may give nothing.
    pub fn given_by(function: Function, missing: bool) -> Self {
        let Some((low, high)) = Self::range_of(function) else { return Self { missing, known: Known::Any } };
        let end = |at: i64| End { at: Decimal::from(at), included: true };
        let whole = function != Function::Abs;
        Self { missing, known: Known::Numbers(Interval { low: Some(end(low)), high: high.map(end), whole }) }
    }

    /// One truth value.
    pub fn truth(yes: bool) -> Self {
        Self { missing: false, known: Known::Bools { yes, no: !yes } }
    }

    /// Nothing but zero.
    pub fn zero() -> Self {
        Self { missing: false, known: Known::Numbers(Interval::point(Decimal::ZERO, true)) }
    }

    /// Whether there is no value left.
    pub fn is_empty(&self) -> bool {
        !self.missing && self.known.is_empty()
    }

    /// The values for which a test gives `holds`.
    pub fn restrict(&self, test: &Test, holds: bool) -> Self {
        // Of a missing value every test is false, but for `!=`.
        let of_missing = matches!(test, Test::Compare(Compare::NotEqual, _));
        Self { missing: self.missing && of_missing == holds, known: self.known.restrict(test, holds) }
    }

    /// The values of either.
    pub fn join(&self, other: &Self) -> Self {
        Self { missing: self.missing || other.missing, known: self.known.join(&other.known) }
    }
}

impl Known {
    fn is_empty(&self) -> bool {
        match self {
            Self::Nothing => true,
            Self::Any => false,
            Self::Numbers(interval) => interval.is_empty(),
            Self::Texts(Texts::Only(set)) => set.is_empty(),
            Self::Texts(Texts::AllBut(_)) => false,
            Self::Bools { yes, no } => !yes && !no,
        }
    }

    fn restrict(&self, test: &Test, holds: bool) -> Self {
        match (self, test) {
            (known, Test::IsKnown) => {
                if holds {
                    known.clone()
                } else {
                    Self::Nothing
                }
            }
            (Self::Bools { yes, no }, Test::IsTrue) => Self::Bools { yes: *yes && holds, no: *no && !holds },
            (Self::Bools { yes, no }, Test::Compare(op @ (Compare::Equal | Compare::NotEqual), Const::Bool(with))) => {
                let keep = *with == (holds == (*op == Compare::Equal));
                Self::Bools { yes: *yes && keep, no: *no && !keep }
            }
            (Self::Numbers(interval), Test::Compare(op, with)) => match number(with) {
                Some(at) => Self::Numbers(interval.restrict(if holds { *op } else { negated(*op) }, at)),
                None => self.clone(),
            },
            (Self::Texts(texts), Test::Compare(op @ (Compare::Equal | Compare::NotEqual), Const::Text(with))) => {
                Self::Texts(texts.restrict(&[with.clone()].into(), holds == (*op == Compare::Equal)))
            }
            (Self::Texts(texts), Test::In(list)) => match list.iter().map(text).collect::<Option<BTreeSet<String>>>() {
                Some(set) => Self::Texts(texts.restrict(&set, holds)),
                None => self.clone(),
            },
            (Self::Numbers(interval), Test::In(list)) if holds => {
                let points = list.iter().map(|one| number(one).map(|at| interval.restrict(Compare::Equal, at)));
                let joined = points.collect::<Option<Vec<Interval>>>().map(|points| {
                    let inside = points.into_iter().filter(|one| !one.is_empty());
                    inside.reduce(|a, b| a.join(&b)).map_or(Self::Nothing, Self::Numbers)
                });
                joined.unwrap_or_else(|| self.clone())
            }
            (known, _) => known.clone(),
        }
    }

    fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (a, b) if a.is_empty() => b.clone(),
            (a, b) if b.is_empty() => a.clone(),
            (Self::Numbers(a), Self::Numbers(b)) => Self::Numbers(a.join(b)),
            (Self::Texts(a), Self::Texts(b)) => Self::Texts(a.join(b)),
            (Self::Bools { yes: a, no: b }, Self::Bools { yes: c, no: d }) => {
                Self::Bools { yes: *a || *c, no: *b || *d }
            }
            _ => Self::Any,
        }
    }
}

impl Interval {
    fn point(at: Decimal, whole: bool) -> Self {
        let end = Some(End { at, included: true });
        Self { low: end, high: end, whole }
    }

    fn is_empty(&self) -> bool {
        match (self.low, self.high) {
            (Some(low), Some(high)) => low.at > high.at || (low.at == high.at && !(low.included && high.included)),
            _ => false,
        }
    }

    fn restrict(&self, op: Compare, at: Decimal) -> Self {
        let mut new = self.clone();
        let included = Some(End { at, included: true });
        let excluded = Some(End { at, included: false });
        match op {
            Compare::Less => new.high = lower(self.high, excluded),
            Compare::LessOrEqual => new.high = lower(self.high, included),
            Compare::Greater => new.low = higher(self.low, excluded),
            Compare::GreaterOrEqual => new.low = higher(self.low, included),
            Compare::Equal => {
                new.low = higher(self.low, included);
                new.high = lower(self.high, included);
            }
            Compare::NotEqual => {
                // Only an end can be taken away from an interval.
                if self.low.is_some_and(|low| low.at == at) {
                    new.low = excluded;
                }
                if self.high.is_some_and(|high| high.at == at) {
                    new.high = excluded;
                }
            }
        }
        new.tightened()
    }

    /// Of whole numbers, the ends are whole and included.
    fn tightened(mut self) -> Self {
        if !self.whole {
            return self;
        }
        self.low = self.low.map(|low| {
            let whole = low.at.ceil();
            let next = if whole == low.at && !low.included { whole.saturating_add(Decimal::ONE) } else { whole };
            End { at: next, included: true }
        });
        self.high = self.high.map(|high| {
            let whole = high.at.floor();
            let next = if whole == high.at && !high.included { whole.saturating_sub(Decimal::ONE) } else { whole };
            End { at: next, included: true }
        });
        self
    }

    fn join(&self, other: &Self) -> Self {
        let low = match (self.low, other.low) {
            (Some(a), Some(b)) if higher(Some(a), Some(b)) == Some(a) => Some(b),
            (Some(a), Some(_)) => Some(a),
            _ => None,
        };
        let high = match (self.high, other.high) {
            (Some(a), Some(b)) if lower(Some(a), Some(b)) == Some(a) => Some(b),
            (Some(a), Some(_)) => Some(a),
            _ => None,
        };
        Self { low, high, whole: self.whole && other.whole }
    }
}

/// The stricter of two upper ends.
fn lower(a: Option<End>, b: Option<End>) -> Option<End> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.at < a.at || (b.at == a.at && !b.included) { b } else { a }),
        (one, None) | (None, one) => one,
    }
}

/// The stricter of two lower ends.
fn higher(a: Option<End>, b: Option<End>) -> Option<End> {
    match (a, b) {
        (Some(a), Some(b)) => Some(if b.at > a.at || (b.at == a.at && !b.included) { b } else { a }),
        (one, None) | (None, one) => one,
    }
}

impl Texts {
    fn restrict(&self, set: &BTreeSet<String>, inside: bool) -> Self {
        match (self, inside) {
            (Self::Only(only), true) => Self::Only(only.intersection(set).cloned().collect()),
            (Self::Only(only), false) => Self::Only(only.difference(set).cloned().collect()),
            (Self::AllBut(out), true) => Self::Only(set.difference(out).cloned().collect()),
            (Self::AllBut(out), false) => Self::AllBut(out.union(set).cloned().collect()),
        }
    }

    fn join(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Only(a), Self::Only(b)) => Self::Only(a.union(b).cloned().collect()),
            (Self::AllBut(a), Self::AllBut(b)) => Self::AllBut(a.intersection(b).cloned().collect()),
            (Self::Only(only), Self::AllBut(out)) | (Self::AllBut(out), Self::Only(only)) => {
                Self::AllBut(out.difference(only).cloned().collect())
            }
        }
    }
}

fn number(value: &Const) -> Option<Decimal> {
    match value {
        Const::Int(n) => Some(Decimal::from(*n)),
        Const::Number(n) => Some(*n),
        Const::Date(day) => Some(Decimal::from(*day)),
        _ => None,
    }
}

fn text(value: &Const) -> Option<String> {
    match value {
        Const::Text(text) => Some(text.clone()),
        _ => None,
    }
}

/// The comparison that holds exactly when this one does not, of values that are known.
fn negated(op: Compare) -> Compare {
    match op {
        Compare::Equal => Compare::NotEqual,
        Compare::NotEqual => Compare::Equal,
        Compare::Less => Compare::GreaterOrEqual,
        Compare::LessOrEqual => Compare::Greater,
        Compare::Greater => Compare::LessOrEqual,
        Compare::GreaterOrEqual => Compare::Less,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(ty: Type, tests: &[(Compare, i64)]) -> Values {
        tests
            .iter()
            .fold(Values::of(&ty, false), |values, (op, n)| values.restrict(&Test::Compare(*op, Const::Int(*n)), true))
    }

    #[test]
    fn intervals_are_exact() {
        use Compare::*;
        assert!(numbers(Type::Number, &[(Greater, 100), (LessOrEqual, 100)]).is_empty());
        assert!(!numbers(Type::Number, &[(Greater, 100), (Less, 101)]).is_empty());
        assert!(numbers(Type::Int, &[(Greater, 100), (Less, 101)]).is_empty());
        assert!(numbers(Type::Int, &[(Equal, 3), (NotEqual, 3)]).is_empty());
        assert!(!numbers(Type::Int, &[(GreaterOrEqual, 3), (NotEqual, 3)]).is_empty());
    }

    #[test]
    fn missing_values_fail_every_test_but_unequal() {
        let any = Values::of(&Type::Int, true);
        let equal = Test::Compare(Compare::Equal, Const::Int(1));
        let unequal = Test::Compare(Compare::NotEqual, Const::Int(1));
        assert!(!any.restrict(&equal, true).missing && any.restrict(&equal, false).missing);
        assert!(any.restrict(&unequal, true).missing && !any.restrict(&unequal, false).missing);
        assert!(any.restrict(&Test::IsKnown, false).missing);
    }

    #[test]
    fn sets_of_texts_run_out() {
        let one_of = Type::OneOf(vec!["IT".to_owned(), "ES".to_owned()]);
        let is = |text: &str| Test::Compare(Compare::Equal, Const::Text(text.to_owned()));
        let left = Values::of(&one_of, false).restrict(&is("IT"), false);
        assert!(!left.is_empty() && left.restrict(&is("ES"), false).is_empty());
        let list = Test::In(vec![Const::Text("IT".to_owned()), Const::Text("FR".to_owned())]);
        assert!(left.restrict(&list, true).is_empty());
    }

    #[test]
    fn joining_loses_nothing() {
        let low = numbers(Type::Int, &[(Compare::Less, 10)]);
        let high = numbers(Type::Int, &[(Compare::Greater, 20)]);
        let both = low.join(&high);
        assert!(!both.restrict(&Test::Compare(Compare::Equal, Const::Int(15)), true).is_empty());
        assert_eq!(low.join(&low), low);
    }
}
