//! Lesson 8's messages on a machine without a suitable Python. None of these tests needs a Python.
#![cfg(unix)]

use one_change_tests::surroundings::program;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

/// The lesson, with a PATH on which `python3` is a script that prints this text, or is missing.
fn lesson(python3: Option<&str>) -> Command {
    let mut lesson = program(env!("CARGO_BIN_EXE_8"));
    match python3 {
        Some(answer) => {
            let fakes = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes");
            lesson.env("PATH", fakes).env("FAKE_PYTHON", answer)
        }
        None => lesson.env("PATH", "/nowhere"),
    };
    lesson
}

/// The one line of standard error, and the exit status; standard output stays empty.
fn refusal(mut lesson: Command) -> (String, i32) {
    let output = lesson.output().unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.stdout, b"", "{error}");
    let line = error.strip_suffix('\n').unwrap();
    assert!(!line.contains('\n'), "{line}");
    (line.strip_prefix("error: ").unwrap().to_owned(), output.status.code().unwrap())
}

#[track_caller]
fn refuses(python3: Option<&str>, line: &str) {
    assert_eq!(refusal(lesson(python3)), (line.to_owned(), 1));
}

#[test]
fn no_python() {
    refuses(None, "lesson 8 needs CPython 3.11 or newer, and there is no python3 on the PATH");
}

#[test]
fn an_old_python() {
    refuses(
        Some("one-change 3 10 13 0 1 cpython"),
        "lesson 8 needs CPython 3.11 or newer, and the python3 on the PATH is cpython 3.10.13; \
         --python PATH chooses another",
    );
}

#[test]
fn a_python_of_another_make() {
    refuses(
        Some("one-change 3 11 15 0 1 pypy"),
        "lesson 8 needs CPython 3.11 or newer, and the python3 on the PATH is pypy 3.11.15; \
         --python PATH chooses another",
    );
}

#[test]
fn a_free_threaded_build_that_pyo3_refuses() {
    refuses(
        Some("one-change 3 13 5 1 1 cpython"),
        "the python3 on the PATH is cpython 3.13.5, free-threaded, and pyo3 refuses \
         free-threaded builds below 3.14; --python PATH chooses another",
    );
}

#[test]
fn no_venv() {
    refuses(
        Some("a greeting from sitecustomize\none-change 3 12 1 0 0 cpython"),
        "the python3 on the PATH has no venv module (on Debian and Ubuntu: the package \
         python3-venv); --python PATH chooses another",
    );
}

#[test]
fn a_python3_that_does_not_run() {
    // The behaviour of pyenv's stand-in for a version that is not installed.
    refuses(
        Some("pyenv: python3: command not found"),
        "the python3 on the PATH: this is not a Python that runs; --python PATH chooses another",
    );
}

/// A script in a folder that goes with it.
fn script(body: &str) -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("python");
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    let path = path.to_str().unwrap().to_owned();
    (folder, path)
}

#[test]
fn programs_that_give_no_answer() {
    let silent = "it gave no answer within 2 seconds";
    let none = "this is not a Python that runs";
    for (body, why) in [
        ("sleep 600", silent),
        ("yes", silent), // it never ends its output by itself
        ("head -c 20000 /dev/urandom", none),
        ("printf '\\377\\000\\n'", none),
        ("echo one-change 3", none),
        ("exit 0", none),
        ("kill -9 $$", none),
    ] {
        let (folder, path) = script(body);
        let mut asked = lesson(None);
        asked.env("PATH", "/usr/bin:/bin").args(["--python", &path]);
        assert_eq!(refusal(asked), (format!("--python {path}: {why}"), 2), "{body}");
        let mut found = lesson(None);
        fs::rename(&path, folder.path().join("python3")).unwrap();
        found.env("PATH", format!("{}:/usr/bin:/bin", folder.path().display()));
        let line = format!("the python3 on the PATH: {why}; --python PATH chooses another");
        assert_eq!(refusal(found), (line, 1), "{body}");
    }
}

#[test]
fn what_is_asked_for_and_is_no_python() {
    let asked = |words: &[&str]| {
        let mut lesson = lesson(None);
        lesson.args(words);
        refusal(lesson)
    };
    let typed = |line: &str| (line.to_owned(), 2);
    assert_eq!(
        asked(&["--python", "/nowhere/python"]),
        typed("--python /nowhere/python: there is no such program")
    );
    assert_eq!(
        asked(&["--rounds", "1", "--python=/bin/echo"]),
        typed("--python /bin/echo: this is not a Python that runs")
    );
    let (line, status) = asked(&["--python", "/"]);
    assert!(line.starts_with("--python /: it does not run: "), "{line}");
    assert_eq!(status, 2);
    assert_eq!(asked(&["--python"]), typed("--python wants a path"));
}
