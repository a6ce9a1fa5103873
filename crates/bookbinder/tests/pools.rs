//! The rows that `book/records/pools/record.py` makes of what Python's pools did.

use bookbinder::House;
use serde_json::{Value, json};
use std::fs;
use std::process::Command;

/// The record with its text made again, or what `record.py` says is wrong with it. None without a
/// Python.
fn remade(record: &Value) -> Option<Result<Value, String>> {
    let folder = tempfile::tempdir().unwrap();
    let [script, numbers] = ["record.py", "pools.json"].map(|file| folder.path().join(file));
    fs::copy(House::here().records().join("pools/record.py"), &script).unwrap();
    fs::write(&numbers, record.to_string()).unwrap();
    let Ok(output) = Command::new("python3").arg(script).output() else {
        println!("NOT TESTED: there is no python3 on the PATH, so record.py did not run");
        return None;
    };
    if !output.status.success() {
        return Some(Err(String::from_utf8_lossy(&output.stderr).into_owned()));
    }
    Some(Ok(serde_json::from_str(&fs::read_to_string(numbers).unwrap()).unwrap()))
}

#[test]
fn the_record_s_rows_are_what_its_results_make() {
    let recorded = fs::read_to_string(House::here().records().join("pools/pools.json")).unwrap();
    let recorded: Value = serde_json::from_str(&recorded).unwrap();
    let mut bare = recorded.clone();
    bare.as_object_mut().unwrap().remove("text");
    let Some(remade) = remade(&bare) else { return };
    assert_eq!(remade.unwrap(), recorded);
}

#[test]
fn what_behaves_the_same_shares_a_row() {
    let record = |moments: [&str; 2]| {
        let result = |python, moment, outcome| {
            json!({"version": "p", "python": python, "start_method": "fork", "moment": moment,
                "limit": 5.0, "outcome": outcome, "next_task": "none"})
        };
        let run: Vec<Value> =
            [("3.12", "waits for ever"), ("3.13", "waits for ever"), ("3.14", "error")]
                .into_iter()
                .flat_map(|(python, late)| {
                    [result(python, moments[0], "error"), result(python, moments[1], late)]
                })
                .collect();
        json!({"machine": {"cpu": "C", "cores": 2, "kernel": "6.1"}, "date": "2026-01-01",
            "run": run})
    };
    let Some(remade_record) = remade(&record(["call", "answer"])) else { return };
    let text = &remade_record.unwrap()["text"];
    let rows = text["rows"].as_str().unwrap();
    assert_eq!(rows.lines().count(), 2, "{rows}");
    let together = "| p | Python 3.12, 3.13 (fork) | error<br>next task: none | waits for ever<br>";
    assert!(rows.contains(together), "{rows}");
    assert_eq!(text["machine"], "*Recorded on C: 2 cores, Linux 6.1, 2026-01-01.*");
    let other = remade(&record(["call", "idle"])).unwrap();
    assert!(other.unwrap_err().contains("KeyError: 'answer'"));
}
