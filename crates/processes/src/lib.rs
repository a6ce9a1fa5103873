//! Stage 4: worker processes.
//!
//! Threads share the caller's memory, and so they share its locks and its fate. Processes share
//! nothing: what they work on has to be written down and sent, and in return one of them may crash,
//! leak or be killed, and the program goes on with one error for one item.
//!
//! [`steps`] leads there from a single fork. [`ProcessPool`] is the pool.
//!
//! # How it is made
//!
//! ```text
//! program ── line ──> template ── fork ──> worker A
//!    │                (fork server)        worker B
//!    └── one socket for each worker ──────────┘
//! ```
//!
//! | file | its idea |
//! |---|---|
//! | `server` | fork once, early, while there is one thread; refuse otherwise |
//! | `template` | the copy that forks all workers, reaps them and reports |
//! | `line` | what pool and template say to each other |
//! | `worker` | a call, an answer, until the socket is closed |
//! | `call`, `image` | a function travels as its address; which addresses may |
//! | `frame`, `inbox`, `wire` | messages on a stream; room for descriptors beside them |
//! | `large` | room for large messages, in large pages |
//! | `seat` | one worker from the pool's side; what is left when it dies |
//! | `pace` | one call at a time, or many, by how long they take |
//! | [`crew`] | all workers together, without a thread and without blocking |
//! | `pool` | the crew behind [`kernel::Executor`] |
//!
//! One socket for each worker is what makes a death harmless. Pools that share one pipe among all
//! workers wait for ever when one of them is killed half way through an answer: the rest of it
//! never comes, and no other worker's answer can be told from it. Here the dead worker's socket
//! ends, and nobody else's does.
//!
//! # Soundness
//!
//! A worker calls a function whose address came through a socket. That is sound if both processes
//! have the same function there. What stands behind it, and is checked:
//!
//! - Every worker is a fork of a fork of this program (no `exec` between), so the program's file
//!   is mapped at the same addresses.
//! - Only addresses in the executable segments of that file are sent, as the loader placed them
//!   before the fork. Code from a library, from a just-in-time compiler or from anything opened
//!   later is refused ([`kernel::TaskErrorKind::NotInTemplate`]).
//! - Only [`Call`]s are sent. They can be made from a `fn(A) -> R` and in no other way, and the
//!   code that knows `A` and `R` travels as a second address beside it.
//! - An address is called and never compared: one function may have several.
//! - A fork happens only in a process with one thread, counted in `/proc/self/task`; so a child has
//!   every thread that its memory tells of. (The steps do not check. That is what they lack.)
//! - Nothing unwinds out of a forked child. It ends by `_exit`.
//!
//! What is assumed, and is not checked:
//!
//! - Whoever starts the fork server holds no lock, has borrowed nothing and initialises nothing that
//!   a task will want: it stays so in the workers. ([`ForkServer`] says more.)
//! - Nobody changes the program's executable segments while it runs.
//! - Nobody starts a thread between the count and the fork. Only another thread could, and there is
//!   none, or a signal handler.
//! - Nobody but the pool writes to its sockets. A task that writes to descriptors at random can
//!   send the parent a false answer: it is then decoded as any bytes are, and is an error or a
//!   wrong value, not undefined behaviour.
//! - A task does to itself what it does: one that is unsound in a thread is so in a worker.

mod start_error;

#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
pub mod crew;
#[cfg(target_os = "linux")]
mod frame;
#[cfg(all(fuzzing, target_os = "linux"))]
#[path = "../fuzz/inside.rs"]
pub mod fuzzing;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod inbox;
#[cfg(target_os = "linux")]
mod large;
#[cfg(target_os = "linux")]
mod line;
#[cfg(target_os = "linux")]
mod pace;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod seat;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
pub mod steps;
#[cfg(target_os = "linux")]
mod template;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use start_error::StartError;
#[cfg(not(target_os = "linux"))]
pub use unsupported::{ForkServer, ProcessPool};
#[cfg(target_os = "linux")]
pub use {
    call::{Answer, Call, Failure},
    pool::ProcessPool,
    server::ForkServer,
};
