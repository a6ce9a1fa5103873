//! Tasks for the stages: plain functions that run a program in this process's own interpreter.
//!
//! A plain `fn` captures nothing, so its interpreter is a `static`: one interpreter for each
//! process, with a lock of its own, as with `python3`. A forked worker has a copy of the
//! interpreter from the moment of the fork, and from then on the two are separate. CPython makes
//! its lock anew in a forked child, because another thread may have held it; here the fork server
//! forks with one thread, which runs no program.

use crate::{Interpreter, NATIVES, Program};
use kernel::Pair;
use spans::Task;
use std::sync::LazyLock;

/// The source of the countdown, which lesson 6 shows.
pub const GCD: &str = include_str!("../gcd.tiny");

const WAIT: &str = "function wait(ms)\n    return wait_ms(ms)\n";
const HOLDING: &str = "function gcd(a, b)\n    return native_gcd(a, b)\n";
const LETTING_GO: &str = "function gcd(a, b)\n    return native_gcd_unlocked(a, b)\n";

/// A program that is compiled when it is first run, once in each process. (The tests make sure that
/// each program compiles.)
type Compiled = LazyLock<Program>;

/// The interpreter of this process.
pub fn interpreter() -> &'static Interpreter {
    static INTERPRETER: LazyLock<Interpreter> = LazyLock::new(Interpreter::default);
    &INTERPRETER
}

fn run(program: &Program, arguments: &[u64]) -> u64 {
    interpreter().run(program, arguments).unwrap_or_else(|error| panic!("{error}"))
}

/// [`kernel::gcd`] in the small language ([`GCD`]), under the interpreter lock.
pub fn interpreted_gcd(pair: Pair) -> u64 {
    static PROGRAM: Compiled = LazyLock::new(|| Program::compile(GCD, NATIVES).unwrap());
    run(&PROGRAM, &[pair.a(), pair.b()])
}

/// A program that waits this many milliseconds, and returns the number. The program releases the
/// interpreter lock while it waits.
pub fn interpreted_wait(ms: u64) -> u64 {
    static PROGRAM: Compiled = LazyLock::new(|| Program::compile(WAIT, NATIVES).unwrap());
    run(&PROGRAM, &[ms])
}

/// A program that calls [`kernel::gcd`] as a native, which keeps the interpreter lock.
pub fn native_gcd(pair: Pair) -> u64 {
    static PROGRAM: Compiled = LazyLock::new(|| Program::compile(HOLDING, NATIVES).unwrap());
    run(&PROGRAM, &[pair.a(), pair.b()])
}

/// A program that calls [`kernel::gcd`] as a native, which releases the interpreter lock.
pub fn native_gcd_unlocked(pair: Pair) -> u64 {
    static PROGRAM: Compiled = LazyLock::new(|| Program::compile(LETTING_GO, NATIVES).unwrap());
    run(&PROGRAM, &[pair.a(), pair.b()])
}

/// Makes a type that names a function for [`timed`](spans::timed).
macro_rules! task {
    ($name:ident, $function:ident, $input:ty) => {
        #[doc = concat!("[`", stringify!($function), "`], to be timed.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name;

        impl Task for $name {
            type In = $input;
            type Out = u64;
            fn run(input: $input) -> u64 {
                $function(input)
            }
        }
    };
}

task!(InterpretedGcd, interpreted_gcd, Pair);
task!(InterpretedWait, interpreted_wait, u64);
task!(NativeGcd, native_gcd, Pair);
task!(NativeGcdUnlocked, native_gcd_unlocked, Pair);
