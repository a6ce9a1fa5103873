//! Lesson 2 as its reader meets it.

mod common;

common::lesson!(lesson_2::LESSON, env!("CARGO_BIN_EXE_2"));
