//! Lesson 1 in its own words.

use report::Lesson;

/// The ten pairs in a loop, and what no number of workers can beat.
pub const LESSON: Lesson = Lesson {
    number: 1,
    name: "serial",
    question: "What can more workers gain at most?",
    minutes: 10,
    needs: "lesson 0",
    learn: [
        "what one core does with ten uneven items",
        "to count the work in steps instead of seconds",
        "the bound: the speed-up that no number of workers can beat",
    ],
    misconception: "50 % CPU means that the program is idle half the time.",
    remember: "The longest item sets the bound:\n\
               no speed-up beats total / longest.",
    next: "just compare-1, just exercise-1, then just lesson-2",
};
