//! Stage 4: worker processes.
//!
//! Threads share the caller's memory, and so threads share the caller's locks and its fate.
//! Processes share nothing: items have to be serialised and sent. In return, one process may crash,
//! leak or be killed, and the program goes on with one error for one item.
//!
//! [`steps`] leads from a single fork to the pool, [`ProcessPool`]. Read the pool's files in this
//! order. The crate [`fork_server`], which forks the workers, lies below these files.
//!
//! | file | its idea |
//! |---|---|
//! | `pool` | the thread that waits for answers moves the bytes |
//! | `call` | a function and its argument, on the pool's side and on the worker's |
//! | `frame` | messages on a stream of bytes |
//! | `worker` | a call, an answer, until the socket is closed |
//! | `worker_handle` | one worker from the pool's side; which calls a dead worker leaves behind |
//! | `lifecycle` | workers are forked, die, and are replaced |
//!
//! One socket for each worker is what makes a death harmless. Pools that share one pipe among all
//! workers wait for ever when one of them is killed half way through an answer: the rest of that
//! answer never comes, and the bytes of other workers' answers cannot be told from it. Here only
//! the dead worker's socket ends.
//!
//! A pool for keeps needs more (several calls ahead, limits, futures): see the crate
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

#[cfg(target_os = "linux")]
pub use fork_server::codec::read_back;
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
