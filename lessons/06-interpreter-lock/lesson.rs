//! Lesson 6's parts: the Python beside it, and programs of the reader's own.

#![forbid(unsafe_code)]

pub mod cpython;
pub mod program;
pub mod turns;

use report::{Extra, Extras};

/// A round takes seconds, as it does in Python, so there are fewer of them than elsewhere.
pub const EXTRAS: Extras = Extras {
    rounds: "5",
    options: &[
        Extra {
            name: "python",
            value: "PATH",
            text_only: false,
            help: "Python to measure beside it, instead of python3",
            check: cpython::check,
        },
        Extra {
            name: "program",
            value: "FILE",
            text_only: false,
            help: "Program to run instead of gcd: two numbers in, one out",
            check: program::check,
        },
        Extra {
            name: "disassemble",
            value: "",
            text_only: true,
            help: "Print the program's instructions, and stop",
            check: |_| Ok(()),
        },
    ],
};
