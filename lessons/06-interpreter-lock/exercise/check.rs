//! The check of exercise 6: who is inside a native together with whom.

use crate::machine::{Instruction, Interpreter, Native};
use crate::run as run_program;
use Instruction::{Add, Call, Push};
use checks::{Checks, Meeting, same};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

/// Looks at `run`: its answers, and who is let in while a native runs.
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
        Err("Two threads run a program that blocks until the other's does too. In\n\
             5 seconds only one was ever inside: it waits, and holds the lock that\n\
             the other needs."
            .to_owned())
    });
    checks.that("a native that needs the lock is inside alone", || {
        static INSIDE: Inside = Inside::nobody();
        static COMPUTE: Native = Native { function: |n| INSIDE.visit(n), blocks: false };
        on_two_threads(&[Push(1), Call(&COMPUTE)]);
        INSIDE.was_alone("Two threads were inside a native at once that does not say it blocks.")
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
            "Two threads came out of a native that blocks, and then both were inside\n\
             one that needs the lock.",
        )
    });
    checks.finish(
        "So threads that wait gain at once, here and in Python: who blocks lets go.\n\
         Native code that computes may let go too, if it touches nothing shared.\n\
         That is lesson 8.",
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

/// Counts who is inside at once.
struct Inside {
    now: AtomicUsize,
    most: AtomicUsize,
}

impl Inside {
    const fn nobody() -> Self {
        Self { now: AtomicUsize::new(0), most: AtomicUsize::new(0) }
    }

    /// Goes in, stays long enough that a second visitor comes if there is one, and goes out.
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
