//! The parts of the small interpreter that are done: its instructions, its natives, its lock.

// The unsolved exercise does not use `blocks`.
#![allow(dead_code)]

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A function in Rust that programs call.
pub struct Native {
    /// The function.
    pub function: fn(u64) -> u64,
    /// Whether the native waits for something outside, and meanwhile touches nothing of the
    /// interpreter's. The native's author sets this. A native that does not block may touch
    /// anything, and needs the lock.
    pub blocks: bool,
}

/// One instruction of a program. Programs have no jumps, and end after their last instruction.
#[derive(Clone, Copy)]
pub enum Instruction {
    /// Puts a number on the stack.
    Push(u64),
    /// Takes two numbers off the stack, and pushes their sum.
    Add,
    /// Takes a number off the stack, calls the native with it, and pushes the answer.
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

    /// Waits for the lock, and takes it. Drop the returned guard to let go of the lock.
    ///
    /// A plain mutex is enough for programs without loops: such programs end soon. In lesson 6, a
    /// waiting thread can request the lock.
    pub fn take(&self) -> MutexGuard<'_, ()> {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
