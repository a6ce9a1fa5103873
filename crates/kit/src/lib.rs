//! The command behind the justfile: predict, compare, advise, doctor, exercise, hint.
//!
//! Each subcommand is a module with one entry point that writes to what it is given and returns the
//! exit status; `main` adds the terminal and nothing else.

#![forbid(unsafe_code)]

pub mod advise;
mod cli;
pub mod compare;
pub mod doctor;
pub mod exercise;
mod failure;
pub mod predict;
mod words;
mod workspace;

pub use cli::run;
pub use failure::Failure;

use report::Lesson;

/// The lessons that exist, in the order of their numbers.
pub const LESSONS: &[Lesson] = &[
    lesson_0::LESSON,
    lesson_1::LESSON,
    lesson_2::LESSON,
    lesson_3::LESSON,
    lesson_4::LESSON,
    lesson_5::LESSON,
    lesson_6::LESSON,
    lesson_7::LESSON,
    lesson_8::LESSON,
];

#[cfg(test)]
mod tests {
    #[test]
    fn the_lessons_stand_in_order() {
        assert!(super::LESSONS.is_sorted_by(|before, after| before.number < after.number));
    }
}
