//! Stage 4: worker processes.
//!
//! Threads share the caller's memory, and so they share its locks and its fate. Processes share
//! nothing: what they work on has to be written down and sent, and in return one of them may crash,
//! leak or be killed, and the program goes on with one error for one item.
//!
//! [`steps`] leads there from a single fork. [`ProcessPool`] is the pool. Read its files in this
//! order; below them is the crate [`fork_server`], which forks the workers.
//!
//! | file | its idea |
//! |---|---|
//! | `pool` | the thread that waits for answers moves the bytes |
//! | `call` | a function and its argument, on the pool's side and on the worker's |
//! | `frame` | messages on a stream of bytes |
//! | `worker` | a call, an answer, until the socket is closed |
//! | `worker_handle` | one worker from the pool's side; what it leaves behind when it dies |
//! | `lifecycle` | workers are forked, die, and are replaced |
//!
//! One socket for each worker is what makes a death harmless. Pools that share one pipe among all
//! workers wait for ever when one of them is killed half way through an answer: the rest of it
//! never comes, and no other worker's answer can be told from it. Here the dead worker's socket
//! ends, and nobody else's does.
//!
//! What a pool for keeps needs beyond this (several calls ahead, limits, futures) is in the crate
//! `process-futures`.

#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
mod frame;
#[cfg(target_os = "linux")]
mod lifecycle;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
pub mod steps;
#[cfg(target_os = "linux")]
mod worker;
#[cfg(target_os = "linux")]
mod worker_handle;

#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use fork_server::{ForkServer, StartError};
#[cfg(not(target_os = "linux"))]
pub use unsupported::ProcessPool;
#[cfg(target_os = "linux")]
pub use {
    call::call,
    frame::Frame,
    lifecycle::{Ended, Workers},
    pool::ProcessPool,
};
