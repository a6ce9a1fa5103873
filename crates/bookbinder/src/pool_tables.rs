//! The pool's own tables: what each fault costs (`faults.json`), and the pool against its bars
//! (`bench-pool.json`).

use crate::format;
use serde_json::Value;

/// What each fault costs, a row for each.
///
/// # Errors
/// One line that names what a row lacks.
pub fn faults(record: &Value) -> Result<String, String> {
    let mut table = String::from(
        "| what goes wrong | the error says | did the task run? | its worker | next task |\n\
         |:--|:--|:--|:--|:--|",
    );
    for row in rows(record)? {
        let field = |name: &str| row[name].as_str().ok_or(format!("a fault has no {name}"));
        let next = row["next"].as_bool().ok_or("a fault has no next")?;
        table.push_str(&format!(
            "\n| {} | {} | {} | {} | {} |",
            field("fault")?,
            field("said")?,
            field("ran")?,
            field("worker")?,
            if next { "answered" } else { "not answered" },
        ));
    }
    Ok(table)
}

/// The pool against its bars, a row for each.
///
/// # Errors
/// One line that names what a row lacks.
pub fn bench(record: &Value) -> Result<String, String> {
    let mut table = String::from(
        "| measured | ours | other | ratio | bar | holds |\n|:--|--:|--:|--:|--:|:--|",
    );
    for row in rows(record)? {
        let cell = |name: &str| match row[name].as_f64() {
            Some(number) if name == "ratio" => report::ratio(number),
            Some(bytes) if row["unit"] == "bytes" => {
                format!("{:.2}\u{a0}MiB", bytes / f64::from(1 << 20))
            }
            Some(seconds) => format::time(seconds),
            None => "–".to_owned(),
        };
        let holds = match row["holds"].as_bool() {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        table.push_str(&format!(
            "\n| {} | {} | {} | {} | {} | {holds} |",
            measured(row)?,
            cell("ours"),
            cell("other"),
            cell("ratio"),
            bar(row).unwrap_or_else(|| "–".to_owned()),
        ));
    }
    Ok(table)
}

/// In a sentence: which bars do not hold, or could not be measured.
///
/// # Errors
/// One line that names what a row lacks.
pub fn missed(record: &Value) -> Result<String, String> {
    let (mut held, mut missed, mut unknown) = (0, Vec::new(), Vec::new());
    for row in rows(record)? {
        let (name, bar) = (measured(row)?, bar(row));
        match (bar, row["holds"].as_bool()) {
            (Some(_), Some(true)) => held += 1,
            (Some(bar), Some(false)) => missed.push(match row["ratio"].as_f64() {
                Some(ratio) => {
                    format!("“{name}” ({}, where {bar} is wanted)", report::ratio(ratio))
                }
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
        text.push_str(&format!(" These were not measured: {}.", unknown.join("; ")));
    }
    Ok(text)
}

fn rows(record: &Value) -> Result<&[Value], String> {
    record["run"].as_array().map(Vec::as_slice).ok_or("the record has no rows".into())
}

fn measured(row: &Value) -> Result<&str, String> {
    row["measured"].as_str().ok_or("a row does not say what it measured".into())
}

/// The bar as the record has it, with signs for a page.
fn bar(row: &Value) -> Option<String> {
    let bar = row["bar"].as_str()?;
    // `< 0.003 s`
    if let Some(Ok(seconds)) =
        bar.strip_prefix("< ").and_then(|bar| bar.strip_suffix(" s")).map(str::parse)
    {
        return Some(format!("under {}", format::time(seconds)));
    }
    Some(bar.replace("<=", "at most").replace(">=", "at least"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn record() -> Value {
        json!({"run": [
            {"measured": "trip", "ours": 15e-6, "other": 10e-6, "unit": "s", "ratio": 1.5,
                "bar": "<= 1.2", "holds": false},
            {"measured": "memory", "ours": 2097152.0, "other": 2097152.0, "unit": "bytes",
                "ratio": 1.0, "bar": "<= 1.1", "holds": true},
            {"measured": "death", "ours": 0.001, "other": null, "unit": "s", "ratio": null,
                "bar": "< 0.003 s", "holds": true},
            {"measured": "start", "ours": 0.001, "other": 0.001, "unit": "s", "ratio": 1.0,
                "bar": null, "holds": null}]})
    }

    #[test]
    fn bars_that_hold_and_bars_that_do_not_stand_in_one_table() {
        let table = bench(&record()).unwrap();
        assert!(
            table.contains("| trip | 15.0\u{a0}µs | 10.0\u{a0}µs | 1.50 | at most 1.2 | **no** |")
        );
        assert!(
            table.contains("| memory | 2.00\u{a0}MiB | 2.00\u{a0}MiB | 1.00 | at most 1.1 | yes |")
        );
        assert!(
            table.contains("| death | 1.00\u{a0}ms | – | – | under 3.00\u{a0}ms | yes |"),
            "{table}"
        );
        assert!(table.contains("| start | 1.00\u{a0}ms | 1.00\u{a0}ms | 1.00 | – | – |"));
        assert!(bench(&json!({})).is_err());
    }

    #[test]
    fn what_does_not_hold_is_said() {
        let mut record = record();
        let text = missed(&record).unwrap();
        assert_eq!(
            text,
            "Of 3 bars 2 hold. These do not: “trip” (1.50, where at most 1.2 is wanted)."
        );
        record["run"][0]["holds"] = json!(true);
        assert_eq!(missed(&record).unwrap(), "All 3 bars hold.");
        record["run"][0]["holds"] = Value::Null;
        assert!(missed(&record).unwrap().contains("These were not measured: “trip”."));
    }

    #[test]
    fn each_fault_has_a_row() {
        let mut record = json!({"run": [{"fault": "a panic", "said": "it panicked", "ran": "yes",
            "worker": "lives", "next": true}]});
        let row = "| a panic | it panicked | yes | lives | answered |";
        assert!(faults(&record).unwrap().ends_with(row));
        record["run"][0]["next"] = json!(false);
        assert!(faults(&record).unwrap().ends_with("| not answered |"));
        record["run"][0].as_object_mut().unwrap().remove("ran");
        assert_eq!(faults(&record).unwrap_err(), "a fault has no ran");
    }
}
