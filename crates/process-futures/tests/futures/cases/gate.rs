//! Gates: a task at a gate tells that it has begun, and goes on when the test opens the gate.

use super::until;
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// A folder for the gates of one case.
pub struct Gates(TempDir);

/// One gate. A gate travels to a worker as the argument of [`pass`].
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Gate(PathBuf);

impl Gates {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    pub fn gate(&self, number: u64) -> Gate {
        Gate::of(self.folder(), number)
    }

    pub fn folder(&self) -> &Path {
        self.0.path()
    }
}

impl Gate {
    /// The gate with this number in a folder of gates.
    pub fn of(folder: &Path, number: u64) -> Self {
        Self(folder.join(number.to_string()))
    }

    /// Lets the task go on.
    pub fn open(&self) {
        fs::write(self.0.with_extension("open"), "").expect("a file");
    }

    /// Whether a task has come to the gate.
    pub fn is_reached(&self) -> bool {
        self.0.with_extension("reached").exists()
    }

    /// How many tasks have come to the gate.
    pub fn runs(&self) -> u64 {
        fs::metadata(self.0.with_extension("reached")).map_or(0, |file| file.len())
    }

    pub fn until_reached(&self) {
        until("a task at its gate", || self.is_reached());
    }
}

/// A task: comes to the gate, waits until the gate is open, and returns the gate's number.
pub fn pass(gate: Gate) -> u64 {
    reach(&gate);
    until("an open gate", || gate.0.with_extension("open").exists());
    number(&gate)
}

/// A task: comes to the gate, and does not stop.
pub fn touch(gate: Gate) -> u64 {
    reach(&gate);
    number(&gate)
}

/// A task: waits until the gate is open, and panics.
pub fn pass_and_panic(gate: Gate) -> u64 {
    panic!("no luck at {}", pass(gate))
}

fn reach(gate: &Gate) {
    let file = gate.0.with_extension("reached");
    let file = fs::OpenOptions::new().create(true).append(true).open(file);
    file.and_then(|mut file| file.write_all(b".")).expect("a file");
}

fn number(gate: &Gate) -> u64 {
    gate.0.file_name().and_then(|name| name.to_str()?.parse().ok()).expect("a number")
}
