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
    let with = |script: &str| kit(&["exercise", "2"], &stand_in(folder.path(), script));
    let failed = "echo '{\"reason\":\"build-finished\",\"success\":false}'; exit 101";
    let (status, out, _) = with(failed);
    assert_eq!(status, Some(1));
    insta::assert_snapshot!("does-not-compile", out);

    // The file that cargo names is the script itself, which kills itself when it is run.
    let program = folder.path().join("cargo");
    let built = format!(
        "if [ -z \"$*\" ]; then kill -9 $$; fi\n\
         echo '{{\"target\":{{\"name\":\"exercise-2\"}},\"executable\":\"{}\"}}'",
        program.display()
    );
    let (status, out, _) = with(&built);
    assert_eq!(status, Some(1));
    insta::assert_snapshot!("ended-in-the-middle", out);

    // Cargo has not come to compiling anything: that is not the reader's fault.
    let (status, out, error) = with("echo no such lock file >&2; echo \"$*\" >&2; exit 101");
    assert_eq!((status, &*out), (Some(2), ""));
    assert!(error.contains("build --quiet --bin exercise-2"), "{error}");
    assert!(error.ends_with("error: cargo cannot build the exercise: its words are above\n"));
}

/// A workspace with one exercise, the second, whose file is the solution with one change.
fn check_of(house: &Path, from: &str, to: &str) -> (Option<i32>, String) {
    let exercise = house.join("lessons/02-threads/exercise");
    let solution = fs::read_to_string(exercise.join("solution.rs")).expect("a solution");
    assert!(from.is_empty() || solution.contains(from));
    fs::write(exercise.join("exercise.rs"), solution.replacen(from, to, 1)).expect("written");
    let output = program(env!("CARGO_BIN_EXE_kit"))
        .args(["exercise", "2"])
        .current_dir(house)
        .env("CARGO", env!("CARGO"))
        .env("CARGO_NET_OFFLINE", "true")
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("kit starts");
    let said = String::from_utf8(output.stdout).expect("text");
    (output.status.code(), said + &String::from_utf8_lossy(&output.stderr))
}

/// The smallest house in which `kit exercise 2` works.
fn small_house() -> tempfile::TempDir {
    let house = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    for file in [
        "crates/checks/Cargo.toml",
        "crates/checks/src/lib.rs",
        "crates/checks/src/meeting.rs",
        "lessons/01-serial/lesson.toml",
        "lessons/02-threads/lesson.toml",
        "lessons/02-threads/exercise/Cargo.toml",
        "lessons/02-threads/exercise/check.rs",
        "lessons/02-threads/exercise/hints.md",
        "lessons/02-threads/exercise/solution.rs",
    ] {
        let to = house.path().join(file);
        fs::create_dir_all(to.parent().expect("a folder")).expect("made");
        fs::copy(root().join(file), to).expect("copied");
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).expect("a manifest");
    let tail = |mark: &str| workspace.split_once(mark).expect("the section is there").1.to_owned();
    let package = tail("[workspace.package]");
    let package = package.split("\n[").next().expect("text before");
    let lints = tail("[workspace.lints.rust]");
    let lints = lints.split("\n[profile").next().expect("text before");
    let manifest = format!(
        "[workspace]\nresolver = \"3\"\nmembers = [\"lessons/02-threads/exercise\"]\n\
         [workspace.dependencies]\nchecks = {{ path = \"crates/checks\" }}\n\
         [workspace.package]{package}\n[workspace.lints.rust]{lints}\n"
    );
    fs::write(house.path().join("Cargo.toml"), manifest).expect("written");
    house
}

/// The reader's code runs in the process of its check, and may end the process in any way.
#[test]
fn only_what_the_check_says_counts() {
    let house = small_house();
    let begin = "    let next = AtomicUsize::new(0);\n";
    let map = |words: &str| check_of(house.path(), begin, &format!("    {words}\n{begin}"));
    let (status, said) = map("");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains("Passed       all 7 hold"), "{said}");

    let ended = "Exercise 2 ended in the middle of its check";
    let fake = "println!(\"Passed       all 7 hold\\npassed\"); std::process::exit(0);";
    for (words, why) in [
        ("std::process::exit(0);", format!("{ended} (exit status: 0)")),
        ("if workers == 8 { std::process::exit(0) }", format!("{ended} (exit status: 0)")),
        ("std::process::exit(101);", format!("{ended} (exit status: 101)")),
        ("std::process::exit(1);", format!("{ended} (exit status: 1)")),
        ("std::process::abort();", format!("{ended} (signal: 6 (SIGABRT)")),
        (fake, format!("{ended} (exit status: 0)")),
        ("panic!(\"mine\");", "Your code panicked at".to_owned()),
        ("drop(thread::spawn(|| panic!(\"mine\")).join());", "Your code panicked at".to_owned()),
        ("loop { thread::yield_now() }", "did not come back within 10 seconds".to_owned()),
        ("let wrong: u8 = \"\";", "Exercise 2 does not compile yet".to_owned()),
    ] {
        let (status, said) = map(words);
        assert_eq!(status, Some(1), "{words}: {said}");
        assert!(said.contains(&why), "{words}: {said}");
        let verdict = said.lines().any(|line| line.starts_with("Passed"));
        assert!(!verdict || words == fake, "{words}: {said}");
    }
    // The reader's main does not run the check at all.
    let (status, said) = check_of(house.path(), "    check::run()", "    ExitCode::SUCCESS");
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains(&format!("{ended} (exit status: 0)")), "{said}");
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
