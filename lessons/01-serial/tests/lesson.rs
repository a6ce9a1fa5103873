//! Lesson 1 as its reader meets it.

use one_change_tests::lesson::{Said, command, names, said};
use std::fs::{self, File};

one_change_tests::lesson!(1);
one_change_tests::exercise!(1);

#[test]
fn a_guess_above_the_bound_and_a_file_of_one_pair() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("one"), "7 9\n").unwrap();
    let predicted = |arguments: &[&str]| SUBJECT.predicted(folder.path(), arguments);
    SUBJECT.snapshot("predict-above", &predicted(&["8", "--workers", "8"]));
    SUBJECT.snapshot("predict-one-pair", &predicted(&["1", "--pairs", "one"]));
}

/// A drawing that goes where the text goes stands behind the text, and takes nothing's place. One
/// lesson is enough for this and the next test, because `crates/report` writes all lessons' files.
#[cfg(target_os = "linux")]
#[test]
fn a_drawing_on_standard_output_follows_the_text() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all");
    let output = File::create(&file).unwrap();
    let mut command = SUBJECT.command(&["--rounds", "1", "--svg", "/dev/stdout"]);
    assert!(command.stdout(output).status().unwrap().success());
    let all = fs::read_to_string(&file).unwrap();
    let (text, drawing) = all.split_once("<svg").unwrap();
    assert!(text.starts_with("Lesson 1 ") && text.contains("\nNext "), "{text}");
    assert!(drawing.ends_with("</svg>\n"), "{drawing}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_drawing_for_which_there_is_no_room_is_one_line_and_status_1() {
    let Said { stderr, status, .. } = SUBJECT.run(&["--rounds", "1", "--svg", "/dev/full"]);
    let full = "error: /dev/full: the drawing was not written: No space left on device";
    assert!(stderr.starts_with(full) && stderr.lines().count() == 1, "{stderr}");
    assert_eq!(status, Some(1));

    // As on a disk that is full after the first block: no file may be longer.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("drawing.svg");
    fs::write(&file, "what was there before").unwrap();
    let limited = "ulimit -f 1; trap '' XFSZ; exec \"$0\" --rounds 1 --svg \"$1\"";
    let words = ["-c", limited, SUBJECT.program, file.to_str().unwrap()];
    let Said { stderr, status, .. } = said(command("/bin/sh", &words).output().unwrap());
    assert!(stderr.contains("drawing.svg: the drawing was not written: "), "{stderr}");
    assert_eq!((stderr.lines().count(), status), (1, Some(1)), "{stderr}");
    assert_eq!(fs::read_to_string(&file).unwrap(), "what was there before");
    assert_eq!(names(folder.path()), ["drawing.svg"], "and no temporary file is left");
}

/// Bad input to a prediction. One lesson is enough, because `crates/predict` reads the command line
/// for all lessons.
#[test]
fn what_cannot_be_predicted_gets_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    let (most, less) = (u64::MAX, u64::MAX - 1);
    write("zero", "1 2\n0 3\n");
    write("fine", &format!("{most} 1\n"));
    write("huge", &format!("{most} {less}\n").repeat(2));
    let cases: &[&[&str]] = &[
        &["fast"],
        &["0"],
        &["-1.9"],
        &["inf"],
        &["1,9"],
        &["1.9", "2.0"],
        &["--workers", "0"],
        &["--workers", "x"],
        &["--workers", "-1"],
        &["--workers", "1.5"],
        &["--workers", "1025"],
        &["--workers"],
        &["--pairs", "none"],
        &["--pairs", "."],
        &["--pairs", "zero"],
        &["--pairs", "huge"],
        &["--fast"],
    ];
    let mut all = String::new();
    for arguments in cases {
        let said = SUBJECT.predicted(folder.path(), arguments);
        let (out, rest) = said.split_once("\n--- stderr\n").expect("the marker is there");
        assert_eq!(out, "", "{arguments:?} prints nothing to standard output");
        assert_eq!(rest.lines().count(), 2, "{arguments:?} gets one line: {rest}");
        assert!(rest.starts_with("error: "), "{arguments:?}: {rest}");
        assert!(rest.ends_with("--- exit status: 2\n"), "{arguments:?}: {rest}");
        let line = rest.lines().next().unwrap_or("");
        all += &format!("predict 1 {}\n{line}\n", arguments.join(" "));
    }
    SUBJECT.snapshot("predict-bad-input", &all);
    // The largest numbers are accepted, if their steps are few.
    let fine = SUBJECT.predicted(folder.path(), &["--pairs", "fine"]);
    assert!(fine.ends_with("exit status: 0\n"), "{fine}");
}
