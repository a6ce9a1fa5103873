//! Lesson 8 in its own words, and the Python that it needs.

#![forbid(unsafe_code)]

pub mod python;

use report::Lesson;

/// The way out of Python's lock: the kernel as a native module, called from Python.
pub const LESSON: Lesson = Lesson {
    number: 8,
    name: "escape-hatch",
    question: "What if the hot spot is not Python?",
    minutes: 20,
    needs: "lesson 6, and Python 3.11 or newer with venv",
    learn: [
        "to call a Rust function from Python, with Python's own errors",
        "to let go of the interpreter lock, and what must not happen meanwhile",
        "to tell what native code gains from what the cores gain",
    ],
    misconception: "A native module runs in parallel because it is native.",
    remember: "Native code is fast at once, and parallel only if it lets go of\n\
               the interpreter lock.",
    next: "just compare-8, just exercise-8, then the decision table",
};
