//! Lesson 6 as its reader meets it, with Python beside it and without.

use one_change_tests::lesson::{Said, fits, run};
use one_change_tests::mask::mask;
use report::mask_json;
use serde_json::{Value, json};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

// A round of this lesson takes seconds, so only these of the common tests run here: the other tests
// run the ten pairs many times over.
one_change_tests::lesson!(6: words_fit_their_places, recorded, help, bad_input, a_thousand_pairs, long_pairs, predict_asks,
    predict_answers, predict_gives_nothing_away);
one_change_tests::exercise!(6);

const TEN: [u64; 10] = [1, 1, 5, 1, 32, 1, 14, 9, 1, 9];

/// What `measure.py` prints, with invented times.
fn record(answers: &[u64], free_threaded: bool) -> String {
    let names = ["serial", "threads", "processes", "waits, serial", "waits, threads"];
    let stages = names.map(|name| json!({"name": name, "seconds": 1.5, "low": 1.4, "high": 1.6}));
    json!({
        "python": "3.14.0", "implementation": "CPython", "free_threaded": free_threaded,
        "free_threaded_build": free_threaded, "switch_interval": 0.005, "start_method": "forkserver",
        "workers": 2, "rounds": 3, "wait_ms": 20, "stages": stages, "answers": answers,
    })
    .to_string()
}

/// The lesson beside a fake `python3` that gives this record.
fn beside(record: &str, arguments: &[&str]) -> Command {
    let mut command = SUBJECT.command(arguments);
    let fakes = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes");
    command.env("PATH", fakes).env("FAKE_RECORD", record);
    command
}

fn well(mut command: Command) -> String {
    let Said { stdout, stderr, status } = run(&mut command);
    assert_eq!((stderr.as_str(), status), ("", Some(0)), "{stdout}");
    stdout
}

/// Asserts one line on standard error, and this exit status.
#[track_caller]
fn refuses(mut command: Command, wanted: (&str, i32)) {
    let Said { stderr, status, .. } = run(&mut command);
    let line = stderr.strip_prefix("error: ").and_then(|line| line.strip_suffix('\n'));
    assert_eq!((line, status), (Some(wanted.0), Some(wanted.1)), "{stderr}");
}

/// A folder with a file of two pairs.
fn two_pairs() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs");
    fs::write(&file, "12 18\n7 21\n").unwrap();
    let file = file.to_str().unwrap().to_owned();
    (folder, file)
}

#[test]
fn with_python_beside_it() {
    let text = well(beside(&record(&TEN, false), &["--rounds", "1"]));
    fits(&text);
    SUBJECT.snapshot("text", &mask(&text).replace("1 round,", "5 rounds,"));
}

#[test]
fn without_python_it_says_what_is_missing_and_runs() {
    let text = SUBJECT.run_well(&["--rounds", "1"]);
    fits(&text);
    SUBJECT.snapshot("no-python", &mask(&text).replace("1 round,", "5 rounds,"));
}

/// What `just compare-6` holds a run against: beside a Python, and without one.
#[test]
fn the_document() {
    let arguments = ["--json", "--rounds", "1"];
    for (name, text) in [
        ("json", well(beside(&record(&TEN, false), &arguments))),
        ("json-no-python", SUBJECT.run_well(&arguments)),
    ] {
        let document: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(document["answers"], json!(TEN));
        SUBJECT.snapshot(name, &serde_json::to_string_pretty(&mask_json(&document)).unwrap());
    }
}

#[test]
fn a_python_without_the_lock_is_labelled_so() {
    let (_folder, file) = two_pairs();
    let text = well(beside(&record(&[6, 7], true), &["--rounds", "1", "--pairs", &file]));
    fits(&text);
    assert!(text.contains("CPython 3.14.0, free-threaded: no interpreter lock"), "{text}");
    let table = text.split("In Python").nth(1).unwrap();
    let threads = table.lines().find(|line| line.starts_with("  threads ")).unwrap();
    assert!(!threads.ends_with(" 1.00x"), "its threads are predicted to gain: {threads}");
}

#[test]
fn a_python_that_was_asked_for_and_is_none() {
    let asked = |path: &str| SUBJECT.command(&["--python", path]);
    refuses(asked("/nowhere/python"), ("--python /nowhere/python: there is no such program", 2));
    refuses(asked("/bin/echo"), ("--python /bin/echo: this is not a Python that runs", 2));
    let (_folder, silent) = two_pairs();
    fs::write(
        &silent,
        "#!/bin/sh
sleep 600
",
    )
    .unwrap();
    fs::set_permissions(&silent, fs::Permissions::from_mode(0o755)).unwrap();
    let mut ask = asked(&silent);
    ask.env("PATH", "/usr/bin:/bin");
    refuses(ask, (&format!("--python {silent}: it gave no answer within 2 seconds"), 2));
    let fake = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fakes/python3");
    let mut old = asked(fake);
    old.env("FAKE_PYTHON", "one-change 3 6 9 0 1 cpython");
    let line = format!("--python {fake}: Python 3.9 or newer is needed, and this is 3.6");
    refuses(old, (&line, 2));
    let Said { stdout, stderr, status } = SUBJECT.run(&["--python", "/"]);
    assert!(stderr.starts_with("error: --python /: it does not run: "), "{stderr}");
    assert_eq!((stdout.as_str(), status), ("", Some(2)));
}

#[test]
fn a_python_on_the_path_that_is_of_no_use_is_left_out() {
    let (_folder, file) = two_pairs();
    for (says, why) in [
        ("one-change 3 6 9 0 1 cpython", "Python 3.9 or newer is needed, and this is 3.6"),
        ("pyenv: python3: command not found", "this is not a Python that runs"),
    ] {
        let mut command = beside("", &["--rounds", "1", "--pairs", &file]);
        let text = well({
            command.env("FAKE_PYTHON", says);
            command
        });
        let words: Vec<&str> = text.split_whitespace().collect();
        let line = format!("Python left out: the python3 on the PATH: {why};");
        assert!(words.join(" ").contains(&line), "{text}");
    }
}

#[test]
fn a_python_that_fails_ends_the_lesson() {
    let (_folder, file) = two_pairs();
    let arguments = ["--rounds", "1", "--pairs", &file];
    let mut failing = beside("", &arguments);
    failing.env("FAKE_STATUS", "3");
    refuses(failing, ("python3 ended with exit status: 3: ", 1));
    let wrong = beside(&record(&[6, 8], false), &arguments);
    refuses(wrong, ("python3 gives other answers than the kernel", 1));
}

/// Runs the real measure.py, if there is a Python to run it.
#[test]
fn the_real_python() {
    let there = machine::Python::ask("python3").is_ok_and(|python| python.version >= (3, 9, 0));
    if !there {
        println!(
            "NOT TESTED: there is no python3 (3.9 or newer) on the PATH, so measure.py did not run"
        );
        return;
    }
    let (_folder, file) = two_pairs();
    let mut command = SUBJECT.command(&["--rounds", "2", "--pairs", &file, "--json"]);
    command.env("PATH", std::env::var_os("PATH").unwrap());
    let document: Value = serde_json::from_str(&well(command)).unwrap();
    assert_eq!(document["python"]["answers"], json!([6, 7]));
    assert_eq!(document["python"]["rounds"], 2);
    let stages = document["stages"].as_array().unwrap();
    let theirs =
        stages.iter().filter(|stage| stage["name"].as_str().unwrap().ends_with(", In Python"));
    assert_eq!(theirs.count(), 5);
    assert!(document["figures"]["ratio_to_python"].as_f64().unwrap() > 0.0);
}

#[test]
fn programs_of_the_reader_s_own() {
    let (folder, pairs) = two_pairs();
    let write = |name: &str, source: &str| {
        let path = folder.path().join(name);
        fs::write(&path, source).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let run = |program: &str, more: &[&str]| {
        let mut words = vec!["--rounds", "1", "--pairs", &pairs, "--program", program];
        words.extend(more);
        SUBJECT.command(&words)
    };
    let sum = write("sum", "# adds\nfunction sum(a, b)\n    return a + b\n");
    let text = well(run(&sum, &[]));
    assert!(text.contains("\nAnswers      30 28 "), "{text}");
    assert!(!text.contains("Prediction"), "nothing is known of its costs: {text}");

    let one = write("one", "function one(a)\nreturn a\n");
    let syntax = write("syntax", "function f(a, b)\n\nreturn c\n");
    let fails = write("fails", "function f(a, b)\nreturn b / (a - 7)\n");
    let folder = folder.path().display();
    for (program, line) in [
        (&one, format!("{one}: the program takes 1 number(s), and a pair has two")),
        (&syntax, format!("{syntax}:3: no line above gives 'c' a value")),
        (&fails, format!("{fails}:2: item 2: division by zero")),
        (&format!("{folder}/gone"), format!("{folder}/gone: there is no such file")),
        (&format!("{folder}"), format!("{folder}: this is a folder, not a program")),
    ] {
        refuses(run(program, &[]), (&line, 2));
    }
}

#[test]
fn the_instructions() {
    SUBJECT.snapshot("disassemble", &SUBJECT.run_well(&["--disassemble"]));
}
