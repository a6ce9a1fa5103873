//! What a program can call: functions written in Rust, as CPython's builtins are written in C.

use kernel::Pair;
use std::thread;
use std::time::Duration;

/// A function that programs can call by its name.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// The name that programs use.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: usize,
    /// What becomes of the interpreter lock while it runs.
    pub lock: WhileItRuns,
    /// The function itself. An error ends the program; its text is told with the line of the call.
    pub function: fn(&[u64]) -> Result<u64, String>,
}

/// What becomes of the interpreter lock while a native runs. It is the native's author who says
/// so, not the program that calls it: only the author knows whether the native waits, and whether
/// it touches anything that the lock guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhileItRuns {
    /// The caller keeps it, and nobody else runs, however long the native takes: what a C function
    /// does in CPython unless it says otherwise. Nor can a waiter change that: its request is read
    /// at a backward jump, and a native has none.
    Held,
    /// The caller lets go of it and takes it again afterwards, as C code does between
    /// `Py_BEGIN_ALLOW_THREADS` and `Py_END_ALLOW_THREADS`. For natives that wait, and for natives
    /// that compute on nothing but their own arguments.
    LetGo,
}

/// The natives that every program has.
///
/// The two gcds are one and the same function. What differs is the word of their author.
pub static NATIVES: &[Native] = &[
    // Does nothing for this many milliseconds, and returns their number. `time.sleep` lets go too.
    Native { name: "wait_ms", arity: 1, lock: WhileItRuns::LetGo, function: wait_ms },
    // `kernel::gcd` by somebody who thought of the speed and forgot the lock.
    Native { name: "native_gcd", arity: 2, lock: WhileItRuns::Held, function: gcd },
    // And by somebody who thought of both: two numbers in, one out, nothing shared.
    Native { name: "native_gcd_unlocked", arity: 2, lock: WhileItRuns::LetGo, function: gcd },
];

fn wait_ms(arguments: &[u64]) -> Result<u64, String> {
    thread::sleep(Duration::from_millis(arguments[0]));
    Ok(arguments[0])
}

fn gcd(arguments: &[u64]) -> Result<u64, String> {
    let pair = Pair::new(arguments[0], arguments[1]).map_err(|error| error.to_string())?;
    Ok(kernel::gcd(pair))
}
