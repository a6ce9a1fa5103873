//! Lesson 1 as its reader meets it.

mod common;

common::lesson!(lesson_1::LESSON, env!("CARGO_BIN_EXE_1"));
