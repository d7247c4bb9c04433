use super::*;
use crate::calendar::{parse_date, parse_instant, Zones};
use crate::vm::functions::{between, call, contains};
use crate::vm::text::{push_json, text_of};
use flow_compiler::bytecode::{Function, Unit};
use proptest::prelude::*;
use std::str::FromStr;

fn rome() -> TimeZone {
    Zones::bundled().get("Europe/Rome").unwrap()
}

fn n(text: &str) -> Value {
    Value::Number(Decimal::from_str(text).unwrap())
}

fn i(value: i64) -> Value {
    Value::Int(value)
}

fn t(text: &str) -> Value {
    Value::text(text)
}

fn date(text: &str) -> Value {
    Value::Date(parse_date(text).unwrap())
}

fn instant(text: &str) -> Value {
    Value::Instant(parse_instant(text).unwrap())
}

fn length(months: i32, days: i32, millis: i64) -> Value {
    Value::Duration(Duration { months, days, millis })
}

fn list(values: &[Value]) -> Value {
    Value::List(values.into())
}

const HOUR: i64 = 3_600_000;

#[test]
fn arithmetic_table() {
    use Arith::{Add, Divide, Multiply, Subtract};
    for (op, a, b, expected) in [
        (Add, i(2), i(3), i(5)),
        (Add, i(i64::MAX), i(1), i(i64::MAX)),
        (Subtract, i(i64::MIN), i(1), i(i64::MIN)),
        (Multiply, i(i64::MAX), i(-2), i(i64::MIN)),
        (Add, n("0.1"), n("0.2"), n("0.3")),
        (Add, i(1), n("0.5"), n("1.5")),
        (Multiply, n("59.90"), i(3), n("179.7")),
        (Add, Value::Number(Decimal::MAX), i(1), Value::Number(Decimal::MAX)),
        (Subtract, Value::Number(Decimal::MIN), i(1), Value::Number(Decimal::MIN)),
        (Multiply, Value::Number(Decimal::MAX), i(-2), Value::Number(Decimal::MIN)),
        (Divide, i(6), i(3), n("2")),
        (Divide, i(1), i(4), n("0.25")),
        (Divide, i(1), i(0), Value::Missing),
        (Divide, n("1.5"), n("0.00"), Value::Missing),
        (Divide, i(1), i(3), n("0.3333333333333333333333333333")),
        (Divide, i(10), i(3), n("3.333333333333333333333333333")),
        (Divide, i(-20), i(3), n("-6.666666666666666666666666667")),
        (Divide, n("0.0000000000000000000000000001"), i(2), n("0")),
        (Divide, n("0.0000000000000000000000000003"), i(2), n("0.0000000000000000000000000002")),
        (Divide, Value::Number(Decimal::MAX), n("0.1"), Value::Number(Decimal::MAX)),
        (Divide, Value::Number(Decimal::MAX), i(1), Value::Number(Decimal::MAX)),
        (Divide, n("70000000000000000000000000005"), i(1), n("70000000000000000000000000000")),
        (Divide, Value::Number(Decimal::MIN), n("0.01"), Value::Number(Decimal::MIN)),
        (Divide, i(1), n("0.0000000000000000000000000001"), n("10000000000000000000000000000")),
        (Add, Value::Missing, i(1), Value::Missing),
        (Add, t("a"), t("b"), Value::Missing),
        (Add, length(1, 2, 3), length(1, 1, 1), length(2, 3, 4)),
        (Subtract, length(0, 0, 3), length(0, 1, 0), length(0, -1, 3)),
        (Multiply, length(0, 2, HOUR), i(3), length(0, 6, 3 * HOUR)),
        (Multiply, i(i64::MAX), length(1, -1, 1), length(i32::MAX, i32::MIN, i64::MAX)),
        (Add, date("2026-01-31"), length(1, 0, 0), date("2026-02-28")),
        (Subtract, date("2026-03-31"), length(1, 0, 0), date("2026-02-28")),
        (Add, date("2026-03-29"), length(0, 0, 9 * HOUR), instant("2026-03-29T08:00Z")),
        (Add, instant("2026-03-28T08:00Z"), length(0, 1, 0), instant("2026-03-29T07:00Z")),
        (Add, length(0, 1, 0), instant("2026-03-28T08:00Z"), instant("2026-03-29T07:00Z")),
        (Subtract, instant("2026-03-29T07:00Z"), length(0, 1, 0), instant("2026-03-28T08:00Z")),
        (Subtract, length(0, 1, 0), instant("2026-03-29T07:00Z"), Value::Missing),
        (Subtract, date("2026-03-30"), date("2026-03-28"), length(0, 2, 0)),
        (Subtract, instant("2026-03-30T00:00Z"), instant("2026-03-29T00:00Z"), length(0, 0, 24 * HOUR)),
        // From local midnight to local midnight, across the change: 23 hours.
        (
            Subtract,
            date("2026-03-30"),
            Value::Instant(parse_instant("2026-03-28T23:00Z").unwrap()),
            length(0, 0, 23 * HOUR),
        ),
        (Add, i(1), length(0, 1, 0), Value::Missing),
        (Multiply, date("2026-01-01"), i(2), Value::Missing),
    ] {
        assert_eq!(arithmetic(op, &a, &b, &rome()), expected, "{a:?} {op:?} {b:?}");
    }
    assert_eq!(negate(&i(i64::MIN)), i(i64::MAX));
    assert_eq!(negate(&length(1, -2, 3)), length(-1, 2, -3));
    for zero in [negate(&n("0.0")), call(Function::Round, &[n("-0.4"), i(0)], &rome()), n("-0.00")] {
        assert_eq!(text_of(&zero, &rome()), "0");
    }
}

#[test]
fn comparison_table() {
    use Ordering::{Equal, Greater, Less};
    let local = Value::Local(parse_date("2026-03-02").unwrap(), 0);
    for (a, b, expected) in [
        (i(1), i(2), Some(Less)),
        (i(2), n("2.00"), Some(Equal)),
        (n("2.5"), i(2), Some(Greater)),
        (t("Z"), t("a"), Some(Less)),
        // By code point: U+FF5E comes before U+1F600, unlike in UTF-16.
        (t("～"), t("😀"), Some(Less)),
        (date("2026-03-02"), date("2026-03-03"), Some(Less)),
        (date("2026-03-02"), instant("2026-03-01T23:00Z"), Some(Equal)),
        (instant("2026-03-01T22:59Z"), date("2026-03-02"), Some(Less)),
        (local.clone(), instant("2026-03-01T23:00Z"), Some(Equal)),
        (local, date("2026-03-02"), Some(Equal)),
        (Value::Time(1), Value::Time(2), Some(Less)),
        (Value::Weekday(0), Value::Weekday(6), Some(Less)),
        (length(0, 1, 0), length(0, 0, 24 * HOUR), Some(Equal)),
        (length(1, 0, 0), length(0, 29, 0), Some(Greater)),
        (Value::Bool(false), Value::Bool(true), Some(Less)),
        (Value::Missing, i(1), None),
        (Value::Missing, Value::Missing, None),
        (t("1"), i(1), None),
    ] {
        assert_eq!(ordering(&a, &b, &rome()), expected, "{a:?} {b:?}");
        assert_eq!(ordering(&b, &a, &rome()), expected.map(Ordering::reverse), "{b:?} {a:?}");
    }
}

#[test]
fn missing_in_comparisons() {
    use Compare::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, NotEqual};
    for cmp in [Equal, Less, LessOrEqual, Greater, GreaterOrEqual] {
        assert!(!compare(cmp, &Value::Missing, &i(1), &rome()));
        assert!(!compare(cmp, &Value::Missing, &Value::Missing, &rome()));
    }
    assert!(compare(NotEqual, &Value::Missing, &i(1), &rome()));
    assert!(compare(NotEqual, &Value::Missing, &Value::Missing, &rome()));
    assert!(equals(&list(&[i(1), n("2.0")]), &list(&[n("1"), i(2)]), &rome()));
    assert!(!equals(&list(&[i(1)]), &list(&[i(1), i(2)]), &rome()));
    assert!(!equals(&list(&[Value::Missing]), &list(&[Value::Missing]), &rome()));
    assert!(!compare(LessOrEqual, &list(&[i(1)]), &list(&[i(1)]), &rome()));
}

#[test]
fn values_as_text() {
    for (value, expected) in [
        (Value::Missing, ""),
        (Value::Bool(true), "true"),
        (i(-12), "-12"),
        (n("59.90"), "59.9"),
        (n("100.000"), "100"),
        (n("0.0000001"), "0.0000001"),
        (t("plain"), "plain"),
        (date("2026-03-02"), "2026-03-02"),
        (Value::Time(9 * 3_600_000), "09:00"),
        (Value::Time(9 * 3_600_000 + 30_000), "09:00:30"),
        (instant("2026-07-02T07:00:59.999Z"), "2026-07-02 09:00"),
        (Value::Local(parse_date("2026-03-02").unwrap(), 3_600_000), "2026-03-02 01:00"),
        (length(0, 0, 2 * HOUR), "2h"),
        (length(0, 0, 24 * HOUR), "24h"),
        (length(0, 0, 90 * 60_000), "1h 30m"),
        (length(0, 3, 0), "3d"),
        (length(14, 0, 0), "1y 2mo"),
        (length(0, 0, 1500), "1.5s"),
        (length(0, 0, 0), "0s"),
        (length(0, -1, -HOUR), "-1d -1h"),
        (Value::Weekday(6), "sunday"),
        (list(&[t("a"), i(1), n("2.50")]), "a, 1, 2.5"),
    ] {
        assert_eq!(text_of(&value, &rome()), expected);
    }
}

#[test]
fn values_as_json() {
    let all = list(&[
        Value::Missing,
        Value::Bool(true),
        i(i64::MIN),
        n("79228162514264337593543950335"),
        n("59.90"),
        t("a\"\\\n\u{1}é"),
        date("2026-03-02"),
        Value::Time(0),
        instant("2026-03-02T12:00Z"),
        Value::Local(0, 3_600_000),
        length(0, 0, HOUR),
        Value::Weekday(0),
        Value::Record([i(1)].as_slice().into()),
    ]);
    let expected = concat!(
        r#"[null,true,-9223372036854775808,79228162514264337593543950335,59.9,"a\"\\\n\u0001é","2026-03-02","00:00","#,
        r#""2026-03-02T12:00:00.000Z","1970-01-01T01:00","1h","monday",[1]]"#,
    );
    let mut bytes = Vec::new();
    push_json(&mut bytes, &all);
    assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    assert_eq!(serde_json::to_string(&all).unwrap(), expected);
    assert_eq!(list(&[i(1), n("59.90"), n("3.00"), t("x")]).to_json().to_string(), r#"[1,59.9,3,"x"]"#);
}

#[test]
fn function_table() {
    use Function::{
        Abs, Ceil, Date, Day, First, Floor, Hour, Int, Length, Lower, Max, Min, Minute, Month, Number, Round, Text,
        Time, ToInstant, Trim, Upper, Weekday, Year,
    };
    let summer = || instant("2026-07-01T22:30:15Z");
    for (function, args, expected) in [
        (Lower, vec![t("ÀB")], t("àb")),
        (Upper, vec![t("straße")], t("STRASSE")),
        (Trim, vec![t(" a \n")], t("a")),
        (Length, vec![t("é😀")], i(2)),
        (Length, vec![list(&[i(1), i(2)])], i(2)),
        (Round, vec![n("2.5")], i(3)),
        (Round, vec![n("-2.5")], i(-3)),
        (Round, vec![n("2.45"), i(1)], n("2.5")),
        (Round, vec![i(7)], i(7)),
        (Round, vec![i(1250), i(-2)], n("1300")),
        (Round, vec![n("-1249.99"), i(-2)], n("-1200")),
        (Round, vec![n("1.5"), i(-40)], n("0")),
        (Round, vec![n("1.5"), i(i64::MAX)], n("1.5")),
        (Round, vec![Value::Number(Decimal::MAX)], i(i64::MAX)),
        (Round, vec![Value::Number(Decimal::MAX), i(-28)], n("79228162514264337593543950335")),
        (Floor, vec![n("-1.5")], i(-2)),
        (Ceil, vec![n("-1.5")], i(-1)),
        (Ceil, vec![Value::Number(Decimal::MIN)], i(i64::MIN)),
        (Abs, vec![i(i64::MIN)], i(i64::MAX)),
        (Abs, vec![n("-1.5")], n("1.5")),
        (Abs, vec![length(0, -3, 0)], length(0, 3, 0)),
        (Min, vec![i(2), n("1.5")], n("1.5")),
        (Max, vec![i(2), n("1.5")], n("2")),
        (Max, vec![t("a"), t("b")], t("b")),
        (Min, vec![i(2), Value::Missing], Value::Missing),
        (Text, vec![n("2.50")], t("2.5")),
        (Int, vec![t(" 12 ")], i(12)),
        (Int, vec![t("1.5")], Value::Missing),
        (Int, vec![t("99999999999999999999999999999999")], i(i64::MAX)),
        (Number, vec![t("-59.90")], n("-59.9")),
        (Number, vec![t("1e5")], Value::Missing),
        (Number, vec![t("1_000")], Value::Missing),
        (Number, vec![t("99999999999999999999999999999999")], Value::Number(Decimal::MAX)),
        (Number, vec![t("0.00000000000000000000000000000000001")], n("0")),
        (Date, vec![summer()], date("2026-07-02")),
        (Time, vec![summer()], Value::Time(30 * 60_000 + 15_000)),
        (Year, vec![date("2026-03-02")], i(2026)),
        (Month, vec![summer()], i(7)),
        (Day, vec![summer()], i(2)),
        (Hour, vec![summer()], i(0)),
        (Minute, vec![summer()], i(30)),
        (Hour, vec![Value::Time(9 * 3_600_000)], i(9)),
        (Weekday, vec![summer()], Value::Weekday(3)),
        (ToInstant, vec![date("2026-07-02")], instant("2026-07-01T22:00Z")),
        (First, vec![list(&[t("a"), t("b")])], t("a")),
        (First, vec![list(&[])], Value::Missing),
        (Length, vec![Value::Missing], Value::Missing),
        (Lower, vec![], Value::Missing),
        (Lower, vec![i(1)], Value::Missing),
    ] {
        assert_eq!(call(function, &args, &rome()), expected, "{function:?} {args:?}");
    }
}

#[test]
fn containing_and_between() {
    assert!(contains(&t("basket"), &t("ask"), &rome()));
    assert!(contains(&list(&[i(1), i(2)]), &n("2.0"), &rome()));
    assert!(!contains(&list(&[Value::Missing]), &Value::Missing, &rome()));
    assert!(!contains(&Value::Missing, &t("a"), &rome()));
    assert_eq!(between(Unit::Days, &date("2026-03-28"), &date("2026-03-30"), &rome()), i(2));
    assert_eq!(between(Unit::Hours, &date("2026-03-28"), &date("2026-03-30"), &rome()), i(48));
    assert_eq!(between(Unit::Hours, &date("2026-03-29"), &instant("2026-03-29T22:00Z"), &rome()), i(23));
    assert_eq!(between(Unit::Days, &Value::Missing, &date("2026-03-30"), &rome()), Value::Missing);
}

/// Long division, digit by digit: whole part and 40 digits, rounded by hand.
fn naive_quotient(a: Decimal, b: Decimal) -> String {
    let (mut rest, divisor) = (a.mantissa().unsigned_abs(), b.mantissa().unsigned_abs());
    let mut digits = (rest / divisor).to_string().into_bytes();
    rest %= divisor;
    for _ in 0..90 {
        rest *= 10;
        digits.push(b'0' + u8::try_from(rest / divisor).unwrap());
        rest %= divisor;
    }
    // The value is digits × 10^-exponent.
    let mut exponent = 90 + i64::from(a.scale()) - i64::from(b.scale());
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    digits.drain(..zeros);
    let keep = 28.min(digits.len() as i64).min(digits.len() as i64 - (exponent - 28));
    if keep < 0 {
        return "0".to_owned();
    }
    let dropped = digits.split_off(keep as usize);
    exponent -= dropped.len() as i64;
    let mut kept: u128 = String::from_utf8(digits).unwrap().parse().unwrap_or(0);
    let half =
        std::iter::once(b'5').chain(std::iter::repeat_n(b'0', dropped.len().saturating_sub(1))).collect::<Vec<_>>();
    if dropped > half || (dropped == half && (rest != 0 || kept % 2 == 1)) {
        kept += 1;
    }
    if exponent < 0 {
        kept *= 10_u128.pow((-exponent) as u32);
        exponent = 0;
    }
    let sign = if a.is_sign_negative() == b.is_sign_negative() { 1 } else { -1 };
    Decimal::from_i128_with_scale(kept as i128 * sign, exponent as u32).normalize().to_string()
}

fn any_decimal() -> impl Strategy<Value = Decimal> {
    let parts = |negative| (any::<(u32, u32, u32)>(), 0..=28_u32, Just(negative));
    prop_oneof![
        (-1_000_000..1_000_000_i64, 0..=6_u32).prop_map(|(value, scale)| Decimal::new(value, scale)),
        prop_oneof![parts(false), parts(true)]
            .prop_map(|((a, b, c), scale, negative)| Decimal::from_parts(a, b, c, negative, scale)),
        Just(Decimal::MAX),
        Just(Decimal::MIN),
        Just(Decimal::ZERO),
    ]
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Missing),
        any::<bool>().prop_map(Value::Bool),
        prop_oneof![any::<i64>(), -5..5_i64].prop_map(Value::Int),
        any_decimal().prop_map(Value::Number),
        "\\PC{0,6}".prop_map(|text| t(&text)),
        any::<i32>().prop_map(Value::Date),
        (0..86_400_000_u32).prop_map(Value::Time),
        any::<i64>().prop_map(Value::Instant),
        any::<(i32, u32)>().prop_map(|(day, ms)| Value::Local(day, ms)),
        any::<(i32, i32, i64)>().prop_map(|(months, days, millis)| length(months, days, millis)),
        (0..7_u8).prop_map(Value::Weekday),
    ]
}

const FUNCTIONS: [Function; 23] = [
    Function::Lower,
    Function::Upper,
    Function::Trim,
    Function::Length,
    Function::Round,
    Function::Floor,
    Function::Ceil,
    Function::Abs,
    Function::Min,
    Function::Max,
    Function::Text,
    Function::Int,
    Function::Number,
    Function::Date,
    Function::Time,
    Function::Year,
    Function::Month,
    Function::Day,
    Function::Hour,
    Function::Minute,
    Function::Weekday,
    Function::ToInstant,
    Function::First,
];

proptest! {
    #[test]
    fn quotients_are_those_of_long_division(a in any_decimal(), b in any_decimal()) {
        let quotient = number::divide(a, b);
        prop_assert_eq!(quotient.is_none(), b.is_zero());
        if let Some(quotient) = quotient.filter(|quotient| quotient.abs() < Decimal::MAX / Decimal::TEN && !a.is_zero()) {
            let naive = naive_quotient(a, b);
            prop_assert_eq!(quotient.to_string().trim_start_matches("-0").to_owned(), naive.trim_start_matches("-0").to_owned());
        }
    }

    #[test]
    fn nothing_panics(a in any_value(), b in any_value(), c in any_value()) {
        let zone = rome();
        for op in [Arith::Add, Arith::Subtract, Arith::Multiply, Arith::Divide] {
            let _ = arithmetic(op, &a, &b, &zone);
        }
        for function in FUNCTIONS {
            let _ = call(function, &[a.clone(), b.clone()], &zone);
            let _ = call(function, std::slice::from_ref(&a), &zone);
        }
        let _ = (negate(&a), between(Unit::Months, &a, &b, &zone), contains(&a, &b, &zone), text_of(&a, &zone), a.to_json());
        let json = serde_json::to_string(&a).unwrap();
        let mut bytes = Vec::new();
        push_json(&mut bytes, &a);
        prop_assert_eq!(json.as_bytes(), &bytes[..]);
        // An order: antisymmetric and, where it applies, transitive.
        prop_assert_eq!(ordering(&a, &b, &zone), ordering(&b, &a, &zone).map(Ordering::reverse));
        if ordering(&a, &b, &zone) == Some(Ordering::Less) && ordering(&b, &c, &zone) == Some(Ordering::Less) {
            prop_assert_ne!(ordering(&a, &c, &zone), Some(Ordering::Greater));
        }
    }

    #[test]
    fn every_comparison_has_its_opposite(a in any_value(), b in any_value()) {
        let zone = rome();
        let is = |cmp| compare(cmp, &a, &b, &zone);
        prop_assert_eq!(is(Compare::NotEqual), !is(Compare::Equal));
        prop_assert_eq!(is(Compare::LessOrEqual), is(Compare::Less) || (is(Compare::Equal) && ordering(&a, &b, &zone).is_some()));
        prop_assert_eq!(is(Compare::Greater), compare(Compare::Less, &b, &a, &zone));
    }
}
