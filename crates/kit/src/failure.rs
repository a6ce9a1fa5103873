//! Why a command ended before its work was done.

use std::{fmt, io};

/// What `main` turns into a line on standard error and an exit status.
#[derive(Debug)]
pub enum Failure {
    /// What you typed, or a file that you named, cannot be used: one line, and exit status 2.
    Input(String),
    /// The output could not be written. A closed pipe is no failure: nobody is left to tell.
    Output(io::Error),
}

impl Failure {
    /// Something that you typed cannot be used, for this reason (one line).
    pub fn input(reason: impl fmt::Display) -> Self {
        Self::Input(reason.to_string())
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Input(reason) => f.write_str(reason),
            Self::Output(error) => write!(f, "the output could not be written: {error}"),
        }
    }
}
