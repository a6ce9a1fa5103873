//! Lesson 8: builds the native module, and runs `escape_hatch.py` with it.

#![forbid(unsafe_code)]

use lesson_8::python::{self, Fault, Options};
use std::process::ExitCode;

fn main() -> ExitCode {
    lesson().unwrap_or_else(|fault| fault.report())
}

fn lesson() -> Result<ExitCode, Fault> {
    let options = Options::read(std::env::args_os().skip(1))?;
    let python = python::find(options.python.as_deref())?;
    let mut script = python.with_the_module()?;
    script.arg(python::repository().join("lessons/08-escape-hatch/escape_hatch.py"));
    python::become_of(script.args(options.rest))
}
