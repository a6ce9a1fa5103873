//! What `kit compare` says of two runs. The lesson's document stands in for the lesson here: that
//! the lessons print what their snapshots say is their own tests' business.

use kit::compare::print;
use one_change_tests::surroundings::program;
use report::mask_json;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// A lesson's document, with these two measured speed-ups.
fn run(chunks: f64, queue: f64) -> Value {
    let row = |name: &str, seconds: f64, speedup: f64, predicted: f64| {
        json!({"name": name, "policy": null, "seconds": seconds, "low": seconds, "high": seconds,
               "speedup": speedup, "predicted_speedup": predicted, "spans": []})
    };
    json!({
        "lesson": 2, "kernel": "gcd", "workers": 2, "items": 10,
        "prediction": {"steps": 20_620_754, "longest": 3_823_804, "bound": 2.0},
        "stages": [row("threads, chunks", 0.0306, chunks, 1.84), row("threads, a queue", 0.0285, queue, 1.97)],
        "figures": {"one_step_item": 3.1e-5},
        "answers": [1, 1, 5],
    })
}

/// A record of such a run.
fn record(cpu: &str, run: Value) -> Value {
    json!({"machine": {"cpu": cpu, "cores": 2}, "run": run})
}

/// Lesson 2's facts.
fn lesson() -> curriculum::Lesson {
    curriculum::lessons(&curriculum::root().unwrap()).unwrap().swap_remove(2)
}

fn compared(snapshot: &Value, yours: &Value, record: Option<&Value>) -> (bool, String) {
    let mut out = anstream::AutoStream::never(Vec::new());
    let equal = print(&lesson(), snapshot, yours, record, &mut out);
    let text = String::from_utf8(out.into_inner()).expect("what is printed is UTF-8");
    (equal.expect("a vector can be written"), text)
}

#[test]
fn equal_documents_and_no_record() {
    let (equal, text) = compared(&mask_json(&run(1.5, 1.6)), &run(1.8, 1.91), None);
    assert!(equal);
    insta::assert_snapshot!("equal", text);
}

#[test]
fn numbers_side_by_side() {
    let (yours, record) = (run(1.8, 1.91), record("Abacus 3000", run(1.83, 1.96)));
    let (equal, text) = compared(&mask_json(&yours), &yours, Some(&record));
    assert!(equal);
    insta::assert_snapshot!("numbers", text);
}

#[test]
fn stable_parts_that_differ() {
    let yours = run(1.8, 1.91);
    let mut snapshot = mask_json(&yours);
    snapshot["prediction"]["longest"] = 4_000_000.into();
    let (equal, text) = compared(&snapshot, &yours, None);
    assert!(!equal);
    insta::assert_snapshot!("different", text);
}

#[test]
fn a_row_that_the_record_does_not_have_is_left_out() {
    let yours = run(1.8, 1.91);
    let record = record("Abacus 3000", json!({"stages": []}));
    let (_, text) = compared(&mask_json(&yours), &yours, Some(&record));
    assert!(!text.contains("yours"), "{text}");
}

/// A program that stands in for cargo, and does this.
fn stand_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("cargo");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the script can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    path
}

fn compare(cargo: &Path, lesson: &str) -> (Option<i32>, String, String) {
    let output = program(env!("CARGO_BIN_EXE_kit"))
        .args(["compare", lesson])
        .env("CARGO", cargo)
        .output()
        .expect("kit starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_runs_the_lesson_and_its_status_says_whether_it_is_as_recorded() {
    let root = curriculum::root().unwrap();
    let snapshot = fs::read_to_string(lesson().path(&root).join("tests/snapshots/json.snap"));
    let snapshot = snapshot.expect("lesson 2 has a snapshot");
    let body = snapshot.splitn(3, "---\n").nth(2).expect("an insta snapshot has a head");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("output"), body).expect("the file can be written");
    let file = folder.path().join("output").display().to_string();

    let (status, out, err) = compare(&stand_in(folder.path(), &format!("cat '{file}'")), "2");
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains("as in the snapshot"), "{out}");
    assert!(err.starts_with("> cargo lesson 2 "), "what is going on is said: {err}");

    let script = format!("sed 's/\"workers\": 2/\"workers\": 3/' '{file}'");
    let (status, out, _) = compare(&stand_in(folder.path(), &script), "2");
    assert_eq!(status, Some(1), "{out}");
    let differs = |sign: char, workers: &str| {
        out.lines().any(|line| line.starts_with(sign) && line.contains(workers))
    };
    assert!(differs('+', "\"workers\": 3") && differs('-', "\"workers\": 2"), "{out}");

    let script = "test \"$*\" = 'run --quiet --release --bin 2 -- --json' || exit 3; echo '{}'";
    let (status, ..) = compare(&stand_in(folder.path(), script), "2");
    assert_eq!(status, Some(1), "it is called as expected, and prints an empty document");

    for (script, why) in [
        ("exit 101", "error: lesson 2 did not end well: exit status: 101"),
        ("echo words", "error: lesson 2 printed no document: "),
    ] {
        let (status, out, err) = compare(&stand_in(folder.path(), script), "2");
        assert_eq!((status, out.as_str()), (Some(2), ""));
        let error = err.lines().last().unwrap_or_default();
        assert!(error.starts_with(why), "{error}");
    }
}
