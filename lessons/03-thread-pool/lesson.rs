//! Lesson 3 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// A pool of threads that stay, and what that saves.
pub const LESSON: Lesson = Lesson {
    number: 3,
    name: "thread-pool",
    question: "What does a pool save?",
    minutes: 15,
    needs: "lesson 2",
    learn: [
        "what it costs to start a thread",
        "when keeping threads pays: many short jobs, not one long one",
        "what a pool asks of you: a closure that owns what it captures",
    ],
    misconception: "A pool makes the work faster.",
    remember: "What a pool saves is starts, and nothing else.",
    next: "just compare-3, just exercise-3, then just lesson-4",
};
