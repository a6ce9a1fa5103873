//! Where the workspace is, which lessons it has, and how cargo is run in it.

use crate::Failure;
use report::Lesson;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder.
///
/// # Errors
/// [`Failure::Input`] if there is none.
pub fn root() -> Result<PathBuf, Failure> {
    curriculum::root().map_err(Failure::Input)
}

/// Every lesson, in the order of their numbers.
///
/// # Errors
/// [`Failure::Input`] if the workspace is not found or a lesson's facts cannot be read.
pub fn lessons() -> Result<Vec<Lesson>, Failure> {
    curriculum::lessons(&root()?).map_err(Failure::Input)
}

/// Cargo, to be run in the workspace: the one that runs this program, if one does.
pub fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}

/// Cargo, to run or build a program of a lesson's: as this program was built, so that what is built
/// already is used again.
pub fn cargo_with(root: &Path, command: &str, program: &str) -> Command {
    let mut cargo = cargo(root);
    cargo.args([command, "--quiet", "--bin", program]);
    if !cfg!(debug_assertions) {
        cargo.arg("--release");
    }
    cargo
}
