//! What both process pools stand on: fork once, early, and fork every worker from that copy.
//!
//! ```text
//! program ── control channel ──> template ── fork ──> worker A
//!    │                          (fork server)         worker B
//!    └── one socket for each worker ────────────────────┘
//! ```
//!
//! A pool opens a [`ControlChannel`] and asks for workers. With each request travels the worker's
//! end of its socket, and the function that the worker is to run: its [`WorkerLoop`]. So this crate
//! knows no pool, and two pools with different loops use one template.
//!
//! | file | its idea |
//! |---|---|
//! | `server` | fork once, early, while there is one thread; refuse otherwise |
//! | `template` | the copy that forks all workers, reaps them and reports |
//! | `control_channel` | what a pool and the template send each other |
//! | `task_address` | a function travels as its address, beside the code that knows its types |
//! | `image` | which addresses may travel |
//! | `inherited` | what workers change of what they inherit: handlers, descriptors, groups |
//! | `panics` | in a worker: a panic becomes a value, with its place |
//! | `last_words` | the text of a panic that aborts reaches the error all the same |
//! | `codec` | values as bytes, and an error where a value would come back as another value |
//! | `wire` | bytes and descriptors through a socket |
//! | `large` | room for large messages, in large pages |
//!
//! # Soundness
//!
//! A worker calls functions whose addresses came through a socket: its loop, and then the tasks.
//! The call is sound if both processes have the same function at that address. These conditions
//! make sure of it, and each is checked:
//!
//! - Every worker is a fork of a fork of this program (no `exec` between), so the program's file
//!   is mapped at the same addresses.
//! - Only addresses in the executable segments of that file are sent, and only such addresses are
//!   called. Code from a library, from a just-in-time compiler or from anything opened later is
//!   refused ([`kernel::TaskErrorKind::NotInTemplate`]).
//! - [`TaskAddress::of`] takes a `fn(A) -> R`, and the code that knows `A` and `R` travels as a
//!   second address beside it. Only a worker can run a `TaskAddress`.
//! - An address is called and never compared: the linker may fold equal functions into one.
//! - A fork happens only in a process with one thread, counted in `/proc/self/task`; so a child has
//!   every thread that its memory tells of.
//! - Nothing unwinds out of a forked child. The child ends by `_exit`.
//!
//! These conditions are assumed, and not checked:
//!
//! - The thread that starts the fork server holds no lock, has borrowed nothing and initialises
//!   nothing that a task will need: in the workers, such a lock, borrow or initialisation stays as
//!   it was. ([`ForkServer`] says more.)
//! - The program's executable segments do not change while the program runs.
//! - No thread is started between the count and the fork. No other thread exists that could start
//!   one, so only a signal handler could.
//! - Addresses that arrive are those that were sent: nothing marks them. A pool's worker loop takes
//!   [`TaskAddress::received`] from its pool's calls and from nothing
//!   else, and only the pool writes calls to its workers' sockets. A task that writes to
//!   descriptors at random can send the *program* a false answer: such an answer is decoded as any
//!   bytes are, and becomes an error or a wrong value, not undefined behaviour.
//! - The task itself is sound: a task that is unsound in a thread is unsound in a worker, too.

mod start_error;

#[cfg(target_os = "linux")]
pub mod codec;
#[cfg(target_os = "linux")]
mod control_channel;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod inherited;
#[cfg(target_os = "linux")]
pub mod large;
#[cfg(target_os = "linux")]
mod last_words;
#[cfg(target_os = "linux")]
pub mod panics;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
mod task_address;
#[cfg(target_os = "linux")]
mod template;
#[cfg(target_os = "linux")]
pub mod wire;

#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use start_error::StartError;
#[cfg(not(target_os = "linux"))]
pub use unsupported::ForkServer;
#[cfg(target_os = "linux")]
pub use {
    control_channel::{ControlChannel, News, WorkerEnd, WorkerLoop, WorkerReport},
    inherited::{flush_output, is_bound_to_the_program},
    server::ForkServer,
    task_address::{Carry, TaskAddress, TaskFailure},
};
