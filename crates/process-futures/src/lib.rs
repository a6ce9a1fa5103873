//! A pool of worker processes that you can keep.
//!
//! It is [`processes`] with a longer life: hand over one task now and ask for its answer later,
//! stream a million items through it, cancel, set time limits, let workers retire, and go on after
//! a worker has died. The words are those of Python's [`concurrent.futures`]: whoever knows them
//! knows this crate.
//!
//! ```no_run
//! use process_futures::ProcessPoolExecutor;
//!
//! fn square(n: u64) -> u64 {
//!     n * n
//! }
//!
//! fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     // Before the program has threads: see `processes::ForkServer`.
//!     let pool = ProcessPoolExecutor::builder().max_workers(2.try_into()?).build()?;
//!     let future = pool.submit(square, 7);
//!     assert_eq!(future.result()?, 49);
//!     Ok(())
//! }
//! ```
//!
//! (The example is compiled here and not run. `examples/tour.rs` is one that runs, in the tests.)
//!
//! # What differs from `concurrent.futures`
//!
//! | there | here |
//! |---|---|
//! | a callable and arguments that must pickle, found out when it runs | `fn(A) -> R` and [`Message`](kernel::Message)s, found out when it compiles |
//! | a dead worker breaks the pool, and every future in it fails | it fails the call that it was running, and is replaced; [`OnDeath::Break`] is Python's way |
//! | `result(timeout)` stops waiting and leaves the task alone | [`TaskFuture::result_timeout`] ends the task too; [`wait()`] is for waiting only |
//! | `map` reads its whole input first, unless `buffersize` is given (3.14) | the same |
//! | a `map` raises at the first error and is over | it yields a `Result` for each item, and goes on |
//! | an exception in a chunk costs the chunk | a panic costs its item; a death costs the chunk |
//! | `submit` after `shutdown` raises | it gives a future that has failed already |
//! | a pool as context manager runs what is queued before it ends | dropping it cancels what is queued; [`shutdown(true, false)`](ProcessPoolExecutor::shutdown) runs it |
//! | `add_done_callback` | not there: whose thread would it run on? [`as_completed`] says the same in order |
//!
//! # Who does the work
//!
//! Somebody has to move bytes and see to the dead: whoever holds the crew does, and that is called
//! *pumping* here. Whoever waits for an answer pumps on its own thread, because a thread in between
//! would have to be woken first and would have to wake the caller then. While nobody waits, a
//! manager thread pumps; it is started by the first `submit`. `pump.rs` has the rules by which the
//! crew changes hands.
//!
//! [`concurrent.futures`]: https://docs.python.org/3/library/concurrent.futures.html

#![forbid(unsafe_code)]
#![cfg(target_os = "linux")]

mod builder;
mod end;
mod future;
mod mailbox;
mod manager;
mod map;
mod pool;
mod pump;
mod shared;
mod slot;
mod state;
mod wait;

pub use builder::{BuildError, Builder, OnDeath};
pub use future::TaskFuture;
pub use map::{Map, MapOptions};
pub use pool::ProcessPoolExecutor;
pub use wait::{AsCompleted, DoneAndNotDone, ReturnWhen, as_completed, wait};
