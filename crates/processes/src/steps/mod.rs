//! Three steps that lead to the pool, each a whole small file, each an [`Executor`](kernel::Executor).
//!
//! | step | adds | still lacks (among other things) |
//! |---|---|---|
//! | [`s1_fork`] | a child for each item; the answer comes through a pipe | a child costs a fork, for each item |
//! | [`s2_split`] | a child for each worker, a chunk for each child | one bad item takes its whole chunk |
//! | [`s3_queue`] | sockets both ways, the next item to an idle worker | the dead are not replaced |
//!
//! Each step lists in the code what it lacks ([`Lack`]), and the tests check the list: a listed
//! promise must really fail, so that no lack is repaired unnoticed.
//!
//! The steps write values with postcard alone, and leave the checks to the pool (`fork_server::codec`).
//! Their children keep the program's signal handlers, and run its exit handlers if a task calls
//! `exit`.
//!
//! All three steps fork in the middle of the program, on every call. The pool does not: see
//! [`ForkServer`](crate::ForkServer).

mod lack;
pub mod s1_fork;
pub mod s2_split;
pub mod s3_queue;

pub use lack::Lack;
pub use s1_fork::ForkPerItem;
pub use s2_split::ForkSplit;
pub use s3_queue::ForkQueue;

use kernel::Death;
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::{self, Write};
use std::ptr;

/// Waits for the child and returns how it ended. The three steps share this function because it
/// teaches nothing.
fn wait_for(worker: usize, child: Pid) -> Death {
    let pid = child.as_raw() as u32;
    match waitpid(child, None) {
        Ok(WaitStatus::Exited(_, status)) => Death::Exited { worker, pid, status, why: None },
        Ok(WaitStatus::Signaled(_, signal, _)) => {
            let name = signal.as_str().to_owned();
            Death::Killed { worker, pid, signal: signal as i32, name, why: None }
        }
        _ => Death::Unknown { worker, pid: Some(pid) },
    }
}

/// Writes what this process has printed: the text in the buffer of Rust's standard output, and the
/// text in the buffers of C's streams, through which a library in C prints.
fn flush() -> io::Result<()> {
    // SAFETY: a null pointer stands for all of C's output streams.
    unsafe { libc::fflush(ptr::null_mut()) };
    io::stdout().flush()
}
