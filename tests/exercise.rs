//! The contract of an exercise: the unsolved file compiles and fails its check in words, the
//! solution passes, and every wrong answer in the folder is refused.

#![allow(missing_docs, reason = "what is public here is for the macro")]

use crate::lesson::{self, Said, snapshot_in};
use crate::surroundings::program;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

/// The tests that every exercise has, as `one_change_tests::exercise!(4);` in its lesson's tests.
#[macro_export]
macro_rules! exercise {
    ($number:literal) => {
        /// The unsolved file, the solution and every wrong answer.
        mod exercise {
            use std::sync::LazyLock;
            use $crate::exercise::Exercise;

            static BUILT: LazyLock<Exercise> =
                LazyLock::new(|| Exercise::build(env!("CARGO_MANIFEST_DIR"), $number));

            #[test]
            fn the_unsolved_file_fails_in_words() {
                BUILT.unsolved();
            }

            #[test]
            fn the_solution_passes() {
                BUILT.solved();
            }

            #[test]
            fn the_solution_has_the_same_signatures() {
                $crate::exercise::same_signatures(env!("CARGO_MANIFEST_DIR"));
            }

            #[test]
            fn every_wrong_answer_is_refused() {
                BUILT.wrong();
            }
        }
    };
}

/// An exercise, built.
pub struct Exercise {
    /// The lesson's folder.
    folder: &'static str,
    number: u32,
    /// Every program of its package, by name.
    programs: BTreeMap<String, PathBuf>,
}

impl Exercise {
    /// Builds the exercise of the lesson in this folder. `cargo test` leaves this package out, so
    /// that a reader's file that does not compile stops only the exercise.
    pub fn build(folder: &'static str, number: u32) -> Self {
        let mut cargo = program(env!("CARGO"));
        cargo.args(["build", "--quiet", "--bins", "--examples", "--package"]);
        cargo.arg(format!("exercise-{number}"));
        cargo.args(["--message-format", "json-render-diagnostics"]);
        let output = cargo.current_dir(folder).output().expect("cargo starts");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "the exercise does not build:\n{said}");
        assert!(!said.contains("warning:"), "the exercise builds with warnings:\n{said}");
        let messages = String::from_utf8_lossy(&output.stdout);
        let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let programs = messages
            .filter_map(|message| {
                let program = PathBuf::from(message["executable"].as_str()?);
                Some((message["target"]["name"].as_str()?.to_owned(), program))
            })
            .collect();
        Self { folder, number, programs }
    }

    /// The unsolved file fails its check, and the check says what to do next.
    pub fn unsolved(&self) {
        let name = format!("exercise-{}", self.number);
        let verdict = self.verdict(&name);
        assert_ne!(
            verdict.status,
            Some(0),
            "{name} passes. If you have solved it: well done, and this test fails as long as your\n\
             answer stands there, for the repository keeps the exercise unsolved."
        );
        assert_refused(&name, &verdict);
        // Only process ids differ from run to run.
        let said: Vec<String> = verdict.said.lines().map(without_process_number).collect();
        snapshot_in(self.folder, "exercise", &said.join("\n"));
    }

    /// The solution passes the same check.
    pub fn solved(&self) {
        let name = format!("solution-{}", self.number);
        let Verdict { status, said, complained } = self.verdict(&name);
        assert_eq!(status, Some(0), "{name}:\n{said}{complained}");
        assert!(said.contains("Passed ") && failed_on(&said).is_none(), "{name}:\n{said}");
        assert_eq!(complained, "", "{name}");
    }

    /// Each wrong answer is refused on the sentence at the head of its file. The wrong answers run
    /// at the same time, because they mostly wait.
    pub fn wrong(&self) {
        let examples = Path::new(self.folder).join("exercise/examples");
        let files = fs::read_dir(examples).expect("an exercise has wrong answers");
        let files: Vec<PathBuf> = files.map(|entry| entry.expect("an entry").path()).collect();
        assert!(files.len() >= 2, "think of two wrong answers or more");
        thread::scope(|scope| {
            for file in &files {
                scope.spawn(move || {
                    let name = file.file_stem().expect("a name").to_string_lossy();
                    let text = fs::read_to_string(file).expect("text");
                    let sentence =
                        text.lines().find_map(|line| line.strip_prefix("//! Refused on: "));
                    let sentence = sentence.unwrap_or_else(|| panic!("{name} says no sentence"));
                    let verdict = self.verdict(&name);
                    assert_refused(&name, &verdict);
                    let failed = failed_on(&verdict.said).unwrap_or_default();
                    let said = &verdict.said;
                    assert!(failed.starts_with(sentence), "{name} fails on another one:\n{said}");
                });
            }
        });
    }

    /// Runs a check. The check must end by itself, far within this limit.
    fn verdict(&self, name: &str) -> Verdict {
        let path = self.programs.get(name).unwrap_or_else(|| panic!("{name} is not built"));
        // With a backtrace asked for: the reader must see none all the same.
        let mut check = program(path);
        let check = check.current_dir(self.folder).env("RUST_BACKTRACE", "1");
        let Said { stdout, stderr, status } = lesson::run(check);
        Verdict { status, said: stdout, complained: stderr }
    }
}

/// A check's exit status, and its output.
struct Verdict {
    status: Option<i32>,
    said: String,
    complained: String,
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

fn without_process_number(line: &str) -> String {
    match line.split_once("  process ") {
        Some((indent, rest)) => {
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            format!("{indent}  process <number>{rest}")
        }
        None => line.to_owned(),
    }
}

/// Asserts that the functions that the reader writes have the same signatures in the solution.
pub fn same_signatures(folder: &str) {
    let read = |name| fs::read_to_string(Path::new(folder).join("exercise").join(name)).unwrap();
    let (exercise, solution) = (signatures(&read("exercise.rs")), signatures(&read("solution.rs")));
    assert!(exercise.len() > 1, "the exercise has a function and main");
    assert_eq!(exercise, solution);
}

/// From each `fn` at the beginning of a line to its opening brace.
fn signatures(source: &str) -> Vec<String> {
    let source = format!("\n{source}");
    let functions = source.split("\nfn ").skip(1);
    functions.map(|rest| rest.split("{\n").next().unwrap_or_default().to_owned()).collect()
}
