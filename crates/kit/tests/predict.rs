//! `kit predict` finds the lesson's own program and passes everything on. What a prediction prints
//! is tested in the lessons.

use one_change_tests::surroundings::program;
use std::fs;
use std::path::Path;
use std::process::Output;

fn kit(folder: &Path, arguments: &[&str]) -> Output {
    program(env!("CARGO_BIN_EXE_kit"))
        .arg("predict")
        .args(arguments)
        .current_dir(folder)
        .output()
        .expect("kit starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

#[test]
fn the_lesson_s_program_gets_the_guess_the_options_and_the_folder() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    fs::write(folder.path().join("one"), "7 9\n").expect("the file can be written");
    let output = kit(folder.path(), &["2", "1.9", "--pairs", "one", "--workers", "3"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stdout);
    assert!(
        said.starts_with("Predict 2    threads   Do two threads take half the time?"),
        "{said}"
    );
    assert!(said.contains("Your guess   1.90x") && said.contains("1, 0 and 0 items"), "{said}");
    for arguments in [&["2", "--help"][..], &["--help"]] {
        let help = text(&kit(folder.path(), arguments).stdout);
        assert!(["guess", "--workers N", "--pairs FILE"].iter().all(|word| help.contains(word)));
    }
}

#[test]
fn bad_input_gets_one_line_and_status_2() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let mut all = String::new();
    for arguments in [&["99"][..], &["x"], &["-1"], &[], &["2", "fast"], &["2", "--fast"]] {
        let output = kit(folder.path(), arguments);
        assert_eq!(output.stdout, b"", "{arguments:?} prints nothing to standard output");
        let line = text(&output.stderr);
        assert_eq!((line.lines().count(), output.status.code()), (1, Some(2)), "{line}");
        assert!(line.starts_with("error: "), "{line}");
        all += &format!("predict {}\n{line}", arguments.join(" "));
    }
    insta::assert_snapshot!("predict--bad-input", all);
}

#[test]
fn a_reader_that_stops_reading_ends_it_quietly() {
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    drop(reader);
    let output = program(env!("CARGO_BIN_EXE_kit"))
        .args(["predict", "2"])
        .stdout(writer)
        .output()
        .expect("kit starts");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
