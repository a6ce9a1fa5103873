//! Lesson 0 as its reader meets it.

mod common;

common::lesson!(lesson_0::LESSON, env!("CARGO_BIN_EXE_0"));
