//! The one list of stages.
//!
//! [`every_stage!`] is where tests, benches and records take the stages from. A new stage gets
//! every test and every bench by one line there: its name, where its tasks run, and how it is made
//! from a number of workers. The pool to keep, `process-futures`, is no lesson's stage, but it makes
//! the same promises and so has a line as well. [`every_step!`] lists the steps that lead to the
//! process pool; each step has a list of what it lacks.
//!
//! # What each signature asks of you
//!
//! The contract is the strictest stage's: [`Executor::map`](kernel::Executor::map) takes a function
//! and messages. Each thread stage has a second method, with as few restrictions as threads allow.
//! The examples stand in pairs: the compiler accepts the first and refuses the second, and the two
//! differ in one thing.
//!
//! **`Executor::map`** takes a function. A closure that captures is not a function:
//!
//! ```
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! let threads = Threads::new(NonZeroUsize::MIN);
//! assert_eq!(threads.map(|n: u64| n * 3, vec![1, 2])?, [3, 6]);
//! # Ok::<(), kernel::TaskError>(())
//! ```
//! ```compile_fail,E0308
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! let threads = Threads::new(NonZeroUsize::MIN);
//! let factor = 3;
//! assert_eq!(threads.map(|n: u64| n * factor, vec![1, 2])?, [3, 6]);
//! # Ok::<(), kernel::TaskError>(())
//! ```
//!
//! The items and answers of `map` must be serialisable. A [`Duration`](std::time::Duration) is; an
//! [`Instant`](std::time::Instant) is not, because it has no meaning in another process:
//!
//! ```
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! use std::time::Duration;
//! let threads = Threads::new(NonZeroUsize::MIN);
//! let _ = threads.map(|d: Duration| d.as_secs(), vec![Duration::from_secs(1)]);
//! ```
//! ```compile_fail,E0277
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! use std::time::Instant;
//! let threads = Threads::new(NonZeroUsize::MIN);
//! let _ = threads.map(|d: Instant| d.elapsed().as_secs(), vec![Instant::now()]);
//! ```
//!
//! Items and answers may not borrow, because borrowed data stays in its process.
//!
//! ```
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! let threads = Threads::new(NonZeroUsize::MIN);
//! let _ = threads.map(|word: String| word.len(), vec!["a word".to_owned()]);
//! ```
//! ```compile_fail
//! # use {kernel::Executor, one_change_tests::{NonZeroUsize, Threads}};
//! let threads = Threads::new(NonZeroUsize::MIN);
//! let _ = threads.map(|word: &'static str| word.len(), vec!["a word"]);
//! ```
//!
//! **`Threads::map_closure`** and **`WorkStealing::map_closure`** take a closure that borrows, on
//! borrowed items of any type. The threads share what the closure borrows: a `Cell` is refused, an
//! atomic is welcome.
//!
//! ```
//! # use one_change_tests::{NonZeroUsize, Threads, WorkStealing};
//! use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
//! let sum = AtomicU64::new(0);
//! let add = |n: &u64| sum.fetch_add(*n, Relaxed);
//! Threads::new(NonZeroUsize::MIN).map_closure(add, &[1, 2]);
//! WorkStealing::new(NonZeroUsize::MIN).unwrap().map_closure(add, &[3, 4]);
//! assert_eq!(sum.into_inner(), 10);
//! ```
//! ```compile_fail,E0277
//! # use one_change_tests::{NonZeroUsize, Threads};
//! use std::cell::Cell;
//! let sum = Cell::new(0);
//! let add = |n: &u64| sum.set(sum.get() + *n);
//! Threads::new(NonZeroUsize::MIN).map_closure(add, &[1, 2]);
//! ```
//! ```compile_fail,E0277
//! # use one_change_tests::{NonZeroUsize, WorkStealing};
//! use std::cell::Cell;
//! let sum = Cell::new(0);
//! let add = |n: &u64| sum.set(sum.get() + *n);
//! WorkStealing::new(NonZeroUsize::MIN).unwrap().map_closure(add, &[3, 4]);
//! ```
//!
//! **`ThreadPool::map_closure`** takes a closure that owns what it captures. The pool's threads
//! outlive the call, so a borrow is refused; use an `Arc` to share:
//!
//! ```
//! # use one_change_tests::{NonZeroUsize, ThreadPool};
//! use std::sync::Arc;
//! let factors = Arc::new(vec![3]);
//! let copy = Arc::clone(&factors);
//! let pool = ThreadPool::new(NonZeroUsize::MIN);
//! assert_eq!(pool.map_closure(move |n: u64| n * copy[0], vec![1, 2]), [3, 6]);
//! # drop(factors);
//! ```
//! ```compile_fail,E0597
//! # use one_change_tests::{NonZeroUsize, ThreadPool};
//! let factors = vec![3];
//! let copy = &factors;
//! let pool = ThreadPool::new(NonZeroUsize::MIN);
//! assert_eq!(pool.map_closure(move |n: u64| n * copy[0], vec![1, 2]), [3, 6]);
//! # drop(factors);
//! ```
//! ```compile_fail,E0277
//! # use one_change_tests::{NonZeroUsize, ThreadPool};
//! use std::rc::Rc;
//! let factors = Rc::new(vec![3]);
//! let copy = Rc::clone(&factors);
//! let pool = ThreadPool::new(NonZeroUsize::MIN);
//! assert_eq!(pool.map_closure(move |n: u64| n * copy[0], vec![1, 2]), [3, 6]);
//! # drop(factors);
//! ```
//!
//! **`ProcessPool`** and **`ProcessPoolExecutor`** take no closure, because their workers can reach
//! no data of the caller.

#![forbid(unsafe_code)]

pub mod exercise;
pub mod lesson;
pub mod mask;
pub mod meeting;
#[cfg(unix)]
pub mod own_process;

#[cfg(target_os = "linux")]
pub use process_futures::ProcessPoolExecutor;
pub use processes::ProcessPool;
pub use processes::steps::{self, Lack};
pub use serial::Serial;
pub use std::num::NonZeroUsize;
pub use thread_pool::ThreadPool;
pub use threads::{Split, Threads};
pub use work_stealing::WorkStealing;

/// One line of the list: a stage (or a step), and what the tests have to know about it.
#[derive(Debug)]
pub struct Stage<E> {
    /// The stage's name in the names of tests and benches.
    pub label: &'static str,
    /// Where the stage's tasks run.
    pub place: Place,
    /// The promises that the stage does not keep. The tests assert that each of these promises is
    /// really broken.
    pub lacks: &'static [Lack],
    /// Makes the executor. The function panics if the system refuses.
    pub make: fn(NonZeroUsize) -> E,
}

// Implemented by hand, because a derive would require an executor that can be cloned.
impl<E> Clone for Stage<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Stage<E> {}

/// Where the tasks of a stage run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the caller's thread, one after the other.
    Caller,
    /// On threads of the caller's process: items and answers stay in one memory.
    Threads,
    /// In children forked for the call: the children have the items already, and the answers
    /// travel.
    Forks,
    /// In worker processes: items and answers travel.
    Processes,
}

/// Runs an expression once for each stage: `every_stage!(stage => use_it(stage))`.
///
/// The variable is a [`Stage`], of another type each time, so a function that takes it is generic
/// over the executor:
///
/// ```
/// # use {kernel::Executor, one_change_tests::{Stage, every_stage}};
/// fn label<E: Executor>(stage: Stage<E>) -> &'static str { stage.label }
/// let mut labels = Vec::new();
/// every_stage!(stage => labels.push(label(stage)));
/// assert_eq!(labels[0], "serial");
/// ```
#[macro_export]
macro_rules! every_stage {
    ($stage:ident => $body:expr) => {
        // label, where its tasks run, what it lacks: how it is made from a number of workers
        $crate::each_line! { $stage => $body;
            "serial", Place::Caller, &[Lack::IdleTakesNext] =>
                |_| Serial;
            "threads", Place::Threads, &[] =>
                Threads::new;
            "threads-ceil-chunks", Place::Threads, &[Lack::IdleTakesNext] =>
                |workers| Threads::with_split(workers, Split::CeilChunks);
            "threads-balanced-chunks", Place::Threads, &[Lack::IdleTakesNext] =>
                |workers| Threads::with_split(workers, Split::BalancedChunks);
            "thread-pool", Place::Threads, &[] =>
                ThreadPool::new;
            #[cfg(target_os = "linux")]
            "processes", Place::Processes, &[] =>
                |workers| ProcessPool::new(workers).expect("the pool starts");
            #[cfg(target_os = "linux")]
            "process-futures", Place::Processes, &[] =>
                |workers| {
                    let builder = ProcessPoolExecutor::builder().max_workers(workers);
                    builder.build().expect("the pool starts")
                };
            "rayon", Place::Threads, &[Lack::IdleTakesNext] =>
                |workers| WorkStealing::new(workers).expect("rayon starts");
            "rayon-max-len-1", Place::Threads, &[] =>
                |workers| WorkStealing::with_max_len(workers, NonZeroUsize::MIN).expect("rayon starts");
        }
    };
}

/// Runs an expression once for each step that leads to the process pool, as [`every_stage!`] does
/// for the stages. Each step has its own list of what it lacks.
#[macro_export]
macro_rules! every_step {
    ($step:ident => $body:expr) => {
        $crate::each_line! { $step => $body;
            #[cfg(target_os = "linux")]
            "s1_fork", Place::Forks, steps::s1_fork::LACKS =>
                steps::ForkPerItem::new;
            #[cfg(target_os = "linux")]
            "s2_split", Place::Forks, steps::s2_split::LACKS =>
                steps::ForkSplit::new;
            #[cfg(target_os = "linux")]
            "s3_queue", Place::Processes, steps::s3_queue::LACKS =>
                steps::ForkQueue::new;
        }
    };
}

/// Makes a [`Stage`] of each line and runs the expression on it.
#[doc(hidden)]
#[macro_export]
macro_rules! each_line {
    ($stage:ident => $body:expr;
     $($(#[$only:meta])? $label:literal, $place:expr, $lacks:expr => $make:expr;)*) => { $(
        $(#[$only])?
        {
            let $stage = {
                use $crate::*;
                Stage { label: $label, place: $place, lacks: $lacks, make: $make }
            };
            $body;
        }
    )* };
}
