//! Numbers as a person reads them. Between a number and its unit stands a space that does not
//! break.

/// A ratio with two decimals and the sign for times: `1.97×`.
pub fn ratio(value: f64) -> String {
    format!("{value:.2}×")
}

/// A part of one as a percentage: one decimal below ten per cent, none above.
pub fn percent(value: f64) -> String {
    let value = value * 100.0;
    if value.abs() < 10.0 { format!("{value:.1}\u{a0}%") } else { format!("{value:.0}\u{a0}%") }
}

/// Seconds in the unit that leaves one to three digits before the point, with three digits in all.
pub fn time(seconds: f64) -> String {
    // What rounds to 1000 of a unit belongs to the next one, hence the bounds just below 1.
    let (value, unit) = match seconds.abs() {
        s if s >= 0.9995 => (seconds, "s"),
        s if s >= 0.000_999_5 => (seconds * 1e3, "ms"),
        s if s >= 0.000_000_999_5 => (seconds * 1e6, "µs"),
        _ => (seconds * 1e9, "ns"),
    };
    let decimals = match value.abs() {
        v if v >= 99.95 => 0,
        v if v >= 9.995 => 1,
        _ => 2,
    };
    format!("{value:.decimals$}\u{a0}{unit}")
}

/// Seconds with all three decimals, as the source chapter gives them: `1.173 s`.
pub fn seconds(seconds: f64) -> String {
    format!("{seconds:.3}\u{a0}s")
}

/// Millions with two decimals: `20.62 million`.
pub fn millions(value: f64) -> String {
    format!("{:.2}\u{a0}million", value / 1e6)
}

/// A whole number in groups of three: `20,620,754`.
pub fn count(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    if value <= -0.5 { format!("-{grouped}") } else { grouped }
}

/// Formats by a name that a placeholder gives after `as`.
///
/// # Errors
/// One line that lists the names, if this is none of them.
pub fn by_name(name: &str, value: f64) -> Result<String, String> {
    Ok(match name {
        "ratio" => ratio(value),
        "percent" => percent(value),
        "time" => time(value),
        "seconds" => seconds(value),
        "millions" => millions(value),
        "count" => count(value),
        _ => {
            return Err(format!(
                "no format `{name}`; there are ratio, percent, time, seconds, millions and count"
            ));
        }
    })
}

/// The format that goes with the last key of a record's path, where the key says it.
pub fn by_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "speedup" | "predicted_speedup" | "bound" => "ratio",
        "seconds" | "low" | "high" => "time",
        key if key.ends_with("_seconds") => "time",
        "steps" | "longest" => "millions",
        "workers" | "items" | "rounds" => "count",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_as_a_person_reads_them() {
        assert_eq!(ratio(1.9712), "1.97×");
        assert_eq!([0.0056, 0.5].map(percent), ["0.6\u{a0}%", "50\u{a0}%"]);
        let times = [1.173, 0.9996, 0.0561, 0.005_612, 0.000_031, 0.000_999_6, 2e-7, 0.0];
        let shown = times.map(time).map(|text| text.replace('\u{a0}', " "));
        let expected =
            ["1.17 s", "1.00 s", "56.1 ms", "5.61 ms", "31.0 µs", "1.00 ms", "200 ns", "0.00 ns"];
        assert_eq!(shown, expected);
        assert_eq!(seconds(1.173), "1.173\u{a0}s");
        assert_eq!(millions(20_620_754.0), "20.62\u{a0}million");
        assert_eq!([5.0, 1000.0, 20_620_754.0].map(count), ["5", "1,000", "20,620,754"]);
        assert!(by_name("furlongs", 1.0).unwrap_err().contains("furlongs"));
    }
}
