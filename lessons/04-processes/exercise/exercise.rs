//! Exercise 4: the inherited descriptor.
//!
//! `queue.rs`, beside this file, is a pool of processes, a shorter copy of step 3 of lesson 4;
//! `start`, below, starts the pool's workers. Every worker is a fork of this program, and has a
//! socket to the parent. The parent learns of a worker's death by the end of file on that socket,
//! and the end of file comes when the last copy of the worker's end is closed. A fork copies every
//! descriptor that is open at that moment.
//!
//! One line is missing here. The fault does not show as long as no worker dies: the answers are
//! right, and the pool ends. But if a worker is killed, the parent waits for ever.
//!
//! Find out which process still holds a copy of the dead worker's end, and close the copy there.
//! Then type
//!
//! ```text
//! just exercise-4
//! ```
//!
//! The check kills a worker in the middle of an item, and reads in /proc which process has which
//! sockets open. The check never hangs, even while the pool does. You need to change only `start`.

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

// You need not change anything below this line. The pool is in queue.rs and the check in check.rs,
// beside this file.
mod check;
mod queue;

fn main() -> ExitCode {
    check::run()
}
