//! How pools behaved when one of their workers was killed, as the book shows it: our pools, and
//! Python's pools from the records in `book/records/pools`.

use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The behaviour of a pool at the two moments, and with the next task after each.
type Outcomes = [[String; 2]; 2];

/// The content of the book's record: our results, the table of all pools, and a sentence about
/// Python's record.
///
/// # Errors
/// One line if a result does not have the form that its program writes, or if the two sides had
/// different limits.
pub fn record(ours: &Value, others: &Value) -> Result<Value, String> {
    let machine = &others["machine"];
    let field = |value: &Value, name: &str| match &value[name] {
        Value::String(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        _ => Err(format!("the record has no {name}")),
    };
    let limit = others["results"][0]["limit"].as_f64().ok_or("the record has no limit")?;
    if ours[0]["limit"].as_f64() != Some(limit) {
        return Err("ours and the others had not the same limit".into());
    }
    let python = format!(
        "recorded on {}: {} cores, Linux {}, {}",
        field(machine, "cpu")?,
        field(machine, "cores")?,
        field(machine, "kernel")?,
        field(others, "date")?
    );
    Ok(json!({"results": ours, "table": table(ours, others)?, "python": python}))
}

/// A row for each pool and for each of its behaviours, with all versions and start methods that
/// behaved in this way. Our pools come first.
fn table(ours: &Value, others: &Value) -> Result<String, String> {
    let mut table = String::from(
        "| pool | version | killed in the call | killed half way through its answer |\n\
         |:--|:--|:--|:--|",
    );
    for results in [ours, &others["results"]] {
        let results = results.as_array().ok_or("the record has no results")?;
        for (pool, versions, outcomes) in rows(results)? {
            // The next task stands under the killed task.
            let [call, answer] =
                outcomes.map(|[killed, next]| format!("{killed}<br>next task: {next}"));
            table += &format!("\n| {pool} | {versions} | {call} | {answer} |");
        }
    }
    Ok(table)
}

/// Equal results share a row: the pool, its versions and start methods, and its behaviour.
fn rows(results: &[Value]) -> Result<Vec<(String, String, Outcomes)>, String> {
    let mut outcomes: BTreeMap<[String; 3], Outcomes> = BTreeMap::new();
    for result in results {
        let field = |name: &str| {
            let field = result[name].as_str().ok_or(format!("a result has no {name}"))?;
            Ok::<_, String>(field.to_owned())
        };
        let version = result["python"].as_str().map_or("of the commit below", |python| python);
        let key = [field("version")?, version.to_owned(), field("start_method")?];
        let at = match &*field("moment")? {
            "call" => 0,
            "answer" => 1,
            moment => return Err(format!("there is no moment {moment}")),
        };
        outcomes.entry(key).or_default()[at] = [field("outcome")?, field("next_task")?];
    }
    let mut rows: BTreeMap<(String, Outcomes), [Vec<String>; 2]> = BTreeMap::new();
    for ([pool, version, method], outcomes) in outcomes {
        let lists = rows.entry((pool, outcomes)).or_default();
        for (list, word) in lists.iter_mut().zip([version, method]) {
            if !list.contains(&word) {
                list.push(word);
            }
        }
    }
    let row = |((pool, outcomes), [versions, methods]): ((String, Outcomes), [Vec<String>; 2])| {
        let versions = versions.join(", ");
        let is_python = versions.starts_with(|c: char| c.is_ascii_digit());
        let language = if is_python { "Python " } else { "" };
        (pool, format!("{language}{versions} ({})", methods.join(", ")), outcomes)
    };
    Ok(rows.into_iter().map(row).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn result(python: Option<&str>, moment: &str, outcome: &str) -> Value {
        json!({"version": "p", "python": python, "start_method": "fork", "moment": moment,
            "limit": 5.0, "outcome": outcome, "next_task": "none"})
    }

    fn ours() -> Value {
        json!([result(None, "call", "error"), result(None, "answer", "error")])
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
        let first = "| p | of the commit below (fork) | error<br>next task: none | error<br>";
        assert!(table.contains(first), "{table}");
        let together =
            "| p | Python 3.12, 3.13 (fork) | error<br>next task: none | waits for ever<br>";
        assert!(table.contains(together), "{table}");
        assert!(super::table(&ours(), &json!({"results": [{}]})).is_err());
        let other = json!({"results": [result("3.12", "idle", "error")]});
        assert_eq!(super::table(&ours(), &other).unwrap_err(), "there is no moment idle");
    }

    #[test]
    fn the_machine_and_the_limit_are_told() {
        let mut others = json!({"machine": {"cpu": "C", "cores": 2, "kernel": "6.1"},
            "date": "2026-01-01", "results": [result(Some("3.12"), "call", "error")]});
        let record = |others: &Value| record(&ours(), others);
        let expected = "recorded on C: 2 cores, Linux 6.1, 2026-01-01";
        assert_eq!(record(&others).unwrap()["python"], expected);
        others["results"][0]["limit"] = json!(4.0);
        assert!(record(&others).unwrap_err().contains("not the same limit"));
        others["results"] = json!([]);
        assert_eq!(record(&others).unwrap_err(), "the record has no limit");
    }

    #[test]
    fn the_book_s_record_is_what_is_made_of_its_results() {
        let read = |name: &str| {
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/records/");
            let text = std::fs::read_to_string(format!("{folder}{name}.json")).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let run = &read("killed-worker")["run"];
        assert_eq!(&record(&run["results"], &read("pools/pools")).unwrap(), run);
    }
}
