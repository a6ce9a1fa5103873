//! The contract of the exercises: the unsolved file compiles and fails its check in words, the
//! solution passes, and every wrong answer that somebody thought of is refused.

use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

/// The exercises: number and folder.
const EXERCISES: &[(u32, &str)] = &[
    (1, "lessons/01-serial/exercise"),
    (2, "lessons/02-threads/exercise"),
    (3, "lessons/03-thread-pool/exercise"),
    (4, "lessons/04-processes/exercise"),
    (5, "lessons/05-work-stealing/exercise"),
    (6, "lessons/06-interpreter-lock/exercise"),
    (7, "lessons/07-leverage/exercise"),
    (8, "lessons/08-escape-hatch/exercise"),
];

/// The exercises that can be checked on this system: the fourth needs Linux, as its lesson does.
fn here() -> impl Iterator<Item = u32> {
    let numbers = EXERCISES.iter().map(|&(number, _)| number);
    numbers.filter(|&number| number != 4 || cfg!(target_os = "linux"))
}

/// The wrong answers, and the sentence on which each must fail.
const WRONG: &[(&str, &str)] = &[
    ("1-no-limit", "few workers are limited by their number"),
    ("1-whole-numbers", "many workers are limited by the longest item"),
    ("2-a-thread-an-item", "there are no more threads than workers"),
    ("2-chunks", "a free worker takes the next item"),
    ("2-order-lost", "the answers"), // by luck already the first sentence about order
    ("2-serial", "two items are in progress at once on two workers"),
    ("2-twice", "each item is run once"),
    ("3-impatient", "a slow answer is waited for"),
    ("3-serial", "two jobs are in progress at once"),
    ("3-take", "a job that panics leaves None in its place, and map comes back"),
    ("4-later-ones-only", "each of three workers has one socket open, its own"),
    ("4-serial", "a worker is killed, and its item alone is lost"),
    ("5-order-lost", "the answers are in the order of the items"),
    ("5-serial", "two items are in progress at once on a pool of two workers"),
    ("5-shortest-first", "on one worker the items run from the longest to the shortest"),
    ("5-unsorted", "on one worker the items run from the longest to the shortest"),
    ("6-always", "a native that needs the lock is inside alone"),
    ("6-never", "two natives that block are in progress at once"),
    ("6-not-again", "after a native that blocks, the lock is held again"),
    ("7-panics", "a file that is not there is an error that names it"),
    ("7-remainder-lost", "every line end is counted once, in one piece and in many"),
    ("7-serial", "a large file is cut into as many items as pieces"),
    ("7-whole-blocks", "few bytes cross, there and back"),
    ("8-always", "for an empty list it does not let go"),
    ("8-each-item", "it lets go once, and not once for each item"),
    ("8-holds", "another thread has the lock while the work goes on"),
    ("8-keeps-borrowed", "the list may change meanwhile: what counts is what was in it"),
    ("8-reads-late", "the list may change meanwhile: what counts is what was in it"),
];

fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        root.canonicalize().expect("the workspace is there")
    })
}

fn cargo(subcommand: &str) -> Command {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.arg(subcommand).arg("--quiet").current_dir(root()).stdin(Stdio::null());
    for (number, _) in EXERCISES {
        cargo.args(["--package", &format!("exercise-{number}")]);
    }
    cargo
}

/// Every program of the exercises' packages, built once, by name.
fn programs() -> &'static BTreeMap<String, PathBuf> {
    static PROGRAMS: OnceLock<BTreeMap<String, PathBuf>> = OnceLock::new();
    PROGRAMS.get_or_init(|| {
        let mut cargo = cargo("build");
        cargo.args(["--bins", "--examples", "--message-format", "json-render-diagnostics"]);
        let output = cargo.output().expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the exercises do not build:\n{said}");
        assert!(!said.contains("warning:"), "the exercises build with warnings:\n{said}");
        let messages = String::from_utf8_lossy(&output.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        messages
            .filter_map(|message| {
                let program = PathBuf::from(message["executable"].as_str()?);
                Some((message["target"]["name"].as_str()?.to_owned(), program))
            })
            .collect()
    })
}

/// How a check ended, and what it said.
struct Verdict {
    status: Option<i32>,
    said: String,
    complained: String,
}

/// Runs a check. It must end by itself, far within this limit.
fn verdict(name: &str) -> Verdict {
    let program = programs().get(name).unwrap_or_else(|| panic!("{name} is not built"));
    let mut child = Command::new(program)
        .current_dir(root())
        .env("RUST_BACKTRACE", "1") // and still no backtrace is the reader's first sight
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the check starts");
    let deadline = Instant::now() + Duration::from_secs(120);
    while child.try_wait().expect("the child is ours").is_none() {
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("the check of {name} hangs");
        }
        thread::sleep(Duration::from_millis(10));
    }
    let status = child.wait().expect("the child is ours").code();
    let (mut said, mut complained) = (String::new(), String::new());
    child.stdout.take().expect("piped").read_to_string(&mut said).expect("text");
    child.stderr.take().expect("piped").read_to_string(&mut complained).expect("text");
    Verdict { status, said, complained }
}

/// Runs all these checks at once: most of their time they wait.
fn verdicts(names: impl Iterator<Item = String>) -> Vec<(String, Verdict)> {
    programs();
    thread::scope(|scope| {
        let all: Vec<_> =
            names.map(|name| (name.clone(), scope.spawn(move || verdict(&name)))).collect();
        let join = |(name, verdict): (_, thread::ScopedJoinHandle<'_, _>)| {
            (name, verdict.join().expect("the check ends"))
        };
        all.into_iter().map(join).collect()
    })
}

/// The sentence that did not hold.
fn failed_on(said: &str) -> Option<&str> {
    said.lines().find_map(|line| line.strip_prefix("  not yet    "))
}

/// What a check says when it refuses: a sentence, a reason below it, and what to do next.
fn assert_refused(name: &str, verdict: &Verdict) {
    let Verdict { status, said, complained } = verdict;
    assert_eq!(*status, Some(1), "{name}:\n{said}{complained}");
    assert_eq!(complained, "", "{name} says everything in its own words");
    assert!(failed_on(said).is_some(), "{name} names the sentence:\n{said}");
    let mut lines = said.lines().skip_while(|line| !line.starts_with("  not yet"));
    let reason = lines.nth(1).unwrap_or_default();
    assert!(reason.starts_with("             ") && reason.len() > 20, "{name} says why:\n{said}");
    assert!(said.contains("just hint-"), "{name} offers a hint:\n{said}");
    assert!(!said.contains("panicked at '") && !said.contains("backtrace"), "{name}:\n{said}");
}

#[test]
fn the_unsolved_file_fails_in_words() {
    for (name, verdict) in verdicts(here().map(|number| format!("exercise-{number}"))) {
        assert_ne!(
            verdict.status,
            Some(0),
            "{name} passes. If you have solved it: well done, and this test fails as long as your\n\
             answer stands there, for the repository keeps the exercise unsolved."
        );
        assert_refused(&name, &verdict);
        // Process numbers are the one thing that differs from run to run.
        let said: Vec<String> = verdict.said.lines().map(without_process_number).collect();
        insta::assert_snapshot!(name, said.join("\n"));
    }
}

fn without_process_number(line: &str) -> String {
    match line.split_once("  process ") {
        Some((indent, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{indent}  process <number>{rest}")
        }
        None => line.to_owned(),
    }
}

#[test]
fn the_solution_passes() {
    for (name, verdict) in verdicts(here().map(|number| format!("solution-{number}"))) {
        let Verdict { status, said, complained } = verdict;
        assert_eq!(status, Some(0), "{name}:\n{said}{complained}");
        assert!(said.contains("Passed ") && failed_on(&said).is_none(), "{name}:\n{said}");
        assert_eq!(complained, "", "{name}");
    }
}

#[test]
fn every_wrong_answer_is_refused() {
    let wrong: Vec<_> = WRONG
        .iter()
        .filter(|(name, _)| here().any(|number| name.starts_with(&number.to_string())))
        .collect();
    let names = wrong.iter().map(|(name, _)| format!("wrong-{name}"));
    for ((_, sentence), (name, verdict)) in wrong.iter().zip(verdicts(names)) {
        assert_refused(&name, &verdict);
        let failed = failed_on(&verdict.said).unwrap_or_default();
        assert!(
            failed.starts_with(sentence),
            "{name} fails on another sentence:\n{}",
            verdict.said
        );
    }
}

#[test]
fn every_wrong_answer_is_in_the_list() {
    let folder = fs::read_dir(root().join("tests/kit/wrong")).expect("the folder is there");
    let mut files: Vec<String> = folder
        .map(|entry| entry.expect("the folder can be read").path())
        .map(|path| path.file_stem().expect("a name").to_string_lossy().into_owned())
        .collect();
    files.sort();
    let mut listed: Vec<&str> = WRONG.iter().map(|(name, _)| *name).collect();
    listed.sort();
    assert_eq!(files, listed);
}

/// The functions that the reader writes have the same signatures in the solution.
#[test]
fn the_solution_has_the_same_signatures() {
    for (number, folder) in EXERCISES {
        let read = |name| {
            fs::read_to_string(root().join(folder).join(name)).expect("the file can be read")
        };
        let (exercise, solution) =
            (signatures(&read("exercise.rs")), signatures(&read("solution.rs")));
        assert!(exercise.len() > 1, "exercise {number} has a function and main");
        assert_eq!(exercise, solution, "exercise {number}");
    }
}

/// From each `fn` at the beginning of a line to its opening brace.
fn signatures(source: &str) -> Vec<String> {
    let source = format!("\n{source}");
    let functions = source.split("\nfn ").skip(1);
    functions.map(|rest| rest.split("{\n").next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn everything_is_formatted_and_lint_clean() {
    let there = |tool: &[&str]| {
        let version = Command::new(env!("CARGO")).args(tool).arg("--version").output();
        version.is_ok_and(|output| output.status.success())
    };
    if there(&["fmt"]) {
        let mut fmt = Command::new(env!("CARGO"));
        fmt.arg("fmt").current_dir(root());
        for (number, _) in EXERCISES {
            fmt.args(["--package", &format!("exercise-{number}")]);
        }
        let output = fmt.args(["--", "--check"]).output().expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    }
    if there(&["clippy"]) {
        let output = cargo("clippy").args(["--all-targets", "--", "-D", "warnings"]).output();
        let output = output.expect("cargo starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

fn kit(arguments: &[&str], cargo: &Path) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_kit"))
        .args(arguments)
        .env("CARGO", cargo)
        .env_remove("CLICOLOR_FORCE")
        .stdin(Stdio::null())
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
    assert!(out.starts_with("run --quiet --package exercise-2 --bin exercise-2"), "{out}");
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
