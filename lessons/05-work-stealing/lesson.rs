//! Lesson 5 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// Rayon, and all five stages side by side.
pub const LESSON: Lesson = Lesson {
    number: 5,
    name: "work-stealing",
    question: "Is rayon always the fastest?",
    minutes: 15,
    needs: "lesson 4",
    learn: [
        "to run a slice in parallel with one word",
        "why work stealing is not a queue, and when it matters",
        "to choose between the five stages by what they cost and ask",
    ],
    misconception: "Rayon is always the fastest.",
    remember: "Rayon first, for many items in a slice.\n\
               For few and uneven ones, split down to single items.",
    next: "just compare-5, just exercise-5, then just lesson-6",
};
