//! Exercise 4: the inherited descriptor.
//!
//! `queue.rs`, beside this file, is a pool of processes, a shorter copy of step 3 of lesson 4; below
//! stands how it starts its workers. Every worker is a fork of this program, and has a socket to the
//! parent. That a worker has died reaches the parent as the
//! end of file on that socket, and an end of file comes when the last copy of the other end is
//! closed. A fork copies every descriptor that is open at that moment.
//!
//! One line is missing here, and nobody notices while all is well: the answers are right, and the
//! pool ends. But kill a worker, and the parent waits for ever.
//!
//! Find out who still holds a copy of the dead worker's end, and close it there. Then type
//!
//! ```text
//! just exercise-4
//! ```
//!
//! The check kills a worker in the middle of an item, and looks into /proc at who has which sockets
//! open. It never hangs, even while the pool does. There is nothing to change but `start`.

use kernel::Message;
use nix::unistd::{ForkResult, fork};
use queue::{Worker, serve};
use std::io;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Starts this many workers.
fn start<A: Message, R: Message>(task: fn(A) -> R, count: usize) -> io::Result<Vec<Worker>> {
    // All sockets before the first fork: if there are too few descriptors, no child was made in vain.
    let mut ours = Vec::new();
    let mut theirs = Vec::new();
    for _ in 0..count {
        let (our_end, their_end) = UnixStream::pair()?;
        ours.push(our_end);
        theirs.push(their_end);
    }
    let mut children = Vec::new();
    for number in 0..count {
        // SAFETY: the check runs this in a process with one thread, so that the child is a plain
        // copy of it, in which no lock is held by a thread that does not exist.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => children.push(child),
            ForkResult::Child => {
                // The parent's ends are the parent's.
                drop(ours);
                let socket = theirs.swap_remove(number);
                // Nothing may unwind out of here: it would run on in a second copy of the caller.
                let done = catch_unwind(AssertUnwindSafe(|| serve(task, socket)));
                // SAFETY: `_exit` ends the process without the destructors and exit handlers that
                // the child has copies of and that belong to the parent.
                unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
            }
        }
    }
    // The workers' ends are the workers'.
    drop(theirs);
    let workers = children.into_iter().zip(ours).enumerate();
    Ok(workers
        .map(|(number, (child, socket))| Worker { number, child, socket, item: None })
        .collect())
}

// There is nothing to do below this line. The pool is in queue.rs and the check in check.rs, beside
// this file.
mod check;
mod queue;

fn main() -> ExitCode {
    check::run()
}
