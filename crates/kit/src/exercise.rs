//! Checks the reader's file, and gives hints.
//!
//! An exercise is a package of its own below its lesson, so that checking it builds what it needs
//! and nothing else. Its check speaks for itself; what is added here is what the check cannot say,
//! since it does not run: that the file does not compile.

use crate::{Failure, workspace};
use report::Lesson;
use report::words::paragraph;
use std::fs;
use std::io::{self, Write};

/// How many hints an exercise has.
pub const HINTS_EACH: usize = 3;

/// Builds and runs the check of a lesson's exercise, or of its solution: 0 if it passes, 1 if not.
///
/// # Errors
/// [`Failure::Input`] if the lesson has no exercise, or cargo cannot be run.
pub fn check(lesson: &Lesson, solution: bool, out: &mut impl Write) -> Result<u8, Failure> {
    hints_of(lesson)?;
    let number = lesson.number;
    let root = workspace::root()?;
    let program = if solution { "solution" } else { "exercise" };
    let mut cargo = workspace::cargo_run(&root, &format!("{program}-{number}"));
    cargo.args(["--package", &format!("exercise-{number}")]);
    out.flush()?;
    let status = cargo.status().map_err(|error| Failure::input(format!("cargo: {error}")))?;
    match status.code() {
        Some(0) => Ok(0),
        Some(1) => Ok(1),
        // Cargo's own status: it has not come to running anything.
        Some(101) => {
            let file = format!("lessons/{}/exercise/{program}.rs", lesson.folder());
            writeln!(
                out,
                "Exercise {number} does not compile yet: the compiler's words are above."
            )?;
            writeln!(out, "Your file is {file}; again: just exercise-{number}")?;
            Ok(1)
        }
        _ => {
            writeln!(out, "Exercise {number} ended in the middle of its check: {status}.")?;
            Ok(1)
        }
    }
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
