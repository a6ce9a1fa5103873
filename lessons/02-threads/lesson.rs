//! Lesson 2 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// Threads, three ways to split the work, and one lock that undoes them.
pub const LESSON: Lesson = Lesson {
    number: 2,
    name: "threads",
    question: "Do two threads take half the time?",
    minutes: 20,
    needs: "lesson 1",
    learn: [
        "to run items on scoped threads that may borrow from their caller",
        "why the split decides: chunks are dealt blindly, a queue is not",
        "what one global lock does to threads: the riddle's first half",
    ],
    misconception: "W threads give W times the speed, and print in the order in which they ran.",
    remember: "Threads gain what the split lets them gain.\n\
               Under one global lock they gain nothing.",
    next: "just compare-2, just exercise-2, then just lesson-3",
};
