//! Durations, sizes and times of day on the command line.

use quadrille::constraint::Timestamp;
use std::time::Duration;

/// `10s`, `500ms`, `2m`, `1h30m`; a bare number counts seconds. Fractions as in `0.5s`.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let fail = || format!("`{text}` is not a duration; expected one like 500ms, 10s, 1.5m or 1h30m");
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(fail());
    }
    let mut total = 0.0f64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let amount: f64 = rest[..digits].parse().map_err(|_| fail())?;
        rest = &rest[digits..];
        let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
        let seconds = match &rest[..letters] {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            // Only a number that stands alone needs no unit.
            "" if total == 0.0 && rest.is_empty() => 1.0,
            _ => return Err(fail()),
        };
        rest = &rest[letters..];
        total += amount * seconds;
    }
    Duration::try_from_secs_f64(total).map_err(|_| fail())
}

/// A duration in whole seconds.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let duration = duration(text)?;
    if duration.subsec_nanos() != 0 {
        return Err(format!("`{text}` is not a whole number of seconds"));
    }
    Ok(duration.as_secs())
}

/// `16GiB`, `512MiB`, `2GB`, `1000`: bytes.
pub(super) fn size(text: &str) -> Result<u64, String> {
    let fail = || format!("`{text}` is not a size; expected one like 512MiB, 4GiB or a number of bytes");
    let text_of_unit = text.trim_start_matches(|c: char| c.is_ascii_digit());
    let unit = match text_of_unit.trim() {
        "" | "B" => 1,
        "kB" => 1_000,
        "MB" => 1_000_000,
        "GB" => 1_000_000_000,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return Err(fail()),
    };
    let digits = &text[..text.len() - text_of_unit.len()];
    let amount: u64 = digits.parse().map_err(|_| fail())?;
    amount.checked_mul(unit).ok_or_else(fail)
}

/// `1%`, `0.5%`: a share of one.
pub(super) fn gap(text: &str) -> Result<f64, String> {
    let share = text.strip_suffix('%').and_then(|digits| digits.trim().parse::<f64>().ok());
    share
        .filter(|percent| (0.0..=100.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| format!("`{text}` is not a gap; expected a percentage, as 1% or 0.5%"))
}

/// `hh:mm:ss` (or `hh:mm`): seconds from midnight.
pub(super) fn time_of_day(text: &str) -> Result<u32, String> {
    let full = if text.matches(':').count() == 1 { format!("{text}:00") } else { text.to_owned() };
    match full.parse() {
        Ok(Timestamp::OfDay(seconds)) => Ok(seconds),
        _ => Err(format!("`{text}` is not a time of day; expected hh:mm:ss")),
    }
}

/// A number from 0 to 100.
pub(super) fn percent(text: &str) -> Result<u32, String> {
    let digits = text.strip_suffix('%').unwrap_or(text);
    match digits.parse() {
        Ok(value @ 0..=100) => Ok(value),
        _ => Err(format!("`{text}` is not a percentage; expected a whole number from 0 to 100")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gaps() {
        assert_eq!((gap("1%"), gap("0.5%"), gap("0%")), (Ok(0.01), Ok(0.005), Ok(0.0)));
        assert!(["1", "", "%", "-1%", "101%", "nan%"].iter().all(|text| gap(text).is_err()));
    }

    #[test]
    fn durations() {
        let read = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(read("10s"), Ok(10_000));
        assert_eq!(read("500ms"), Ok(500));
        assert_eq!(read("1h30m"), Ok(5_400_000));
        assert_eq!(read("1.5m"), Ok(90_000));
        assert_eq!(read("2min"), Ok(120_000));
        assert_eq!(read("10"), Ok(10_000));
        assert_eq!(read("0s"), Ok(0));
        for bad in
            ["", "s", "10 s x", "-1s", "1s2", "10q", "1e3s", "ms10", ".", "9999999999999999999999h", "é"]
        {
            assert!(duration(bad).is_err(), "{bad}");
        }
        assert_eq!(seconds("90s"), Ok(90));
        assert!(seconds("500ms").is_err());
    }

    #[test]
    fn sizes() {
        assert_eq!(size("512MiB"), Ok(512 << 20));
        assert_eq!(size("2GB"), Ok(2_000_000_000));
        assert_eq!(size("17"), Ok(17));
        for bad in ["", "GiB", "-1", "1.5GiB", "99999999999GiB", "1 TiB x", "1é"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_of_day_and_percentages() {
        assert_eq!(time_of_day("23:59:59"), Ok(86_399));
        assert_eq!(time_of_day("08:30"), Ok(30_600));
        assert!(time_of_day("+01:00:00").is_err());
        assert!(time_of_day("24:00:00").is_err());
        assert_eq!(percent("33%"), Ok(33));
        assert!(percent("101").is_err());
    }
}
