//! Lesson 6 in its own words, the Python beside it, and programs of the reader's own.

#![forbid(unsafe_code)]

pub mod cpython;
pub mod program;

use report::{Extra, Extras, Lesson};

/// The lock of lesson 2 where it really lives: inside an interpreter.
pub const LESSON: Lesson = Lesson {
    number: 6,
    name: "interpreter-lock",
    question: "What holds Python's threads up?",
    minutes: 30,
    needs: "lesson 4; Python 3.9 or newer for the second half",
    learn: [
        "how an interpreter lock changes hands, and what it costs",
        "why waiting threads gain at once, and computing ones do not",
        "the ways out: processes, and native code that lets go of the lock",
    ],
    misconception: "Python's threads are useless.",
    remember: "Under an interpreter lock threads wait together, and compute\n\
               one after the other. Let go of the lock, or have one each.",
    next: "just compare-6, just exercise-6, then just lesson-7",
};

/// A round takes seconds, as it does in Python, so there are fewer of them than elsewhere.
pub const EXTRAS: Extras = Extras {
    rounds: "5",
    options: &[
        Extra {
            name: "python",
            value: "PATH",
            help: "Python to measure beside it, instead of python3",
            check: cpython::check,
        },
        Extra {
            name: "program",
            value: "FILE",
            help: "Program to run instead of gcd: two numbers in, one out",
            check: program::check,
        },
        Extra {
            name: "disassemble",
            value: "",
            help: "Print the program's instructions, and stop",
            check: |_| Ok(()),
        },
    ],
};
