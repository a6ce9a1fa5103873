//! Lesson 3 as its reader meets it.

mod common;

common::lesson!(lesson_3::LESSON, env!("CARGO_BIN_EXE_3"));
