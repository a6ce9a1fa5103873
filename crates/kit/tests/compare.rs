//! What `kit compare` says of two runs. The lesson's output stands in for the lesson here: that the
//! lessons print what their snapshots say is their own tests' business.

use kit::compare::{Record, print};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a lesson might print, with these two measured speed-ups.
fn run(chunks: &str, queue: &str) -> String {
    format!(
        "Lesson 2   threads   Do two threads take half the time?         about 20 minutes\n\
         Machine      2 cores\n\
         Prediction   20.62 million steps, longest item 3.82: at most 2.00x on 2 workers\n\
         Measured                   median  middle half speed-up predicted\n\
         \x20 threads, chunks         30.6 ms  30.3 - 31.0    {chunks}     1.84x\n\
         \x20 threads, a queue        28.5 ms  28.1 - 29.0    {queue}     1.97x  <- one change\n\
         Schedule     one round\n\
         \x20 A  |1===|2==|..\n\
         \x20    0                29.0 ms\n\
         Cost         31.0 µs of pool around 5.61 ms of gcd for each item: 0.6 %\n"
    )
}

/// Lesson 2's facts.
fn lesson() -> curriculum::Lesson {
    curriculum::lessons(&curriculum::root().unwrap()).unwrap().swap_remove(2)
}

fn compared(snapshot: &str, yours: &str, record: Option<&Record>) -> (bool, String) {
    let mut out = anstream::AutoStream::never(Vec::new());
    let equal = print(&lesson(), snapshot, yours, record, &mut out);
    let text = String::from_utf8(out.into_inner()).expect("what is printed is UTF-8");
    (equal.expect("a vector can be written"), text)
}

#[test]
fn equal_lines_and_no_record() {
    let yours = run("1.80x", "1.91x");
    let (equal, text) = compared(&report::mask(&run("1.50x", "1.60x")), &yours, None);
    assert!(equal);
    insta::assert_snapshot!("equal", text);
}

#[test]
fn numbers_side_by_side() {
    let record = Record { machine: "Abacus 3000, 2 cores".into(), text: run("1.83x", "1.96x") };
    let yours = run("1.80x", "1.91x");
    let (equal, text) = compared(&report::mask(&yours), &yours, Some(&record));
    assert!(equal);
    insta::assert_snapshot!("numbers", text);
}

#[test]
fn stable_lines_that_differ() {
    let yours = run("1.80x", "1.91x");
    let snapshot = report::mask(&yours).replace("longest item 3.82", "longest item 4.00");
    let (equal, text) = compared(&snapshot, &yours, None);
    assert!(!equal);
    insta::assert_snapshot!("different", text);
}

#[test]
fn a_row_that_the_record_does_not_have_is_left_out() {
    let record = Record { machine: "Abacus 3000".into(), text: "Lesson 2\n".into() };
    let yours = run("1.80x", "1.91x");
    let (_, text) = compared(&report::mask(&yours), &yours, Some(&record));
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
    let output = Command::new(env!("CARGO_BIN_EXE_kit"))
        .args(["compare", lesson])
        .env("CARGO", cargo)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
        .output()
        .expect("kit starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_command_runs_the_lesson_and_its_status_says_whether_it_is_as_recorded() {
    let root = curriculum::root().unwrap();
    let snapshot = fs::read_to_string(lesson().path(&root).join("tests/snapshots/text.snap"));
    let snapshot = snapshot.expect("lesson 2 has a snapshot");
    let body = snapshot.splitn(3, "---\n").nth(2).expect("an insta snapshot has a head");
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("output"), body).expect("the file can be written");
    let file = folder.path().join("output").display().to_string();

    let (status, out, err) = compare(&stand_in(folder.path(), &format!("cat '{file}'")), "2");
    assert_eq!(status, Some(0), "{out}");
    assert!(out.contains("as in the snapshot"), "{out}");
    assert!(err.starts_with("> cargo lesson 2 "), "what is going on is said: {err}");

    let script = format!("sed 's/2 workers/3 workers/' '{file}'");
    let (status, out, _) = compare(&stand_in(folder.path(), &script), "2");
    assert_eq!(status, Some(1), "{out}");
    assert!(out.lines().any(|line| line.starts_with('+') && line.contains("3 workers")), "{out}");
    assert!(out.lines().any(|line| line.starts_with('-') && line.contains("2 workers")), "{out}");

    let script = "test \"$*\" = 'run --quiet --release --bin 2' || exit 3";
    let (status, ..) = compare(&stand_in(folder.path(), script), "2");
    assert_eq!(status, Some(1), "it is called as expected, and prints nothing");

    let (status, out, err) = compare(&stand_in(folder.path(), "exit 101"), "2");
    assert_eq!((status, out.as_str()), (Some(2), ""));
    let error = err.lines().last().unwrap_or_default();
    assert_eq!(error, "error: lesson 2 did not end well: exit status: 101");
}
