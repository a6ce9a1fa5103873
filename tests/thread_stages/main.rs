//! What the stages made of threads do where threads are scarce: the system refuses a thread, every
//! worker of a pool waits, or a stack is too small for the task.

mod refused;
mod stack;
mod waits;

use one_change_tests::own_process::{self, Case, Expect};
use std::collections::BTreeSet;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::thread;

/// A test's name, how it ends, and the test.
type Test = (&'static str, Expect, fn());

fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("a number of workers")
}

/// The thread that this runs on, as text, because an answer has to be a message.
fn this_thread() -> String {
    format!("{:?}", thread::current().id())
}

/// How many threads ran something.
fn different(threads: impl IntoIterator<Item = String>) -> usize {
    threads.into_iter().collect::<BTreeSet<_>>().len()
}

fn main() -> ExitCode {
    let tests = [refused::tests(), waits::tests(), stack::tests()].into_iter().flatten();
    let case = |(name, expect, test): Test| Case { name: name.into(), expect, run: Box::new(test) };
    own_process::main(tests.map(case).collect())
}
