//! Builds the native module, and runs its tests and the script's with pytest.

#![forbid(unsafe_code)]

use lesson_8::python::{self, Fault, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    tests().unwrap_or_else(|fault| fault.report())
}

fn tests() -> Result<ExitCode, Fault> {
    let options = Options::read(std::env::args_os().skip(1))?;
    let python = python::find(options.python.as_deref())?;
    let repository = python::repository();
    let mut pytest = python.with_the_module()?;
    pytest.args(["-m", "pytest", "-c"]);
    pytest.arg(repository.join("crates/python-extension/pyproject.toml"));
    pytest.arg(repository.join("crates/python-extension/tests"));
    pytest.arg(repository.join("lessons/08-escape-hatch/test_escape_hatch.py"));
    python::become_of(pytest.args(options.rest))
}
