//! The rows as the book shows them, made of the JSON array that [`json`](crate::json) makes.

use report::{ratio, time};
use serde_json::{Value, json};
use std::fmt::Write as _;

/// The content of the book's record: the rows, the Python beside our pool, and the text of a page
/// about both.
pub fn record(rows: &Value, python: &str) -> Value {
    json!({"rows": rows, "python": python, "table": table(rows), "missed": missed(rows)})
}

/// The pool against its bars, a row for each.
fn table(rows: &Value) -> String {
    let mut table = String::from(
        "| measured | ours | other | ratio | bar | holds |\n|:--|--:|--:|--:|--:|:--|",
    );
    for row in rows.as_array().into_iter().flatten() {
        let number = |name: &str| match row[name].as_f64() {
            Some(number) if name == "ratio" => ratio(number),
            Some(bytes) if row["unit"] == "bytes" => {
                format!("{:.2}\u{a0}MiB", bytes / f64::from(1 << 20))
            }
            Some(seconds) => unbroken(seconds),
            None => "–".to_owned(),
        };
        let holds = match row["holds"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let [ours, other, ratio] = ["ours", "other", "ratio"].map(number);
        let bar = bar(row).unwrap_or_else(|| "–".to_owned());
        let measured = row["measured"].as_str().unwrap_or_default();
        let _ = write!(table, "\n| {measured} | {ours} | {other} | {ratio} | {bar} | {holds} |");
    }
    table
}

/// A sentence that names the bars that do not hold, or could not be measured; made for a page.
pub fn missed(rows: &Value) -> String {
    let (mut held, mut missed, mut unknown) = (0, Vec::new(), Vec::new());
    for row in rows.as_array().into_iter().flatten() {
        let name = row["measured"].as_str().unwrap_or_default();
        match (bar(row), row["holds"].as_bool()) {
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
        0 if unknown.is_empty() => return format!("All {bars} bars hold."),
        0 => format!("Of {bars} bars {held} hold."),
        _ => format!("Of {bars} bars {held} hold. These do not: {}.", missed.join("; ")),
    };
    if !unknown.is_empty() {
        let _ = write!(text, " These were not measured: {}.", unknown.join("; "));
    }
    text
}

/// The row's bar, with typographic signs for a page.
fn bar(row: &Value) -> Option<String> {
    let bar = row["bar"].as_str()?;
    // `< 0.003 s`
    let limit = bar.strip_prefix("< ").and_then(|bar| bar.strip_suffix(" s")?.parse().ok());
    Some(match limit {
        Some(seconds) => format!("under {}", unbroken(seconds)),
        None => bar.replace("<=", "at most").replace(">=", "at least"),
    })
}

/// A time whose unit stays on the same line.
fn unbroken(seconds: f64) -> String {
    time(seconds).replace(' ', "\u{a0}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, path::Path};

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
        let table = table(&rows());
        for row in [
            "| trip | 15.0\u{a0}µs | 10.0\u{a0}µs | 1.50 | at most 1.2 | **no** |",
            "| memory | 2.00\u{a0}MiB | 2.00\u{a0}MiB | 1.00 | at most 1.1 | yes |",
            "| death | 1.00\u{a0}ms | – | – | under 3.00\u{a0}ms | yes |",
            "| start | 1.00\u{a0}ms | 1.00\u{a0}ms | 1.00 | – | – |",
        ] {
            assert!(table.contains(row), "{table}");
        }
    }

    #[test]
    fn what_does_not_hold_is_said() {
        let mut rows = rows();
        let expected =
            "Of 3 bars 2 hold. These do not: “trip” (1.50, where at most 1.2 is wanted).";
        assert_eq!(missed(&rows), expected);
        rows[0]["holds"] = json!(true);
        assert_eq!(missed(&rows), "All 3 bars hold.");
        rows[0]["holds"] = Value::Null;
        assert!(missed(&rows).contains("These were not measured: “trip”."));
    }

    #[test]
    fn the_book_s_record_is_what_is_made_of_its_rows() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records/bench-pool.json");
        let text = fs::read_to_string(path).expect("the record");
        let run = &serde_json::from_str::<Value>(&text).expect("JSON")["run"];
        let python = run["python"].as_str().expect("its version");
        assert_eq!(&record(&run["rows"], python), run);
    }
}
