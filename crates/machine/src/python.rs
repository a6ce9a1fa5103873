//! Which Python a program is, if it is one.

use crate::said;
use std::ffi::OsStr;
use std::fmt;
use std::io::{self, ErrorKind};
use std::process::Command;

/// What a Python says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Python {
    /// Major, minor, patch.
    pub version: (u32, u32, u32),
    /// Whether it was built to run without its interpreter lock.
    pub free_threaded: bool,
    /// Whether it can make virtual environments.
    pub has_venv: bool,
    /// Its maker's word: `cpython`, `pypy`.
    pub implementation: String,
    /// Where its program lies, and which build it is, in its own words. Two Pythons of one version
    /// differ here.
    pub build: String,
}

/// Why a program is no Python to work with. The text goes on after the program's name and a colon.
#[derive(Debug)]
pub enum NoPython {
    /// The system finds no such program.
    NotFound,
    /// The system does not start it.
    DoesNotRun(io::Error),
    /// It gives no answer within two seconds.
    Silent,
    /// It does not answer as a Python would.
    Other,
}

impl fmt::Display for NoPython {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such program"),
            Self::DoesNotRun(error) => write!(f, "it does not run: {error}"),
            Self::Silent => f.write_str("it gave no answer within 2 seconds"),
            Self::Other => f.write_str("this is not a Python that runs"),
        }
    }
}

/// The question runs in every Python there ever was, so that an old one gives its version and not a
/// syntax error.
const QUESTION: &str = r#"
import os, sys
try:
    import sysconfig
    free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
    abi = sysconfig.get_config_var("SOABI")
except ImportError:
    free_threaded = False
    abi = None
try:
    import ensurepip, venv
    has_venv = True
except ImportError:
    has_venv = False
implementation = getattr(getattr(sys, "implementation", None), "name", "cpython")
version = sys.version_info
build = (os.path.realpath(sys.executable or ""), sys.version, abi)
print("one-change %d %d %d %d %d %s %r" % (
    version[0], version[1], version[2], free_threaded, has_venv, implementation, build))
"#;

impl Python {
    /// Asks a program, by its path or as it is found on the `PATH`, which Python it is.
    ///
    /// # Errors
    /// If it is none, or does not say so within two seconds.
    pub fn ask(program: impl AsRef<OsStr>) -> Result<Self, NoPython> {
        match said(Command::new(program).args(["-c", QUESTION])) {
            Ok(text) => {
                let answer = text.as_deref().and_then(|text| text.lines().find_map(Self::read));
                answer.ok_or(NoPython::Other)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Err(NoPython::NotFound),
            Err(error) if error.kind() == ErrorKind::TimedOut => Err(NoPython::Silent),
            Err(error) => Err(NoPython::DoesNotRun(error)),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let mut words = line.strip_prefix("one-change ")?.splitn(7, ' ');
        let mut number = || words.next()?.parse::<u32>().ok();
        let version = (number()?, number()?, number()?);
        let (free_threaded, has_venv) = (number()? == 1, number()? == 1);
        let implementation = words.next()?.to_owned();
        let build = words.next().unwrap_or_default().to_owned();
        Some(Self { version, free_threaded, has_venv, implementation, build })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_and_nothing_else() {
        let python = Python::read("one-change 3 13 5 1 0 cpython").unwrap();
        assert_eq!((python.version, &*python.implementation), ((3, 13, 5), "cpython"));
        assert!(python.free_threaded && !python.has_venv);
        let python = Python::read("one-change 3 13 5 1 0 cpython ('/a b/python', '3.13.5', None)");
        assert_eq!(python.unwrap().build, "('/a b/python', '3.13.5', None)");
        for line in ["", "Python 3.13.5", "one-change 3 13", "one-change 3 x 5 1 0 cpython"] {
            assert_eq!(Python::read(line), None, "{line}");
        }
    }
}
