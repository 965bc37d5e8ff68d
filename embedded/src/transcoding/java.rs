//! Objects of Java: their classes and texts.

use hotrod_core::protostream::Value;

use crate::answer::Failure;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// Days of the week from that of 1 January 1970.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
const DAY: i64 = 86_400;

/// The value of the Java type that a value is read as: Java has signed numbers alone.
pub(super) fn object_of(value: Value<'_>) -> Value<'_> {
    match value {
        Value::UInt32(number) | Value::Fixed32(number) => Value::Int32(number.cast_signed()),
        Value::SInt32(number) | Value::SFixed32(number) => Value::Int32(number),
        Value::UInt64(number) | Value::Fixed64(number) => Value::Int64(number.cast_signed()),
        Value::SInt64(number) | Value::SFixed64(number) => Value::Int64(number),
        value => value,
    }
}

/// The class of an object, as Java names it.
pub(super) fn class_of(object: &Value<'_>) -> &'static str {
    match object {
        Value::String(_) => "java.lang.String",
        Value::Int32(_) => "java.lang.Integer",
        Value::Int64(_) => "java.lang.Long",
        Value::Short(_) => "java.lang.Short",
        Value::Byte(_) => "java.lang.Byte",
        Value::Char(_) => "java.lang.Character",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Double(_) => "java.lang.Double",
        Value::Float(_) => "java.lang.Float",
        Value::Instant { .. } => "java.time.Instant",
        Value::DateMillis(_) => "java.util.Date",
        _ => "java.lang.Object",
    }
}

/// Java's `toString` of an object. An array of bytes has an address there.
pub(super) fn text_of(object: &Value<'_>) -> Result<String, Failure> {
    Ok(match object {
        Value::String(text) => (*text).into(),
        Value::Bytes(bytes) => {
            let hash = bytes.iter().fold(1_u32, |hash, byte| hash.wrapping_mul(31).wrapping_add((*byte).into()));
            format!("[B@{hash:x}")
        }
        Value::Int32(number) => number.to_string(),
        Value::Int64(number) => number.to_string(),
        Value::Short(number) => number.to_string(),
        Value::Byte(number) => number.to_string(),
        Value::Char(unit) => String::from_utf16_lossy(&[*unit]),
        Value::Bool(value) => value.to_string(),
        Value::Double(number) => text_of_double(*number),
        Value::Float(number) => text_of_float(*number),
        Value::Instant { seconds, nanos } => text_of_instant(*seconds, *nanos),
        Value::DateMillis(milliseconds) => text_of_date(*milliseconds),
        _ => return Err(Failure::unsupported("the text of such a value")),
    })
}

/// `Double.toString`: the shortest digits that give the number back, at least two.
pub(super) fn text_of_double(number: f64) -> String {
    let shortest = format!("{number:e}");
    let two_digits = format!("{number:.1e}");
    let digits = if two_digits.parse() == Ok(number) { two_digits } else { shortest };
    text_of_digits(&digits, (1e-3..1e7).contains(&number.abs()))
}

/// `Float.toString`.
pub(super) fn text_of_float(number: f32) -> String {
    let shortest = format!("{number:e}");
    let two_digits = format!("{number:.1e}");
    let digits = if two_digits.parse() == Ok(number) { two_digits } else { shortest };
    text_of_digits(&digits, (1e-3..1e7).contains(&number.abs()))
}

/// Writes a number of the form `-1.5e-7` as Java does; `is_plain` if it is written without exponent.
fn text_of_digits(number: &str, is_plain: bool) -> String {
    let (sign, number) = number.strip_prefix('-').map_or(("", number), |number| ("-", number));
    let Some((digits, exponent)) = number.split_once('e') else {
        return if number == "inf" { format!("{sign}Infinity") } else { number.into() };
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if whole == "0" {
        return format!("{sign}0.0");
    }
    if !is_plain {
        return format!("{sign}{whole}.{fraction}E{exponent}");
    }
    let digits = format!("{whole}{}", fraction.trim_end_matches('0'));
    if exponent < 0 {
        let zeros = "0".repeat(exponent.unsigned_abs() as usize - 1);
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = exponent as usize + 1;
    let (whole, fraction) = digits.split_at(point.min(digits.len()));
    let fraction = if fraction.is_empty() { "0" } else { fraction };
    format!("{sign}{whole:0<point$}.{fraction}")
}

/// `Instant.toString`.
fn text_of_instant(seconds: i64, nanos: u32) -> String {
    let (year, month, day) = date_of(seconds.div_euclid(DAY));
    let year = match year {
        0..=9999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", year.unsigned_abs()),
    };
    let fraction = match nanos {
        0 => String::new(),
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    };
    format!("{year}-{month:02}-{day:02}T{}{fraction}Z", time_of(seconds))
}

/// `Date.toString`, in the time zone UTC.
fn text_of_date(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1000);
    let days = seconds.div_euclid(DAY);
    let (year, month, day) = date_of(days);
    let weekday = WEEKDAYS[days.rem_euclid(7) as usize];
    let month = MONTHS[month as usize - 1];
    format!("{weekday} {month} {day:02} {} UTC {year}", time_of(seconds))
}

fn time_of(seconds: i64) -> String {
    let second = seconds.rem_euclid(DAY);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// Year, month and day of a number of days since 1970, in the Gregorian calendar.
fn date_of(days: i64) -> (i64, i64, i64) {
    // Days since 1 March of year 0: the leap day is then the last of its year.
    let days = days + 719_468;
    let (era, day_of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
