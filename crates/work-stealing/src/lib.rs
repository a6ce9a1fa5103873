//! Stage 5: rayon.
//!
//! No part of the program assigns the items. A worker halves the slice, leaves one half where an
//! idle worker can take it, and halves the other half again: that is work stealing. Work stealing
//! costs next to nothing when no worker is idle, which is why `par_iter` is the first thing to try.
//!
//! Work stealing is not a queue. By default rayon stops halving when there are about two pieces for
//! each worker, and splits further only where a piece was stolen, so with few and uneven items its
//! schedule is a matter of luck. With a `max_len` of 1 ([`WorkStealing::with_max_len`]), rayon
//! halves down to single items.
//!
//! A task may map over its own pool, or over a second pool whose tasks map over the first: a worker
//! that waits for a map runs other items of its pool meanwhile. But rayon does not see a wait for
//! a plain thread. If a task starts a thread that maps over the task's pool, and waits for that
//! thread, the map waits for a worker, and with every worker in such a task it waits for ever. Let
//! the task map itself, or start the thread with another pool.

#![forbid(unsafe_code)]

use kernel::{Executor, Message, TaskError, catch_panic};
use rayon::prelude::*;
use rayon::{ThreadPoolBuildError, ThreadPoolBuilder};
use std::num::NonZeroUsize;

/// Runs items on rayon's work-stealing threads, labelled "rayon" in tables.
#[derive(Debug)]
pub struct WorkStealing {
    pool: rayon::ThreadPool,
    max_len: usize,
}

impl WorkStealing {
    /// Starts a rayon pool of this many threads, which splits the items as rayon does by default.
    ///
    /// # Errors
    /// [`ThreadPoolBuildError`] if the system refuses a thread; the threads that started then end.
    pub fn new(workers: NonZeroUsize) -> Result<Self, ThreadPoolBuildError> {
        Self::with_max_len(workers, NonZeroUsize::MAX)
    }

    /// Starts a rayon pool that splits the items until no piece is longer than `max_len`.
    ///
    /// # Errors
    /// [`ThreadPoolBuildError`] if the system refuses a thread.
    pub fn with_max_len(
        workers: NonZeroUsize,
        max_len: NonZeroUsize,
    ) -> Result<Self, ThreadPoolBuildError> {
        Self::start(workers, max_len, ThreadPoolBuilder::new())
    }

    /// The same with this many bytes of stack for each thread. The system rounds the number up to
    /// whole pages, and uses memory only for the pages that a thread touches. The default is 2 MiB,
    /// or the number of bytes in the environment variable `RUST_MIN_STACK`; a thread that runs out
    /// of its stack ends the whole program. With [`NonZeroUsize::MAX`] for `max_len`, the pool
    /// splits the items as rayon does by default.
    ///
    /// ```
    /// # use {kernel::Executor, std::num::NonZeroUsize, work_stealing::WorkStealing};
    /// let (two, any) = (NonZeroUsize::new(2).unwrap(), NonZeroUsize::MAX);
    /// let pool = WorkStealing::with_stack_size(two, any, 16 << 20)?;
    /// assert_eq!(pool.map(|n: u64| n + 1, vec![1, 2])?, [2, 3]);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// [`ThreadPoolBuildError`] if the system refuses a thread.
    pub fn with_stack_size(
        workers: NonZeroUsize,
        max_len: NonZeroUsize,
        bytes: usize,
    ) -> Result<Self, ThreadPoolBuildError> {
        Self::start(workers, max_len, ThreadPoolBuilder::new().stack_size(bytes))
    }

    fn start(
        workers: NonZeroUsize,
        max_len: NonZeroUsize,
        builder: ThreadPoolBuilder,
    ) -> Result<Self, ThreadPoolBuildError> {
        let pool = builder.num_threads(workers.get()).build()?;
        Ok(Self { pool, max_len: max_len.get() })
    }

    /// `map` for any closure, on borrowed items. The closure may capture references to anything
    /// that outlives the call, because the call waits for every item.
    ///
    /// ```
    /// # use {std::num::NonZeroUsize, work_stealing::WorkStealing};
    /// let factor = 3; // borrowed by the closure, on two threads
    /// let items = [1, 2, 3];
    /// let pool = WorkStealing::new(NonZeroUsize::new(2).unwrap())?;
    /// assert_eq!(pool.map_closure(|n| n * factor, &items), [3, 6, 9]);
    /// # Ok::<(), rayon::ThreadPoolBuildError>(())
    /// ```
    ///
    /// # Panics
    /// If the closure panics, once the pieces that had begun have ended, with the closure's panic.
    // ANCHOR: map_closure
    pub fn map_closure<'items, A, R, F>(&self, task: F, items: &'items [A]) -> Vec<R>
    where
        A: Sync,
        R: Send,
        F: Fn(&'items A) -> R + Sync + Send,
    {
        self.pool.install(|| items.par_iter().with_max_len(self.max_len).map(task).collect())
    }
    // ANCHOR_END: map_closure
}

impl Executor for WorkStealing {
    // ANCHOR: map_each
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        // `install` moves the call into this pool; without `install`, rayon uses its global pool.
        self.pool.install(|| {
            items
                .into_par_iter()
                .with_max_len(self.max_len)
                .enumerate()
                .map(|(index, item)| catch_panic(index, task, item))
                .collect()
        })
    }
    // ANCHOR_END: map_each

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.pool.current_num_threads())
            .expect("the pool was made with one or more")
    }
}
