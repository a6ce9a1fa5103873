//! Lesson 5 as its reader meets it.

mod common;

common::lesson!(lesson_5::LESSON, env!("CARGO_BIN_EXE_5"));
