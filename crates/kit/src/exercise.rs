//! Checks the reader's file, and gives hints.
//!
//! An exercise is a package of its own below its lesson, so that checking it builds what it needs
//! and nothing else. Its check speaks for itself; what is added here is what the check cannot say,
//! since it does not run: that the file does not compile.

use crate::words::paragraph;
use crate::{Failure, workspace};
use report::Lesson;
use std::io::{self, Write};

/// The hints of every exercise, with its lesson's number.
const HINTS: &[(u32, &str)] = &[
    (1, include_str!("../../../lessons/01-serial/exercise/hints.md")),
    (2, include_str!("../../../lessons/02-threads/exercise/hints.md")),
    (3, include_str!("../../../lessons/03-thread-pool/exercise/hints.md")),
    (4, include_str!("../../../lessons/04-processes/exercise/hints.md")),
    (5, include_str!("../../../lessons/05-work-stealing/exercise/hints.md")),
    (6, include_str!("../../../lessons/06-interpreter-lock/exercise/hints.md")),
    (7, include_str!("../../../lessons/07-leverage/exercise/hints.md")),
    (8, include_str!("../../../lessons/08-escape-hatch/exercise/hints.md")),
];

/// How many hints an exercise has.
pub const HINTS_EACH: usize = 3;

/// Builds and runs the check of a lesson's exercise, or of its solution: 0 if it passes, 1 if not.
///
/// # Errors
/// [`Failure::Input`] if the lesson has no exercise, or cargo cannot be run.
pub fn check(lesson: Lesson, solution: bool, out: &mut impl Write) -> Result<u8, Failure> {
    hints_of(lesson)?;
    let number = lesson.number;
    let root = workspace::root()?;
    let program = if solution { "solution" } else { "exercise" };
    let mut cargo = workspace::cargo(&root);
    cargo.args(["run", "--quiet", "--package", &format!("exercise-{number}")]);
    cargo.args(["--bin", &format!("{program}-{number}")]);
    // As this program was built, so that what is built already is used again.
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    out.flush()?;
    let status = cargo.status().map_err(|error| Failure::input(format!("cargo: {error}")))?;
    match status.code() {
        Some(0) => Ok(0),
        Some(1) => Ok(1),
        // Cargo's own status: it has not come to running anything.
        Some(101) => {
            let file = format!("lessons/{number:02}-{}/exercise/{program}.rs", lesson.name);
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
pub fn hint(lesson: Lesson, which: usize, out: &mut impl Write) -> Result<(), Failure> {
    let hints = hints_of(lesson)?;
    print_hint(lesson.number, hints, which, out)?;
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

fn hints_of(lesson: Lesson) -> Result<&'static str, Failure> {
    let found = HINTS.iter().find(|(number, _)| *number == lesson.number);
    found.map(|(_, hints)| *hints).ok_or_else(|| {
        let number = lesson.number;
        Failure::input(format!("lesson {number} has no exercise; every other lesson has one"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LESSONS;

    #[test]
    fn every_exercise_has_three_hints_that_say_something() {
        for &lesson in LESSONS.iter().skip(1) {
            let hints = hints_of(lesson).unwrap();
            assert!(hints.starts_with(&format!("# Hints for exercise {}\n", lesson.number)));
            assert_eq!(hints.matches("\n## Hint ").count(), HINTS_EACH, "{}", lesson.name);
            for which in 1..=HINTS_EACH {
                assert!(hints.contains(&format!("\n## Hint {which}\n")));
                assert!(section(hints, which).len() > 80, "{} {which}", lesson.name);
            }
        }
        assert!(hints_of(LESSONS[0]).is_err());
    }
}
