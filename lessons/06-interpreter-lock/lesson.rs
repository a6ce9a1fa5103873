//! Lesson 6's own options: the Python beside the lesson, and programs of the reader.

#![forbid(unsafe_code)]

pub mod cpython;
pub mod program;
pub mod turns;

use interpreter::interpreted_gcd;
use report::{Extra, Extras};

/// A round takes seconds, as in Python, so there are fewer rounds than in other lessons.
pub const EXTRAS: Extras = Extras {
    rounds: "5",
    // How long a program of the reader's own takes does not follow from the pairs' steps.
    task: |given| match ["program", "disassemble"].iter().any(|name| given.contains_key(name)) {
        true => None,
        false => Some(interpreted_gcd),
    },
    options: &[
        Extra {
            name: "python",
            value: "PATH",
            text_only: false,
            is_written: false,
            help: "Python to measure beside it, instead of python3",
            check: cpython::check,
        },
        Extra {
            name: "program",
            value: "FILE",
            text_only: false,
            is_written: false,
            help: "Program to run instead of gcd: two numbers in, one out",
            check: program::check,
        },
        Extra {
            name: "disassemble",
            value: "",
            text_only: true,
            is_written: false,
            help: "Print the program's instructions, and stop",
            check: |_| Ok(()),
        },
    ],
};
