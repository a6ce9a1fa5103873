//! Lesson 8: builds the native module, and runs `escape_hatch.py` with it.

#![forbid(unsafe_code)]

use lesson_8::python::{self, Fault, Options};
use std::io::stdout;
use std::process::ExitCode;

fn main() -> ExitCode {
    lesson().unwrap_or_else(|fault| fault.report())
}

fn lesson() -> Result<ExitCode, Fault> {
    let options = Options::read(std::env::args_os().skip(1))?;
    let python = python::find(options.python.as_deref())?;
    let mut script = python.with_the_module()?;
    script.arg(python::repository().join("lessons/08-escape-hatch/escape_hatch.py"));
    // The script prints the lesson's head once its options are read, and the foot at its end.
    let (mut head, mut foot) = report::frame(&report::Lesson::of(include_str!("lesson.toml")));
    if anstream::AutoStream::choice(&stdout()) == anstream::ColorChoice::Never {
        head = anstream::adapter::strip_str(&head).to_string();
        foot = anstream::adapter::strip_str(&foot).to_string();
    }
    script.env("ONE_CHANGE_HEAD", head).env("ONE_CHANGE_FOOT", foot);
    // The script's standard output is UTF-8 whatever the locale says.
    python::become_of(script.env("PYTHONIOENCODING", "utf-8").args(options.rest))
}
