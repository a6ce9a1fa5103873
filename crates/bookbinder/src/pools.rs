//! What other pools did when one of their workers was killed, as recorded by `records/pools`.

use crate::format;
use serde_json::Value;
use std::collections::BTreeMap;

/// A row for each pool and for each way in which it behaved, with all versions of Python and start
/// methods that behaved so.
///
/// # Errors
/// One line if the record has not the form that its script writes.
pub fn table(record: &Value) -> Result<String, String> {
    let results = record["results"].as_array().ok_or("the record has no results")?;
    // Which moment had which outcome, for each pool, Python and start method.
    let mut outcomes: BTreeMap<[&str; 3], BTreeMap<&str, String>> = BTreeMap::new();
    for result in results {
        let field = |name: &str| result[name].as_str().ok_or(format!("a result has no {name}"));
        let key = [field("version")?, field("python")?, field("start_method")?];
        let outcome = format!("{}; then: {}", field("outcome")?, field("next_task")?);
        outcomes.entry(key).or_default().insert(field("moment")?, outcome);
    }
    // Whoever behaved the same shares a row.
    let mut rows: BTreeMap<(&str, [String; 2]), [Vec<&str>; 2]> = BTreeMap::new();
    for ([version, python, method], moments) in outcomes {
        let at = |moment: &str| moments.get(moment).cloned().unwrap_or_default();
        let [pythons, methods] = rows.entry((version, [at("call"), at("answer")])).or_default();
        for (list, word) in [(pythons, python), (methods, method)] {
            if !list.contains(&word) {
                list.push(word);
            }
        }
    }
    let mut table = String::from(
        "| pool | Python | start | killed in the call | killed half way through its answer |\n\
         |:--|:--|:--|:--|:--|",
    );
    for ((version, [call, answer]), [pythons, methods]) in rows {
        let (pythons, methods) = (pythons.join(", "), methods.join(", "));
        table.push_str(&format!("\n| {version} | {pythons} | {methods} | {call} | {answer} |"));
    }
    Ok(table)
}

/// One sentence: where and when it was recorded, and how long "for ever" is.
///
/// # Errors
/// One line that names what the record lacks.
pub fn machine(record: &Value) -> Result<String, String> {
    let field = |value: &Value, name: &str| match &value[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("the record has no {name}")),
    };
    let machine = &record["machine"];
    let limit = record["results"][0]["limit"].as_f64().ok_or("the record has no limit")?;
    Ok(format!(
        "*Recorded on {}: {} cores, Linux {}, {}. For ever is {} here.*",
        field(machine, "cpu")?,
        field(machine, "cores")?,
        field(machine, "kernel")?,
        field(record, "date")?,
        format::time(limit),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_behaves_the_same_shares_a_row() {
        let result = |python: &str, moment: &str, outcome: &str| {
            json!({"version": "p", "python": python, "start_method": "fork", "moment": moment,
                "outcome": outcome, "next_task": "none"})
        };
        let record = json!({"results": [
            result("3.12", "call", "error"), result("3.12", "answer", "waits for ever"),
            result("3.13", "call", "error"), result("3.13", "answer", "waits for ever"),
            result("3.14", "call", "error"), result("3.14", "answer", "error")]});
        let table = table(&record).unwrap();
        assert_eq!(table.lines().count(), 4, "{table}");
        let together = "| p | 3.12, 3.13 | fork | error; then: none | waits for ever; then: none |";
        assert!(table.contains(together), "{table}");
        assert!(super::table(&json!({"results": [{}]})).is_err());
    }

    #[test]
    fn the_machine_and_the_limit_are_told() {
        let mut record = json!({"machine": {"cpu": "C", "cores": 2, "kernel": "6.1"},
            "date": "2026-01-01", "results": [{"limit": 5.0}]});
        let expected =
            "*Recorded on C: 2 cores, Linux 6.1, 2026-01-01. For ever is 5.00\u{a0}s here.*";
        assert_eq!(machine(&record).unwrap(), expected);
        record["results"] = json!([]);
        assert_eq!(machine(&record).unwrap_err(), "the record has no limit");
    }
}
