//! What `kit predict` prints, for every lesson, with a guess and without, and for bad input.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs `kit predict` with these arguments, and gives its status and both outputs as one text.
fn predict(arguments: &[&str]) -> String {
    predict_in(Path::new("."), arguments)
}

fn predict_in(folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_kit"))
        .arg("predict")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("kit starts");
    format!(
        "{}\n--- stderr\n{}--- {}\n",
        String::from_utf8(output.stdout).expect("standard output is UTF-8"),
        String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        output.status
    )
}

#[test]
fn every_lesson_asks_its_question() {
    for lesson in ["0", "1", "2", "3", "4", "5", "6", "7", "8"] {
        insta::assert_snapshot!(format!("predict-{lesson}"), predict(&[lesson]));
    }
}

#[test]
fn every_lesson_answers_a_guess() {
    for lesson in ["0", "1", "2", "3", "4", "5", "6", "7", "8"] {
        insta::assert_snapshot!(format!("predict-{lesson}--guess"), predict(&[lesson, "1.9"]));
    }
}

#[test]
fn a_guess_may_be_written_with_an_x() {
    assert_eq!(predict(&["2", "1.9x"]), predict(&["2", "1.9"]));
}

#[test]
fn a_guess_above_the_bound_and_one_below_the_loop() {
    insta::assert_snapshot!("predict-1--above", predict(&["1", "8", "--workers", "8"]));
    insta::assert_snapshot!("predict-4--below", predict(&["4", "0.8"]));
}

#[test]
fn one_worker_and_many() {
    insta::assert_snapshot!("predict-2--workers-1", predict(&["2", "1", "--workers", "1"]));
    insta::assert_snapshot!("predict-5--workers-1024", predict(&["5", "4", "--workers", "1024"]));
    insta::assert_snapshot!("predict-3--workers-3", predict(&["3", "--workers", "3"]));
}

#[test]
fn pairs_from_a_file() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let many: String = (1..=1000).map(|n| format!("{} {}\n", 1000 + n, 3 * n)).collect();
    fs::write(folder.path().join("many"), many).expect("the file can be written");
    fs::write(folder.path().join("one"), "7 9\n").expect("the file can be written");
    let question = predict_in(folder.path(), &["2", "--pairs", "many"]);
    insta::assert_snapshot!("predict-2--pairs", question);
    let answer = predict_in(folder.path(), &["2", "1.9", "--pairs", "many"]);
    insta::assert_snapshot!("predict-2--pairs-guess", answer);
    let one = predict_in(folder.path(), &["1", "1", "--pairs", "one"]);
    insta::assert_snapshot!("predict-1--one-pair", one);
}

#[test]
fn bad_input_gets_one_line_and_status_2() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("zero"), "1 2\n0 3\n").expect("the file can be written");
    let huge = format!("{max} 1\n", max = u64::MAX);
    fs::write(folder.path().join("fine"), &huge).expect("the file can be written");
    let huge = format!("{max} {less}\n", max = u64::MAX, less = u64::MAX - 1).repeat(2);
    fs::write(folder.path().join("huge"), huge).expect("the file can be written");
    let cases: &[&[&str]] = &[
        &["99"],
        &["x"],
        &["-1"],
        &["1", "fast"],
        &["1", "0"],
        &["1", "-1.9"],
        &["1", "inf"],
        &["1", "1,9"],
        &["1", "1.9", "2.0"],
        &["1", "--workers", "0"],
        &["1", "--workers", "x"],
        &["1", "--workers", "-1"],
        &["1", "--workers", "1.5"],
        &["1", "--workers", "1025"],
        &["1", "--workers"],
        &["1", "--pairs", "none"],
        &["1", "--pairs", "."],
        &["1", "--pairs", "zero"],
        &["1", "--pairs", "huge"],
        &["1", "--fast"],
        &[],
    ];
    let mut all = String::new();
    for arguments in cases {
        let said = predict_in(folder.path(), arguments);
        let (out, rest) = said.split_once("\n--- stderr\n").expect("the marker is there");
        assert_eq!(out, "", "{arguments:?} prints nothing to standard output");
        assert_eq!(rest.lines().count(), 2, "{arguments:?} gets one line: {rest}");
        assert!(rest.starts_with("error: "), "{arguments:?}: {rest}");
        assert!(rest.ends_with("--- exit status: 2\n"), "{arguments:?}: {rest}");
        all += &format!("predict {}\n{}\n", arguments.join(" "), rest.lines().next().unwrap_or(""));
    }
    insta::assert_snapshot!("predict--bad-input", all);
    // Largest numbers whose steps are few are no trouble.
    assert!(predict_in(folder.path(), &["1", "--pairs", "fine"]).ends_with("exit status: 0\n"));
}

#[test]
fn a_reader_that_stops_reading_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let output = Command::new(env!("CARGO_BIN_EXE_kit"))
        .args(["predict", "2"])
        .stdout(writer)
        .output()
        .expect("kit starts");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
