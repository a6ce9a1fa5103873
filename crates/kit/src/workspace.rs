//! Where the workspace is, and how cargo is run in it.

use crate::Failure;
use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace's folder: the one this program was built from, or else the nearest folder above
/// the current one that looks like it (the sources may have moved since the build).
///
/// # Errors
/// [`Failure::Input`] if there is none.
pub fn root() -> Result<PathBuf, Failure> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let current = env::current_dir().unwrap_or_default();
    let mut candidates = std::iter::once(built_from.as_path()).chain(current.ancestors());
    let is_root = |folder: &&Path| {
        folder.join("Cargo.toml").is_file() && folder.join("lessons/01-serial").is_dir()
    };
    let root = candidates.find(is_root).and_then(|folder| folder.canonicalize().ok());
    root.ok_or_else(|| Failure::input("the workspace is not found: call this from within it"))
}

/// Cargo, to be run in the workspace: the one that runs this program, if one does.
pub fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(root);
    cargo
}
