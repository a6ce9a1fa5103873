//! Lesson 4 as its reader meets it.

mod common;

common::lesson!(lesson_4::LESSON, env!("CARGO_BIN_EXE_4"));
