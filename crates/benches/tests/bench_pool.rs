//! `bench-pool` as a person runs it: its output, and its answer to bad input. No test checks a
//! time.
#![cfg(target_os = "linux")]

use one_change_tests::surroundings::program;
use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

fn bench_pool() -> Command {
    let mut command = program(env!("CARGO_BIN_EXE_bench-pool"));
    command.env("NO_COLOR", "1");
    command
}

fn quick(arguments: &[&str]) -> Output {
    let quick = ["--quick", "--rounds", "1", "--report-only"];
    bench_pool().args(quick).args(arguments).output().expect("it was built")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// The rows, after a check of the properties that every row has.
fn rows(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("one array");
    let names = ["measured", "ours", "other", "unit", "ratio", "bar", "holds"];
    for row in &rows {
        let row_names: BTreeSet<&str> =
            row.as_object().expect("an object").keys().map(String::as_str).collect();
        assert_eq!(row_names, BTreeSet::from(names));
        assert!(row["ours"].as_f64().is_some_and(|ours| ours > 0.0), "{row}");
        assert!(["s", "bytes"].contains(&row["unit"].as_str().expect("a unit")), "{row}");
        // A ratio needs both figures, and a verdict needs the figures that its bar is about.
        assert_eq!(row["ratio"].is_null(), row["other"].is_null(), "{row}");
        let limit = row["bar"].as_str().is_some_and(|bar| bar.starts_with("< "));
        let known = limit || !(row["ratio"].is_null() || row["bar"].is_null());
        assert_eq!(row["holds"].is_boolean(), known, "{row}");
    }
    let measured = rows.iter().map(|row| row["measured"].as_str().expect("words"));
    assert_eq!(measured.collect::<BTreeSet<_>>().len(), rows.len(), "a name is used twice");
    rows
}

fn is_python(row: &Value) -> bool {
    row["measured"].as_str().is_some_and(|measured| measured.ends_with("/ Python"))
}

/// A fake interpreter that answers every request, so that Python's side is the same on every
/// machine.
fn stand_in(folder: &Path) -> PathBuf {
    let path = folder.join("python");
    let script = r#"#!/bin/sh
while read -r request; do
    case $request in
        hello) echo '{"python": "3.0", "start_method": "hand"}' ;;
        *) echo 0.5 ;;
    esac
done
"#;
    fs::write(&path, script).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it may be run");
    path
}

#[test]
fn without_python_its_rows_are_empty_and_the_others_are_not() {
    let nothing = tempfile::tempdir().expect("a folder");
    let output = |json: &[&str]| {
        let mut command = bench_pool();
        command.args(["--quick", "--rounds", "1"]).args(json).env("PATH", nothing.path());
        command.output().expect("it was built")
    };
    let rows = rows(&output(&["--json", "--report-only"]));
    assert!(rows.iter().filter(|row| is_python(row)).count() >= 5);
    for row in &rows {
        let limit = row["bar"].as_str().is_some_and(|bar| bar.starts_with("< "));
        assert_eq!(row["other"].is_null(), is_python(row) || limit, "{row}");
    }
    // A bar without its Python is not known to hold.
    let output = output(&[]);
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "");
    let table = text(&output.stdout);
    assert!(table.starts_with("measured "), "{table}");
    assert!(table.contains(" bars ") && table.contains("These were not measured: "), "{table}");
    let last = table.lines().last().expect("a line");
    assert!(last.starts_with("Python's side is left out: python3: "), "{table}");
}

#[test]
fn with_python_its_rows_are_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = stand_in(folder.path());
    let python = python.to_str().expect("text");
    let rows = rows(&quick(&["--json", "--python", python]));
    for row in rows.iter().filter(|row| is_python(row)) {
        assert_eq!(row["other"], 0.5, "{row}");
        assert!(row["holds"].is_boolean(), "{row}");
    }
    let record = folder.path().join("record.json");
    let output = quick(&["--python", python, "--record", record.to_str().expect("text")]);
    let table = text(&output.stdout);
    let record: Value =
        serde_json::from_slice(&fs::read(record).expect("it is written")).expect("one value");
    let recorded = record["rows"].as_array().expect("one array");
    for row in recorded {
        let measured = row["measured"].as_str().expect("words");
        assert!(table.contains(measured), "{row}");
        assert!(record["table"].as_str().is_some_and(|text| text.contains(measured)), "{record}");
    }
    assert_eq!(recorded.len(), rows.len());
    assert_eq!(record["python"], "Python 3.0");
    let last = "Python is ProcessPoolExecutor of 3.0, workers started by hand.";
    assert_eq!(table.lines().last(), Some(last), "{table}");
}

/// The status says what the rows say, on any machine and whatever they say.
#[test]
fn the_status_is_that_of_the_bars() {
    let folder = tempfile::tempdir().expect("a folder");
    let python = stand_in(folder.path());
    let mut command = bench_pool();
    command.args(["--quick", "--rounds", "1", "--json", "--python"]).arg(python);
    let output = command.output().expect("it was built");
    let rows: Vec<Value> = serde_json::from_slice(&output.stdout).expect("one array");
    let holds = |row: &Value| row["bar"].is_null() || row["holds"] == true;
    let expected = if rows.iter().all(holds) { 0 } else { 1 };
    assert_eq!(output.status.code(), Some(expected), "{}", text(&output.stdout));
}

/// A reader that closes the output early is no failure, and the bars decide the status all the same.
#[test]
fn an_output_that_is_closed_early_is_no_failure() {
    let mut command = bench_pool();
    command.args(["--quick", "--rounds", "1", "--report-only"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("built");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), ""));
}

/// The script itself, on machines that have an interpreter to run it.
#[test]
fn the_real_python_answers_every_request() {
    if program("python3").arg("--version").output().is_err() {
        println!("skipped: there is no python3");
        return;
    }
    let output = quick(&["--json", "--python", "python3"]);
    assert!(rows(&output).iter().filter(|row| is_python(row)).all(|row| row["holds"].is_boolean()));
}

#[test]
fn bad_input_is_told_in_one_line() {
    for (arguments, words) in [
        (&["--rounds", "0"][..], "a whole number from 1 to 1000 is wanted"),
        (&["--rounds", "many"], "a whole number from 1 to 1000 is wanted"),
        (&["--speed"], "--speed"),
        (&["--quick", "--rounds", "1", "--python", "/nowhere/python"], "/nowhere/python: "),
        (&["--quick", "--rounds", "1", "--python", "/bin/true"], "/bin/true: hello: it has ended"),
    ] {
        let output = bench_pool().args(arguments).output().expect("it was built");
        let told = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {told}");
        assert!(told.starts_with("error: ") && told.contains(words), "{arguments:?}: {told}");
        assert_eq!(told.lines().count(), 1, "{arguments:?}: {told}");
        assert!(output.stdout.is_empty(), "{arguments:?}");
    }
}
