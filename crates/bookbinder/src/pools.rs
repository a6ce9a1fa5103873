//! What pools did when one of their workers was killed: Python's as `records/pools` recorded them,
//! ours as `killed-worker.json` has them.

use crate::{figures, format};
use serde_json::Value;
use std::collections::BTreeMap;

/// What a pool did at the two moments, and with the task after each.
type Outcomes = [[String; 2]; 2];

/// A row for each pool and for each way in which it behaved, with all versions and start methods
/// that behaved so. Ours come first.
///
/// # Errors
/// One line if a record has not the form that its program writes.
pub fn table(ours: &Value, others: &Value) -> Result<String, String> {
    let mut table = String::from(
        "| pool | version | killed in the call | killed half way through its answer |\n\
         |:--|:--|:--|:--|",
    );
    let commit = ours["machine"]["commit"].as_str().ok_or("the record has no machine.commit")?;
    let version = |result: &Value| match result["python"].as_str() {
        Some(python) => python.to_owned(),
        None => format!("commit {commit}"),
    };
    for results in [&ours["run"], &others["results"]] {
        let results = results.as_array().ok_or("the record has no results")?;
        for (pool, versions, outcomes) in rows(results, version)? {
            // The next task is told under the killed one.
            let [call, answer] =
                outcomes.map(|[killed, next]| format!("{killed}<br>next task: {next}"));
            table.push_str(&format!("\n| {pool} | {versions} | {call} | {answer} |"));
        }
    }
    Ok(table)
}

/// Whoever behaved the same shares a row: the pool, its versions and start methods, what it did.
fn rows(
    results: &[Value],
    version: impl Fn(&Value) -> String,
) -> Result<Vec<(String, String, Outcomes)>, String> {
    let mut outcomes: BTreeMap<[String; 3], Outcomes> = BTreeMap::new();
    for result in results {
        let field = |name: &str| {
            let field = result[name].as_str().ok_or(format!("a result has no {name}"))?;
            Ok::<_, String>(field.to_owned())
        };
        let key = [field("version")?, version(result), field("start_method")?];
        let at = match &*field("moment")? {
            "call" => 0,
            "answer" => 1,
            moment => return Err(format!("there is no moment {moment}")),
        };
        outcomes.entry(key).or_default()[at] = [field("outcome")?, field("next_task")?];
    }
    let mut rows: BTreeMap<(String, Outcomes), [Vec<String>; 2]> = BTreeMap::new();
    for ([pool, version, method], outcomes) in outcomes {
        for (list, word) in
            rows.entry((pool, outcomes)).or_default().iter_mut().zip([version, method])
        {
            if !list.contains(&word) {
                list.push(word);
            }
        }
    }
    let row = |((pool, outcomes), [versions, methods]): ((String, Outcomes), [Vec<String>; 2])| {
        let versions = versions.join(", ");
        let language =
            if versions.starts_with(|c: char| c.is_ascii_digit()) { "Python " } else { "" };
        (pool, format!("{language}{versions} ({})", methods.join(", ")), outcomes)
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Two sentences: where, when and from what both were recorded, and how long "for ever" is.
///
/// # Errors
/// One line that names what a record lacks.
pub fn machine(ours: &Value, others: &Value) -> Result<String, String> {
    let field = |value: &Value, name: &str| match &value[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("the record has no {name}")),
    };
    let machine = &others["machine"];
    let limit = others["results"][0]["limit"].as_f64().ok_or("the record has no limit")?;
    if ours["run"][0]["limit"].as_f64() != Some(limit) {
        return Err("ours and the others had not the same limit".into());
    }
    Ok(format!(
        "*Python's pools: recorded on {}: {} cores, Linux {}, {}.* {} *For ever is {} here.*",
        field(machine, "cpu")?,
        field(machine, "cores")?,
        field(machine, "kernel")?,
        field(others, "date")?,
        figures::origin(ours)?.replacen("*Recorded", "*Ours: recorded", 1),
        format::time(limit),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn result(python: Option<&str>, moment: &str, outcome: &str) -> Value {
        json!({"version": "p", "python": python, "start_method": "fork", "moment": moment,
            "limit": 5.0, "outcome": outcome, "next_task": "none"})
    }

    fn ours() -> Value {
        json!({"machine": {"cpu": "C", "cores": 2, "limits": "none", "system": "Linux 6",
            "toolchain": "rustc 1", "commit": "abc", "date": "2026-01-01"},
            "run": [result(None, "call", "error"), result(None, "answer", "error")]})
    }

    #[test]
    fn what_behaves_the_same_shares_a_row() {
        let result = |python, moment, outcome| result(Some(python), moment, outcome);
        let others = json!({"results": [
            result("3.12", "call", "error"), result("3.12", "answer", "waits for ever"),
            result("3.13", "call", "error"), result("3.13", "answer", "waits for ever"),
            result("3.14", "call", "error"), result("3.14", "answer", "error")]});
        let table = table(&ours(), &others).unwrap();
        assert_eq!(table.lines().count(), 5, "{table}");
        assert!(table.contains("| p | commit abc (fork) | error<br>next task: none | error<br>"));
        let together =
            "| p | Python 3.12, 3.13 (fork) | error<br>next task: none | waits for ever<br>";
        assert!(table.contains(together), "{table}");
        assert!(super::table(&ours(), &json!({"results": [{}]})).is_err());
        let other = json!({"results": [result("3.12", "idle", "error")]});
        assert_eq!(super::table(&ours(), &other).unwrap_err(), "there is no moment idle");
    }

    #[test]
    fn the_machines_and_the_limit_are_told() {
        let mut others = json!({"machine": {"cpu": "C", "cores": 2, "kernel": "6.1"},
            "date": "2026-01-01", "results": [{"limit": 5.0}]});
        let told = machine(&ours(), &others).unwrap();
        assert!(
            told.starts_with("*Python's pools: recorded on C: 2 cores, Linux 6.1, 2026-01-01.*")
        );
        assert!(told.contains("*Ours: recorded on C: 2 cores, Linux 6, rustc 1, commit abc"));
        assert!(told.ends_with("*For ever is 5.00\u{a0}s here.*"), "{told}");
        others["results"] = json!([{"limit": 4.0}]);
        assert!(machine(&ours(), &others).unwrap_err().contains("not the same limit"));
        others["results"] = json!([]);
        assert_eq!(machine(&ours(), &others).unwrap_err(), "the record has no limit");
    }
}
