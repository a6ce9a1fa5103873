//! Starts a lesson's prediction, which is a program in the lesson's folder.

use crate::{Failure, workspace};
use report::Lesson;
use std::ffi::OsString;
use std::io::Write;

/// Builds and runs the lesson's `predict.rs`, and gives its exit status.
///
/// # Errors
/// [`Failure::Input`] if cargo cannot be run.
pub fn predict(
    lesson: &Lesson,
    arguments: &[OsString],
    out: &mut impl Write,
) -> Result<u8, Failure> {
    let root = workspace::root()?;
    let mut cargo = workspace::cargo_with(&root, "run", &format!("predict-{}", lesson.number));
    // `cargo run` starts the program in this process's folder, so a file of pairs is found.
    cargo.current_dir(".").arg("--manifest-path").arg(root.join("Cargo.toml"));
    out.flush()?;
    let status = cargo.arg("--").args(arguments).status();
    let status = status.map_err(|error| Failure::input(format!("cargo: {error}")))?;
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}
