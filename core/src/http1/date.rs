//! Dates in cookies and header fields.

/// First three letters of the months.
const MONTHS: [&[u8; 3]; 12] =
    [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];

/// Parses a date to seconds since 1970 by the algorithm of RFC 6265, 5.1.1, which accepts the three forms of RFC 9110,
/// 5.6.7. `None` if the text is no date.
pub(super) fn parse(text: &[u8]) -> Option<i64> {
    let (mut time, mut day, mut month, mut year) = (None, None, None, None);
    for token in text.split(|byte| is_delimiter(*byte)).filter(|token| !token.is_empty()) {
        // Takes each token as the first missing part that it can be.
        if time.is_none() && hours_minutes_seconds(token).is_some() {
            time = hours_minutes_seconds(token);
        } else if day.is_none() && number(token, 1..=2).is_some() {
            day = number(token, 1..=2);
        } else if month.is_none() && month_of(token).is_some() {
            month = month_of(token);
        } else if year.is_none() {
            year = number(token, 2..=4);
        }
    }
    let year = match year? {
        short @ 70..=99 => short + 1900,
        short @ 0..=69 => short + 2000,
        year => year,
    };
    let (day, month) = (day?, month?);
    let (hours, minutes, seconds) = time?;
    let on_calendar = year >= 1601 && day >= 1 && day <= days_of(month, year);
    let on_clock = hours < 24 && minutes < 60 && seconds < 60;
    let seconds = hours * 3600 + minutes * 60 + seconds;
    (on_calendar && on_clock).then(|| days_since_1970(year, month, day) * 86_400 + seconds)
}

fn is_delimiter(byte: u8) -> bool {
    matches!(byte, 0x09 | 0x20..=0x2f | 0x3b..=0x40 | 0x5b..=0x60 | 0x7b..=0x7e)
}

/// Number at the beginning of a token, if its digit count is in `digits`.
fn number(token: &[u8], digits: core::ops::RangeInclusive<usize>) -> Option<i64> {
    let count = token.iter().take_while(|byte| byte.is_ascii_digit()).count();
    digits.contains(&count).then(|| token[..count].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0')))
}

/// Parses `8:49:37`, without range checks.
fn hours_minutes_seconds(token: &[u8]) -> Option<(i64, i64, i64)> {
    let mut parts = token.splitn(3, |byte| *byte == b':');
    let mut exact =
        || parts.next().filter(|part| part.iter().all(u8::is_ascii_digit)).and_then(|part| number(part, 1..=2));
    let (hours, minutes) = (exact()?, exact()?);
    let seconds = number(parts.next()?, 1..=2)?;
    Some((hours, minutes, seconds))
}

/// Month of a token: 1 for January.
fn month_of(token: &[u8]) -> Option<i64> {
    let letters = token.first_chunk::<3>()?.to_ascii_lowercase();
    MONTHS.iter().position(|month| month[..] == letters).map(|index| index as i64 + 1)
}

fn days_of(month: i64, year: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days in the Gregorian calendar. Years begin in March, so that the leap day is the last day.
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year / 4 - year / 100 + year / 400;
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 1 - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_forms_of_rfc_9110_are_one_date() {
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(parse(text.as_bytes()), Some(784_111_777), "{text}");
        }
    }

    #[test]
    fn dates_in_cookies_come_in_any_form() {
        for text in ["1 jan 1970 0:0:0", "00:00:00 01/January/70x", "1;JANUARY;1970;00:00:00;", "x 1970 Jan 1 0:0:0z"] {
            assert_eq!(parse(text.as_bytes()), Some(0), "{text}");
        }
        assert_eq!(parse(b"29-Feb-2024 23:59:59"), Some(1_709_251_199));
        assert_eq!(parse(b"31 Dec 1969 23:59:59"), Some(-1));
        assert_eq!(parse(b"1 Jan 1601 00:00:00"), Some(-11_644_473_600));
        assert_eq!(parse(b"Fri, 31 Dec 9999 23:59:59 GMT"), Some(253_402_300_799));
        assert_eq!(parse(b"1 Jan 69 00:00:00"), parse(b"1 Jan 2069 00:00:00"));
    }

    #[test]
    fn what_lacks_a_part_or_is_on_no_calendar_is_no_date() {
        let none = [
            "",
            "1 Jan 1970",
            "Jan 1970 00:00:00",
            "1 1970 00:00:00",
            "1 Jan 00:00:00",
            "30 Feb 2024 00:00:00",
            "29 Feb 2023 00:00:00",
            "31 Apr 2024 00:00:00",
            "0 Jan 1970 00:00:00",
            "1 Jan 1600 00:00:00",
            "1 Jan 1970 24:00:00",
            "24:00:00 Jan 1970 1:0:0",
            "1 Jan 1970 00:60:00",
            "1 Jan 1970 00:00:60",
            "1 Jan 1970 000:00:00",
            "1 Jan 1970 00:00",
            "1 Jan 19700 00:00:00",
            "1 Xyz 1970 00:00:00",
        ];
        none.iter().for_each(|text| assert_eq!(parse(text.as_bytes()), None, "{text}"));
    }

    /// Walks the calendar day by day, from the first valid year to the last.
    #[test]
    fn every_day_follows_the_one_before_it() {
        let mut expected = parse(b"1 Jan 1601 0:0:0").unwrap() / 86_400;
        for year in 1601..=9999 {
            for month in 1..=12 {
                for day in 1..=days_of(month, year) {
                    assert_eq!(days_since_1970(year, month, day), expected);
                    expected += 1;
                }
            }
        }
    }
}
