//! What a program can call: functions written in Rust, as CPython's builtins are written in C.

use kernel::Pair;
use std::thread;
use std::time::Duration;

/// A function that programs can call by its name.
#[derive(Clone, Copy, Debug)]
pub struct Native {
    /// The name that programs use.
    pub name: &'static str,
    /// How many arguments the native takes.
    pub arity: usize,
    /// Whether the caller keeps the interpreter lock while the native runs.
    ///
    /// If the caller keeps the lock, no other thread runs, however long the native takes. A C
    /// function in CPython keeps the lock, too, unless its code releases it. A waiting thread
    /// cannot change that: its request is read at a backward jump, and a native has none.
    ///
    /// Otherwise the caller releases the lock and takes it again afterwards, as C code does between
    /// `Py_BEGIN_ALLOW_THREADS` and `Py_END_ALLOW_THREADS`. Releasing is right for natives that
    /// wait, and for natives that compute on nothing but their arguments. The native's author
    /// decides and not the caller, because only the author knows what the native touches.
    pub needs_lock: bool,
    /// The function itself. An error ends the program; the error's text is reported with the line
    /// of the call.
    pub function: fn(&[u64]) -> Result<u64, String>,
}

/// The natives of the lessons.
///
/// Both gcds are the same function, and differ only in `needs_lock`, which their author declares.
pub static NATIVES: &[Native] = &[
    // Sleeps for this many milliseconds, and returns the number. Python's `time.sleep` releases the
    // lock, too.
    Native { name: "wait_ms", arity: 1, needs_lock: false, function: wait_ms },
    // `kernel::gcd` by an author who thought of speed and forgot the lock.
    Native { name: "native_gcd", arity: 2, needs_lock: true, function: gcd },
    // `kernel::gcd` by an author who thought of both: two numbers in, one out, nothing shared.
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
