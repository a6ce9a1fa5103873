//! `kit exercise` and `kit hint`. That each exercise keeps its contract is tested in its lesson.

use one_change_tests::surroundings::{anywhere, program};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    curriculum::root().expect("the workspace is there")
}

/// Every exercise's package, as cargo is told of them.
fn packages() -> Vec<String> {
    let lessons = curriculum::lessons(&root()).expect("lessons");
    let with = lessons.iter().filter(|lesson| lesson.has_exercise(&root()));
    let packages: Vec<_> = with.map(|one| format!("--package=exercise-{}", one.number)).collect();
    assert!(packages.len() >= 8, "{packages:?}");
    packages
}

#[test]
fn everything_is_formatted_and_lint_clean() {
    let there = |tool: &[&str]| {
        let version = program(env!("CARGO")).args(tool).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    if there(&["fmt"]) {
        let mut fmt = program(env!("CARGO"));
        fmt.arg("fmt").current_dir(root());
        fmt.args(packages());
        let output = fmt.args(["--", "--check"]).output().expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    if there(&["clippy"]) {
        let output = program(env!("CARGO"))
            .args(["clippy", "--quiet"])
            .args(packages())
            .args(["--all-targets", "--", "-D", "warnings"])
            .current_dir(root())
            .output();
        let output = output.expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn kit(arguments: &[&str], cargo: &Path) -> (Option<i32>, String, String) {
    let output = program(env!("CARGO_BIN_EXE_kit"))
        .args(arguments)
        .env("CARGO", cargo)
        .output()
        .expect("kit starts");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    (output.status.code(), text(output.stdout), text(output.stderr))
}

/// A program that stands in for cargo, and does this.
fn stand_in(folder: &Path, script: &str) -> PathBuf {
    let path = folder.join("cargo");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("the script can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it can be run");
    path
}

#[test]
fn kit_exercise_passes_the_verdict_on() {
    let real = Path::new(env!("CARGO"));
    let (status, out, _) = kit(&["exercise", "1"], real);
    assert_eq!(status, Some(1));
    assert!(out.starts_with("Exercise 1   the bound, by hand\n"), "{out}");
    let (status, out, _) = kit(&["exercise", "1", "--solution"], real);
    assert_eq!(status, Some(0), "{out}");
}

#[test]
fn kit_exercise_says_when_the_file_does_not_compile_or_the_check_is_ended() {
    let folder = tempfile::tempdir().expect("there is room for a folder");
    let (status, out, _) = kit(&["exercise", "2"], &stand_in(folder.path(), "exit 101"));
    assert_eq!(status, Some(1));
    insta::assert_snapshot!("does-not-compile", out);
    let (status, out, _) = kit(&["exercise", "2"], &stand_in(folder.path(), "kill -9 $$"));
    assert_eq!(status, Some(1));
    insta::assert_snapshot!("ended-in-the-middle", out);
    let arguments = stand_in(folder.path(), "echo \"$*\"");
    let (_, out, _) = kit(&["exercise", "2"], &arguments);
    assert!(out.starts_with("run --quiet --bin exercise-2 --package exercise-2"), "{out}");
}

#[test]
fn in_bad_surroundings() {
    anywhere(&["kit_hint", "kit_exercise_says"]);
}

#[test]
fn kit_hint_gives_one_at_a_time() {
    let (status, out, _) = kit(&["hint", "2"], Path::new("cargo"));
    assert_eq!(status, Some(0));
    insta::assert_snapshot!("hint-2", out);
    let (_, first, _) = kit(&["hint", "2", "1"], Path::new("cargo"));
    assert_eq!(out, first);
    let (_, last, _) = kit(&["hint", "2", "3"], Path::new("cargo"));
    insta::assert_snapshot!("hint-2-3", last);
}

#[test]
fn bad_input_gets_one_line_and_status_2() {
    let cases: &[&[&str]] = &[
        &["exercise", "0"],
        &["exercise", "99"],
        &["exercise"],
        &["hint", "0"],
        &["hint", "2", "4"],
        &["hint", "2", "0"],
        &["hint", "2", "-1"],
        &["hint", "x"],
    ];
    let mut all = String::new();
    for arguments in cases {
        let (status, out, err) = kit(arguments, Path::new("cargo"));
        assert_eq!((status, out.as_str()), (Some(2), ""), "{arguments:?}");
        assert_eq!(err.lines().count(), 1, "{arguments:?}: {err}");
        all += &format!("{}\n{err}", arguments.join(" "));
    }
    insta::assert_snapshot!("bad-input", all);
}
