//! Lesson 7 in its own words.

#![forbid(unsafe_code)]

use report::Lesson;

/// Computing against bytes: when more workers pay.
pub const LESSON: Lesson = Lesson {
    number: 7,
    name: "leverage",
    question: "When is an item worth the trip?",
    minutes: 20,
    needs: "lesson 4",
    learn: [
        "what isolated and high-leverage mean, in numbers",
        "to find the break-even from three numbers of your machine",
        "to move the work to the data where the data is too much to move",
    ],
    misconception: "More workers make any slow program faster.",
    remember: "Ship an item if it computes for longer than its trip takes.\n\
               If it does not, send less: a description, and not the data.",
    next: "just compare-7, just exercise-7, just advise, then just lesson-8",
};
