//! A small interpreter with the lock that made threads useless in Python.
//!
//! A program in a tiny language ([`Program`]) is compiled to instructions for a stack machine and
//! run by an evaluation loop ([`Interpreter::run`]), which holds one interpreter lock as CPython's
//! does. The interpreter is slow, as interpreters are. Slowness and lock together are the riddle of
//! the source chapter: threads gain nothing, and processes do.
//!
//! Where to look:
//!
//! - `lock.rs` is the lock: the switch interval, the drop request, the forced switch.
//! - `eval.rs` is the loop: where the lock may change hands, and where it may not.
//! - `compile.rs` and `program.rs` are the language and its instructions.
//! - `native.rs` has the functions in Rust that programs call, keeping the lock or releasing it.
//! - `tasks.rs` makes plain functions of programs, for threads and processes to run.
//!
//! Everything that does not change the lock is left out. A program is one function, without lists,
//! strings or garbage. CPython's lock guards the reference counters of its objects; here there are
//! no counters to guard.

#![forbid(unsafe_code)]

mod compile;
mod eval;
mod lock;
mod native;
mod program;
mod tasks;

pub use eval::Interpreter;
pub use lock::{Clock, Lock, SWITCH_INTERVAL, SystemClock};
pub use native::{NATIVES, Native};
pub use program::{Program, ProgramError};
pub use tasks::{
    GCD, InterpretedGcd, InterpretedWait, NativeGcd, NativeGcdUnlocked, interpreted_gcd,
    interpreted_wait, interpreter, native_gcd, native_gcd_unlocked,
};
