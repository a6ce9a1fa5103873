//! The command behind the justfile: predict, compare, advise, doctor, exercise, hint, new-lesson.
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
pub mod generated;
mod new_lesson;
mod predict;
mod workspace;

pub use cli::run;
pub use failure::Failure;
