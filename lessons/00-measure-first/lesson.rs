//! Lesson 0 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// Where the time goes, before anything is changed.
pub const LESSON: Lesson = Lesson {
    number: 0,
    name: "measure-first",
    question: "Where does the time go?",
    minutes: 10,
    needs: "a Rust toolchain",
    learn: [
        "to see where a program's time goes before you change it",
        "why a better algorithm beats any number of cores",
        "why this kit keeps its slow countdown all the same",
    ],
    misconception: "My program is slow, so it needs more cores.",
    remember: "Measure first, then look for a better algorithm.\n\
               Cores come third: they divide the time, and only by their number.",
    next: "just compare-0, then just lesson-1",
};
