//! The rows as the book shows them: a Markdown table, and a sentence about the bars that do not hold.

use report::{ratio, time};
use serde_json::Value;
use std::fmt::Write as _;

/// The rows of [`crate::json`] as a table: a row each.
///
/// # Errors
/// One line that names what a row lacks.
pub fn markdown(rows: &Value) -> Result<String, String> {
    let mut table = String::from(
        "| measured | ours | other | ratio | bar | holds |\n|:--|--:|--:|--:|--:|:--|",
    );
    for row in list(rows)? {
        let cell = |name: &str| match row[name].as_f64() {
            Some(number) if name == "ratio" => ratio(number),
            Some(bytes) if row["unit"] == "bytes" => {
                format!("{:.2}\u{a0}MiB", bytes / f64::from(1 << 20))
            }
            Some(seconds) => seconds_of(seconds),
            None => "–".to_owned(),
        };
        let holds = match row["holds"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let [ours, other, ratio] = ["ours", "other", "ratio"].map(cell);
        let bar = bar(row).unwrap_or_else(|| "–".to_owned());
        let measured = measured(row)?;
        let _ = write!(table, "\n| {measured} | {ours} | {other} | {ratio} | {bar} | {holds} |");
    }
    Ok(table)
}

/// In a sentence: which bars do not hold, or could not be measured.
///
/// # Errors
/// One line that names what a row lacks.
pub fn missed(rows: &Value) -> Result<String, String> {
    let (mut held, mut missed, mut unknown) = (0, Vec::new(), Vec::new());
    for row in list(rows)? {
        let (name, bar) = (measured(row)?, bar(row));
        match (bar, row["holds"].as_bool()) {
            (Some(_), Some(true)) => held += 1,
            (Some(bar), Some(false)) => missed.push(match row["ratio"].as_f64() {
                Some(number) => format!("“{name}” ({}, where {bar} is wanted)", ratio(number)),
                None => format!("“{name}” (where {bar} is wanted)"),
            }),
            (Some(_), None) => unknown.push(format!("“{name}”")),
            (None, _) => {}
        }
    }
    let bars = held + missed.len() + unknown.len();
    let mut text = match missed.len() {
        0 if unknown.is_empty() => return Ok(format!("All {bars} bars hold.")),
        0 => format!("Of {bars} bars {held} hold."),
        _ => format!("Of {bars} bars {held} hold. These do not: {}.", missed.join("; ")),
    };
    if !unknown.is_empty() {
        let _ = write!(text, " These were not measured: {}.", unknown.join("; "));
    }
    Ok(text)
}

fn list(rows: &Value) -> Result<&[Value], String> {
    rows.as_array().map(Vec::as_slice).ok_or("there are no rows".into())
}

fn measured(row: &Value) -> Result<&str, String> {
    row["measured"].as_str().ok_or("a row does not say what it measured".into())
}

/// With a space that does not break between number and unit.
fn seconds_of(seconds: f64) -> String {
    time(seconds).replace(' ', "\u{a0}")
}

/// The bar, with signs for a page.
fn bar(row: &Value) -> Option<String> {
    let bar = row["bar"].as_str()?;
    // `< 0.003 s`
    if let Some(Ok(seconds)) =
        bar.strip_prefix("< ").and_then(|bar| bar.strip_suffix(" s")).map(str::parse)
    {
        return Some(format!("under {}", seconds_of(seconds)));
    }
    Some(bar.replace("<=", "at most").replace(">=", "at least"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rows() -> Value {
        json!([
            {"measured": "trip", "ours": 15e-6, "other": 10e-6, "unit": "s", "ratio": 1.5,
                "bar": "<= 1.2", "holds": false},
            {"measured": "memory", "ours": 2097152.0, "other": 2097152.0, "unit": "bytes",
                "ratio": 1.0, "bar": "<= 1.1", "holds": true},
            {"measured": "death", "ours": 0.001, "other": null, "unit": "s", "ratio": null,
                "bar": "< 0.003 s", "holds": true},
            {"measured": "start", "ours": 0.001, "other": 0.001, "unit": "s", "ratio": 1.0,
                "bar": null, "holds": null}])
    }

    #[test]
    fn bars_that_hold_and_bars_that_do_not_stand_in_one_table() {
        let table = markdown(&rows()).unwrap();
        for row in [
            "| trip | 15.0\u{a0}µs | 10.0\u{a0}µs | 1.50 | at most 1.2 | **no** |",
            "| memory | 2.00\u{a0}MiB | 2.00\u{a0}MiB | 1.00 | at most 1.1 | yes |",
            "| death | 1.00\u{a0}ms | – | – | under 3.00\u{a0}ms | yes |",
            "| start | 1.00\u{a0}ms | 1.00\u{a0}ms | 1.00 | – | – |",
        ] {
            assert!(table.contains(row), "{row} in {table}");
        }
        assert!(markdown(&json!({})).is_err());
    }

    #[test]
    fn what_does_not_hold_is_said() {
        let mut rows = rows();
        let text = missed(&rows).unwrap();
        assert_eq!(
            text,
            "Of 3 bars 2 hold. These do not: “trip” (1.50, where at most 1.2 is wanted)."
        );
        rows[0]["holds"] = json!(true);
        assert_eq!(missed(&rows).unwrap(), "All 3 bars hold.");
        rows[0]["holds"] = Value::Null;
        assert!(missed(&rows).unwrap().contains("These were not measured: “trip”."));
    }

    #[test]
    fn the_record_s_text_is_what_its_rows_make() {
        let record = include_str!("../../../book/records/bench-pool.json");
        let record: Value = serde_json::from_str(record).unwrap();
        let text = [markdown(&record["run"]), missed(&record["run"])].map(Result::unwrap);
        assert_eq!([&record["text"]["table"], &record["text"]["missed"]], [&text[0], &text[1]]);
    }
}
