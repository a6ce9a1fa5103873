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
    /// Does the caller keep the interpreter lock while it runs?
    ///
    /// With it, nobody else runs, however long the native takes: so does a C function in CPython
    /// that says nothing about it. A waiter cannot help that, since its request is read at a
    /// backward jump, and a native has none.
    ///
    /// Without it, the caller lets go and takes the lock again afterwards, as C code does between
    /// `Py_BEGIN_ALLOW_THREADS` and `Py_END_ALLOW_THREADS`. That is for natives that wait, and for
    /// natives that compute on nothing but their arguments. It is the author who says so and not
    /// the caller: only the author knows what the native touches.
    pub needs_lock: bool,
    /// The function itself. An error ends the program; its text is told with the line of the call.
    pub function: fn(&[u64]) -> Result<u64, String>,
}

/// The natives of the lessons.
///
/// The two gcds are one and the same function. What differs is the word of their author.
pub static NATIVES: &[Native] = &[
    // Does nothing for this many milliseconds, and returns their number. `time.sleep` lets go too.
    Native { name: "wait_ms", arity: 1, needs_lock: false, function: wait_ms },
    // `kernel::gcd` by somebody who thought of the speed and forgot the lock.
    Native { name: "native_gcd", arity: 2, needs_lock: true, function: gcd },
    // And by somebody who thought of both: two numbers in, one out, nothing shared.
    Native { name: "native_gcd_unlocked", arity: 2, needs_lock: false, function: gcd },
];

fn wait_ms(arguments: &[u64]) -> Result<u64, String> {
    thread::sleep(Duration::from_millis(arguments[0]));
    Ok(arguments[0])
}

fn gcd(arguments: &[u64]) -> Result<u64, String> {
    let pair = Pair::new(arguments[0], arguments[1]).map_err(|error| error.to_string())?;
    Ok(kernel::gcd(pair))
}
