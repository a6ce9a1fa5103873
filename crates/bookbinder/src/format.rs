//! Numbers as the lessons print them, set for a page: the sign for times instead of an x, and
//! between a number and its unit a space that does not break.

/// The format of this name (a placeholder gives it after `as`).
///
/// # Errors
/// One line that lists the names, if this is none of them.
pub fn by_name(name: &str, value: f64) -> Result<String, String> {
    let plain = match name {
        "ratio" => report::speedup(value).replace('x', "×"),
        "times" => report::ratio(value),
        "percent" => report::share(value),
        "time" => report::time(value),
        // All three decimals, as the source chapter gives them.
        "thousandths" => format!("{value:.3} s"),
        "millions" | "count" if value < 0.0 => return Err(format!("{value} is negative")),
        // The numbers are counts that a record holds as whole numbers, far below 2^53.
        "millions" => report::steps(value as u64),
        "count" => report::grouped(value as u64),
        _ => {
            return Err(format!(
                "no format `{name}`; there are ratio, times, percent, time, thousandths, millions and count"
            ));
        }
    };
    Ok(plain.replace(' ', "\u{a0}"))
}

/// A ratio with the sign for times: `1.97×`.
pub fn ratio(value: f64) -> String {
    by_name("ratio", value).expect("a format of the list")
}

/// Seconds in the unit that fits, with three figures: `56.1 ms`.
pub fn time(seconds: f64) -> String {
    by_name("time", seconds).expect("a format of the list")
}

/// Steps in millions: `20.62 million`.
pub fn millions(steps: u64) -> String {
    report::steps(steps).replace(' ', "\u{a0}")
}

/// A whole number in groups of three: `20,620,754`.
pub fn count(number: u64) -> String {
    report::grouped(number)
}

/// The format that goes with the last key of a record's path, where the key says it.
pub fn by_key(key: &str) -> Option<&'static str> {
    Some(match key {
        "speedup" | "predicted_speedup" | "bound" => "ratio",
        "seconds" | "low" | "high" | "start" => "time",
        "steps" | "longest" => "millions",
        "workers" | "items" | "rounds" => "count",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_set_for_a_page() {
        assert_eq!(ratio(1.9712), "1.97×");
        assert_eq!(by_name("percent", 0.0056).unwrap(), "0.6\u{a0}%");
        assert_eq!(by_name("times", 1.2649).unwrap(), "1.26");
        assert_eq!(time(0.0561), "56.1\u{a0}ms");
        assert_eq!(millions(20_620_754), "20.62\u{a0}million");
        assert_eq!(by_name("count", 1000.0).unwrap(), "1,000");
        assert_eq!(by_name("thousandths", 1.173).unwrap(), "1.173\u{a0}s");
        assert!(by_name("furlongs", 1.0).unwrap_err().contains("furlongs"));
        assert!(by_name("count", -1.0).unwrap_err().contains("negative"));
    }
}
