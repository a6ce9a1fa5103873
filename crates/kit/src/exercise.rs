//! Checks the reader's file, and gives hints.
//!
//! An exercise is a package of its own below its lesson, so that checking it builds what it needs
//! and nothing else. Its check speaks for itself; what is added here is what the check cannot say:
//! that the file does not compile, and that the check did not come to its end. Building and running
//! are two steps, and the verdict is what the check wrote (see [`checks`]), so that no exit status
//! of the reader's code is taken for a verdict.

use crate::{Failure, workspace};
use checks::{NOT_YET, PASSED, VERDICT};
use report::Lesson;
use report::words::paragraph;
use serde_json::Value;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// How many hints an exercise has.
pub const HINTS_EACH: usize = 3;

/// How long a check may take. Each sentence has a limit of its own, far below this one; this limit
/// is for code that hangs where no sentence looks, before the check or at the end of the program.
const LIMIT: Duration = Duration::from_secs(120);

/// Builds and runs the check of a lesson's exercise, or of its solution: 0 if it passes, 1 if not.
///
/// # Errors
/// [`Failure::Input`] if the lesson has no exercise, or cargo cannot be run.
pub fn check(lesson: &Lesson, solution: bool, out: &mut impl Write) -> Result<u8, Failure> {
    hints_of(lesson)?;
    let number = lesson.number;
    let root = workspace::root()?;
    let name = if solution { "solution" } else { "exercise" };
    let why = match build(&root, number, &format!("{name}-{number}"))? {
        None => "does not compile yet: the compiler's words are above.".to_owned(),
        Some(program) => match run(&program, &root, LIMIT).map_err(Failure::input)? {
            Verdict::Passed => return Ok(0),
            Verdict::NotYet => return Ok(1),
            Verdict::None(why) => why,
        },
    };
    writeln!(out, "Exercise {number} {why}")?;
    let file = format!("lessons/{}/exercise/{name}.rs", lesson.folder());
    writeln!(out, "Your file is {file}; again: just exercise-{number}")?;
    Ok(1)
}

/// Builds a program of the exercise, and says where it lies; nothing if it does not compile.
fn build(root: &Path, number: u32, program: &str) -> Result<Option<PathBuf>, Failure> {
    let mut cargo = workspace::cargo_with(root, "build", program);
    cargo.args(["--package", &format!("exercise-{number}"), "--color", "always"]);
    cargo.args(["--message-format", "json-render-diagnostics"]);
    let output = machine::output(&mut cargo, &format!("cargo builds exercise {number}"));
    let output = output.map_err(|error| Failure::input(format!("cargo: {error}")))?;
    // Nobody may be there to read it.
    let _ = anstream::stderr().write_all(&output.stderr);
    let messages = String::from_utf8_lossy(&output.stdout);
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let messages: Vec<Value> = messages.collect();
    if !output.status.success() {
        // This message comes only when cargo has begun to compile.
        let begun = messages.iter().any(|message| message["reason"] == "build-finished");
        let why = "cargo cannot build the exercise: its words are above";
        return if begun { Ok(None) } else { Err(Failure::input(why)) };
    }
    let mut programs = messages.iter().filter(|message| message["target"]["name"] == program);
    let path = programs.find_map(|message| message["executable"].as_str());
    let path = path.ok_or_else(|| Failure::input(format!("cargo built no {program}")))?;
    Ok(Some(path.into()))
}

/// How a check ended.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Passed,
    NotYet,
    /// The check did not come to its end, and why.
    None(String),
}

/// Runs a check, which speaks for itself, and reads its verdict.
fn run(program: &Path, root: &Path, limit: Duration) -> io::Result<Verdict> {
    let file = tempfile::NamedTempFile::new()?;
    let mut child = Command::new(program).current_dir(root).env(VERDICT, file.path()).spawn()?;
    let Some(status) = machine::wait(&mut child, None, limit)? else {
        let seconds = limit.as_secs();
        return Ok(Verdict::None(format!(
            "was stopped after {seconds} seconds, in the middle of its check: it waits, or it loops."
        )));
    };
    Ok(match &*fs::read_to_string(file.path())? {
        PASSED if status.success() => Verdict::Passed,
        NOT_YET => Verdict::NotYet,
        _ => Verdict::None(format!(
            "ended in the middle of its check ({status}): does your code end the program?"
        )),
    })
}

/// Prints one of a lesson's hints, counted from 1, and how to get the next.
///
/// # Errors
/// [`Failure::Input`] if the lesson has no exercise.
pub fn hint(lesson: &Lesson, which: usize, out: &mut impl Write) -> Result<(), Failure> {
    let hints = hints_of(lesson)?;
    print_hint(lesson.number, &hints, which, out)?;
    Ok(())
}

fn print_hint(number: u32, hints: &str, which: usize, out: &mut impl Write) -> io::Result<()> {
    paragraph(out, &format!("Hint {which}"), &format!("of {HINTS_EACH}, for exercise {number}"))?;
    // Below the label and not beside it: the text is as wide as a line.
    let is_fence = |line: &&str| line.starts_with("```");
    for line in section(hints, which).lines().filter(|line| !is_fence(line)) {
        writeln!(out, "{}", format!("  {line}").trim_end())?;
    }
    let next = if which < HINTS_EACH {
        format!("just hint-{number} {}, or again: just exercise-{number}", which + 1)
    } else {
        format!("just exercise-{number}; the solution is solution.rs, beside your file")
    };
    paragraph(out, "Next", &next)
}

/// The text below the heading "Hint N", without its empty edges.
fn section(hints: &str, which: usize) -> &str {
    let mut sections = hints.split("\n## Hint ").skip(1);
    let section = sections.nth(which - 1).unwrap_or_default();
    section.split_once('\n').map_or("", |(_, text)| text.trim())
}

/// The text of the exercise's hints, from its folder.
fn hints_of(lesson: &Lesson) -> Result<String, Failure> {
    let root = workspace::root()?;
    if !lesson.has_exercise(&root) {
        let number = lesson.number;
        return Err(Failure::input(format!("lesson {number} has no exercise")));
    }
    let file = lesson.path(&root).join("exercise/hints.md");
    fs::read_to_string(&file)
        .map_err(|error| Failure::input(format!("{}: {error}", file.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_check_without_an_end_is_stopped() {
        let folder = tempfile::tempdir().unwrap();
        let program = folder.path().join("check");
        fs::write(&program, "#!/bin/sh\nexec sleep 600\n").unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
        let verdict = run(&program, folder.path(), Duration::from_secs(1)).unwrap();
        let Verdict::None(why) = verdict else { panic!("{verdict:?}") };
        assert!(why.starts_with("was stopped after 1 seconds"), "{why}");
    }

    #[test]
    fn every_exercise_has_three_hints_that_say_something() {
        let root = workspace::root().unwrap();
        let (with, without): (Vec<_>, Vec<_>) =
            workspace::lessons().unwrap().into_iter().partition(|one| one.has_exercise(&root));
        assert!(with.len() >= 8);
        for lesson in with {
            let hints = hints_of(&lesson).unwrap();
            assert!(hints.starts_with(&format!("# Hints for exercise {}\n", lesson.number)));
            assert_eq!(hints.matches("\n## Hint ").count(), HINTS_EACH, "{}", lesson.name);
            for which in 1..=HINTS_EACH {
                assert!(hints.contains(&format!("\n## Hint {which}\n")));
                assert!(section(&hints, which).len() > 80, "{} {which}", lesson.name);
            }
        }
        for lesson in without {
            assert!(hints_of(&lesson).is_err(), "{}", lesson.name);
        }
    }
}
