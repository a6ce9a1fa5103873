//! The check of exercise 6: which threads are inside a native at once.

use crate::machine::{Instruction, Interpreter, Native};
use crate::run as run_program;
use Instruction::{Add, Call, Push};
use checks::{Checks, Meeting, same};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// Checks `run`: its answers, and which threads may run while a native runs.
pub fn run() -> ExitCode {
    let file = "lessons/06-interpreter-lock/exercise/exercise.rs";
    let mut checks = Checks::of(6, "let go while you wait", file);
    checks.that("programs have their answers", || {
        static WAIT: Native = Native { function: |n| n + 1, blocks: true };
        static COMPUTE: Native = Native { function: |n| n * 2, blocks: false };
        let interpreter = Interpreter::new();
        let program = [Push(3), Call(&WAIT), Push(4), Call(&COMPUTE), Add, Call(&WAIT)];
        same("3 + 1, 4 * 2, their sum, and 1 more", &run_program(&interpreter, &program), &13)?;
        let again = run_program(&interpreter, &[Push(7)]);
        same("a second program on the same interpreter", &again, &7)
    });
    checks.that("two natives that block are in progress at once", || {
        static MEETING: Meeting = Meeting::of(2);
        static WAIT: Native = Native { function: meet, blocks: true };
        fn meet(n: u64) -> u64 {
            MEETING.attend();
            n
        }
        on_two_threads(&[Push(1), Call(&WAIT)]);
        if MEETING.most() == 2 {
            return Ok(());
        }
        Err("Two threads each run a program that blocks until the other\n\
             program blocks too. In 5 seconds only one thread was ever inside\n\
             a native: this thread waits, and keeps the lock that the other\n\
             thread needs."
            .to_owned())
    });
    checks.that("a native that needs the lock is inside alone", || {
        static INSIDE: Inside = Inside::nobody();
        static COMPUTE: Native = Native { function: |n| INSIDE.visit(n), blocks: false };
        on_two_threads(&[Push(1), Call(&COMPUTE)]);
        INSIDE.was_alone("Two threads were at once inside a native that does not block.")
    });
    checks.that("after a native that blocks, the lock is held again", || {
        static MEETING: Meeting = Meeting::of(2);
        static INSIDE: Inside = Inside::nobody();
        static WAIT: Native = Native { function: meet, blocks: true };
        static COMPUTE: Native = Native { function: |n| INSIDE.visit(n), blocks: false };
        fn meet(n: u64) -> u64 {
            MEETING.attend();
            n
        }
        on_two_threads(&[Push(1), Call(&WAIT), Call(&COMPUTE)]);
        INSIDE.was_alone(
            "Two threads came out of a native that blocks, and then both were\n\
             inside a native that needs the lock.",
        )
    });
    checks.finish(
        "So threads that wait gain at once, here and in Python, because a\n\
         native that blocks lets go of the lock. Native code that computes\n\
         may let go too, if the code touches nothing shared: see lesson 8.",
    )
}

/// Runs the program on two threads of one interpreter.
fn on_two_threads(program: &[Instruction]) {
    let interpreter = Interpreter::new();
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| run_program(&interpreter, program));
        }
    });
}

/// Counts the threads that are inside at once.
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    const fn nobody() -> Self {
        Self { now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Enters, stays long enough for a second thread to enter if it can, and leaves.
    fn visit(&self, n: u64) -> u64 {
        let here = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(here, SeqCst);
        thread::sleep(Duration::from_millis(300));
        self.now.fetch_sub(1, SeqCst);
        n
    }

    fn was_alone(&self, why: &str) -> Result<(), String> {
        if self.most.load(SeqCst) == 1 { Ok(()) } else { Err(why.to_owned()) }
    }
}
