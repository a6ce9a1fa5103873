//! Lesson 4 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// The one change that names the kit: the pool's workers become processes.
pub const LESSON: Lesson = Lesson {
    number: 4,
    name: "processes",
    question: "One line changes. What does it buy?",
    minutes: 30,
    needs: "lesson 3, and Linux (elsewhere WSL2 or a container)",
    learn: [
        "to move work into other processes by changing one line",
        "what the trip costs: every item and every answer travels as bytes",
        "what it buys: a worker may die, and has a lock of its own",
    ],
    misconception: "Processes beat threads, and fork copies all the memory.",
    remember: "In Rust the one change buys isolation, not speed.\n\
               Under one global lock it buys the second core.",
    next: "just compare-4, just exercise-4, then just lesson-5",
};
