//! A pool of worker processes that you can keep.
//!
//! This pool is stage 4's pool with a longer life: submit one task now and ask for its answer
//! later, stream a million items through the pool, cancel, set time limits, let workers retire, and
//! go on after a worker has died. The names are those of Python's [`concurrent.futures`].
//!
//! ```no_run
//! use process_futures::ProcessPoolExecutor;
//!
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Before the program has threads: see `ForkServer`.
//!     let pool = ProcessPoolExecutor::builder().max_workers(2.try_into()?).build()?;
//!     let future = pool.submit(square, 7);
//!     assert_eq!(future.result()?, 49);
//!     Ok(())
//! }
//! ```
//!
//! (This example is compiled but not run. The tests run a longer example, `examples/tour.rs`.)
//!
//! # What differs from `concurrent.futures`
//!
//! | there | here |
//! |---|---|
//! | a callable and arguments that must pickle, found out when it runs | `fn(A) -> R` and [`Message`](kernel::Message)s, found out when it compiles |
//! | a dead worker breaks the pool, and every future in it fails | a dead worker fails the call that it was running, and is replaced; [`OnDeath::Break`] is Python's way |
//! | `result(timeout)` raises `TimeoutError` when the time is over, and the task goes on | [`TaskFuture::result_timeout`] gives `None`, and the task goes on |
//! | nothing ends a task that takes too long | [`TaskFuture::result_or_kill`] ends it; so does the timeout of a map |
//! | `map` reads its whole input first, unless `buffersize` is given (3.14) | the same |
//! | a `map` raises at the first error and is over (as of 3.14; later versions go on: issue gh-108518) | a map yields a `Result` for each item, and goes on |
//! | a `map` that is thrown away runs to its end if it was never asked for an answer; else its queued calls are cancelled | a map that is dropped cancels its queued calls in both cases |
//! | an exception in a chunk costs the chunk | a panic costs its item; a death costs the chunk |
//! | `submit` after `shutdown` raises | `submit` returns a future that has failed already |
//! | a pool as context manager runs what is queued before it ends | dropping the pool cancels what is queued; [`shutdown(true, false)`](ProcessPoolExecutor::shutdown) runs it |
//! | the interpreter waits at its exit for the calls of every pool | a `static` pool is never dropped, and its calls are lost when `main` returns: end `main` with `shutdown(true, false)` |
//! | a fork of the program that uses the program's pool hangs | it gets an error for each call that had not ended before the fork |
//! | `add_done_callback` | not there: whose thread would it run on? [`as_completed`] says the same in order |
//!
//! # Which thread does the work
//!
//! Some thread has to move bytes and replace dead workers. The thread that has the pool's core does
//! this: the thread *drives* the pool. A thread that waits for an answer drives the pool itself,
//! because a thread in between would have to be woken first, and would then have to wake the
//! caller. While no thread waits, a manager thread drives; it is started by the first `submit`.
//! `caller/driver.rs` has the rules by which the core changes hands.
//!
//! # Where things are
//!
//! | folder, file | its idea |
//! |---|---|
//! | `caller/` | runs in the program |
//! | `pool`, `builder`, `future`, `map`, `wait` | what a program sees |
//! | `shared`, `state`, `call_state`, `completions` | what the pool's threads share |
//! | `driver`, `manager`, `end` | which thread drives, and how it ends |
//! | `core`, `lifecycle`, `orders`, `limits` | all workers together, their lives, what a pool may ask |
//! | `worker_handle`, `call`, `batching` | one worker; a call as a packet; how many calls it gets |
//! | `worker/` | runs in each worker: a call, an answer, until the socket is closed |
//! | `wire/` | what travels: frames, descriptors beside them, and how they are received |
//!
//! [`concurrent.futures`]: https://docs.python.org/3/library/concurrent.futures.html

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod caller;
#[cfg(fuzzing)]
#[path = "../fuzz/inside.rs"]
pub mod fuzzing;
mod wire;
mod worker;

pub use caller::builder::{BuildError, Builder, OnDeath};
pub use caller::future::TaskFuture;
pub use caller::map::{Map, MapOptions};
pub use caller::pool::ProcessPoolExecutor;
pub use caller::wait::{AsCompleted, DoneAndNotDone, ReturnWhen, as_completed, wait};
pub use fork_server::codec::read_back;
pub use fork_server::{ForkServer, StartError};
