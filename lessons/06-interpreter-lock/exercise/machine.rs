//! The parts of the small interpreter that are done: its instructions, its natives, its lock.

// The exercise, unsolved, does not look at `blocks`.
#![allow(dead_code)]

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A function in Rust that programs call.
pub struct Native {
    /// The function.
    pub function: fn(u64) -> u64,
    /// Does it wait for something outside, and touch nothing of the interpreter's meanwhile? Its
    /// author says so. One that says no may touch anything, and needs the lock.
    pub blocks: bool,
}

/// One instruction of a program. Programs have no jumps, and end where they end.
#[derive(Clone, Copy)]
pub enum Instruction {
    /// Puts a number on the stack.
    Push(u64),
    /// Takes two numbers off the stack, and puts their sum there.
    Add,
    /// Takes a number off the stack, calls the native with it, and puts its answer there.
    Call(&'static Native),
}

/// An interpreter: one lock, which a thread holds while it runs a program.
pub struct Interpreter {
    lock: Mutex<()>,
}

impl Interpreter {
    /// An interpreter that runs nothing yet.
    pub const fn new() -> Self {
        Self { lock: Mutex::new(()) }
    }

    /// Waits for the lock, and takes it. Who drops what this gives lets go.
    ///
    /// A plain mutex is enough for programs without loops: they come to their end soon. The lock
    /// of lesson 6 can be asked for.
    pub fn take(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
