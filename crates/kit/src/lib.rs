//! The command behind the justfile: predict, compare, doctor, exercise, hint.
//!
//! Each subcommand is a module with one entry point that writes to what it is given and returns the
//! exit status; `main` adds the terminal and nothing else.

#![forbid(unsafe_code)]

mod cli;
pub mod doctor;
mod failure;
pub mod predict;
mod words;

pub use cli::run;
pub use failure::Failure;

use report::Lesson;

/// The lessons that exist, each at its own number.
pub const LESSONS: [Lesson; 6] = [
    lesson_0::LESSON,
    lesson_1::LESSON,
    lesson_2::LESSON,
    lesson_3::LESSON,
    lesson_4::LESSON,
    lesson_5::LESSON,
];

#[cfg(test)]
mod tests {
    #[test]
    fn every_lesson_stands_at_its_number() {
        for (number, lesson) in super::LESSONS.iter().enumerate() {
            assert_eq!(lesson.number as usize, number);
        }
    }
}
