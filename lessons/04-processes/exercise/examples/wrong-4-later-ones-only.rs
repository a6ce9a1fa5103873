//! A wrong answer to exercise 4: the ends of the earlier workers stay open.
//!
//! Refused on: each of three workers has one socket open, its own

use kernel::Message;
use nix::unistd::{ForkResult, fork};
use queue::{Worker, serve};
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Starts this many workers.
fn start<A: Message, R: Message>(task: fn(A) -> R, count: usize) -> io::Result<Vec<Worker>> {
    // Make all sockets before the first fork: if descriptors run out, no child has been forked in
    // vain.
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..count {
        let (our_end, their_end) = UnixStream::pair()?;
        ours.push(our_end);
        theirs.push(their_end);
    }
    let mut children = Vec::new();
    for number in 0..count {
        // SAFETY: the check runs this in a process with one thread, so the child is a plain copy,
        // and no lock in it is held by a thread that does not exist.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => children.push(child),
            ForkResult::Child => {
                // Close the parent's ends in the child.
                drop(ours);
                let socket = theirs.swap_remove(number);
                // Close the ends of the workers that come later.
                theirs.truncate(number);
                // No panic may unwind out of here: the child would go on running a second copy of
                // the caller.
                let done = catch_unwind(AssertUnwindSafe(|| serve(task, socket)));
                // SAFETY: `_exit` ends the process without running destructors and exit handlers.
                // The child has copies of them, but they belong to the parent.
                unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
            }
        }
    }
    // Close the workers' ends in the parent.
    drop(theirs);
    let workers = children.into_iter().zip(ours).enumerate();
    Ok(workers
        .map(|(number, (child, socket))| Worker { number, child, socket, item: None })
        .collect())
}

#[path = "../check.rs"]
mod check;
#[path = "../queue.rs"]
mod queue;

fn main() -> ExitCode {
    check::run()
}
