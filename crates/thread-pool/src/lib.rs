//! Stage 3: a pool of threads that stay, from the `threadpool` crate.
//!
//! Starting a thread costs tens of microseconds, so a program that maps often keeps its threads. A
//! pool saves the starts and nothing else: the work is as long as before.
//!
//! The `threadpool` crate has been unmaintained since 2020. The kit uses it because the crate is
//! finished and small enough to read in one sitting: a queue of boxed closures, a counter, a
//! condition variable. This wrapper removes three of the crate's traps, each a way to wait for ever
//! or to lose something:
//!
//! - A job that panics sends no answer, and the documented `rx.iter().take(n)` waits for that
//!   answer for ever. Here the panic is caught and becomes that item's answer, an error.
//! - Dropping the crate's pool does not wait. Here [`Drop`] joins, so that no job runs on after
//!   the pool is gone.
//! - A job that maps over its own pool can wait for ever: the inner jobs need workers, and every
//!   worker may be waiting for inner jobs. Here such a map runs on the worker that called it.

#![forbid(unsafe_code)]

use kernel::{Executor, Message, TaskError, catch_panic};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, mpsc};

thread_local! {
    /// The pool whose worker this thread is; 0 on every other thread.
    static MEMBER_OF: Cell<usize> = const { Cell::new(0) };
}

/// Runs items on threads that are started once and kept.
#[derive(Debug)]
pub struct ThreadPool {
    pool: threadpool::ThreadPool,
    /// The pool's number, different from every other pool's, so that a worker recognises its own
    /// pool.
    id: usize,
}

impl ThreadPool {
    /// Starts this many threads, which end when the pool is dropped.
    ///
    /// # Panics
    /// If the system refuses a thread.
    pub fn new(workers: NonZeroUsize) -> Self {
        static NEXT_ID: AtomicUsize = AtomicUsize::new(1);
        let pool = threadpool::ThreadPool::with_name("pool worker".to_owned(), workers.get());
        Self { pool, id: NEXT_ID.fetch_add(1, Relaxed) }
    }

    /// `map` for any closure that owns what it captures. The closure may not borrow from its
    /// caller, since these threads outlive the call; what the closure shares, it shares by [`Arc`]
    /// or by copying.
    ///
    /// ```
    /// # use {std::num::NonZeroUsize, thread_pool::ThreadPool};
    /// let pool = ThreadPool::new(NonZeroUsize::new(2).unwrap());
    /// let factor = 3;
    /// assert_eq!(pool.map_closure(move |n: u64| n * factor, vec![1, 2, 3]), [3, 6, 9]);
    /// ```
    ///
    /// [`std::thread::scope`] allows borrowing, and a pool does not:
    ///
    /// ```compile_fail,E0373
    /// # use {std::num::NonZeroUsize, thread_pool::ThreadPool};
    /// let pool = ThreadPool::new(NonZeroUsize::new(2).unwrap());
    /// let factor = 3;
    /// assert_eq!(pool.map_closure(|n: u64| n * factor, vec![1, 2, 3]), [3, 6, 9]);
    /// ```
    ///
    /// # Panics
    /// If the closure panics, once every item has been run, with the panic of the first item (in
    /// item order) whose closure panicked.
    pub fn map_closure<A, R, F>(&self, task: F, items: Vec<A>) -> Vec<R>
    where
        A: Send + 'static,
        R: Send + 'static,
        F: Fn(A) -> R + Send + Sync + 'static,
    {
        let caught = move |_, item| catch_unwind(AssertUnwindSafe(|| task(item)));
        let answers = self.run(caught, items);
        answers
            .into_iter()
            .map(|answer| answer.unwrap_or_else(|panic| resume_unwind(panic)))
            .collect()
    }

    /// Sends every item as a job, and waits for an answer to each. The job must not panic.
    // ANCHOR: run
    fn run<A, R, F>(&self, job: F, items: Vec<A>) -> Vec<R>
    where
        A: Send + 'static,
        R: Send + 'static,
        F: Fn(usize, A) -> R + Send + Sync + 'static,
    {
        if MEMBER_OF.get() == self.id {
            return items.into_iter().enumerate().map(|(index, item)| job(index, item)).collect();
        }
        let count = items.len();
        let job = Arc::new(job);
        let (sender, answers) = mpsc::channel();
        for (index, item) in items.into_iter().enumerate() {
            let (job, sender, id) = (Arc::clone(&job), sender.clone(), self.id);
            self.pool.execute(move || {
                MEMBER_OF.set(id);
                // The receiver is gone only if the caller is gone, and then the answer is not
                // needed.
                let _ = sender.send((index, job(index, item)));
            });
        }
        // Drop the caller's sender: the loop below ends when no sender is left, so it would wait
        // for this one for ever.
        drop(sender);
        let mut slots: Vec<Option<R>> = (0..count).map(|_| None).collect();
        for (index, answer) in answers {
            slots[index] = Some(answer);
        }
        slots.into_iter().map(|slot| slot.expect("every job sends its answer")).collect()
    }
    // ANCHOR_END: run
}

impl Executor for ThreadPool {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        self.run(move |index, item| catch_panic(index, task, item), items)
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.pool.max_count()).expect("the pool was made with one worker or more")
    }
}

impl Drop for ThreadPool {
    fn drop(&mut self) {
        // A worker that drops its own pool in a job must not join: it would wait for the job that
        // it is running. The threads end by themselves once the queue is empty.
        if MEMBER_OF.get() != self.id {
            self.pool.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;
    use std::sync::atomic::AtomicBool;
    use std::thread;
    use std::time::Duration;

    fn two() -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }

    #[test]
    fn dropping_the_pool_waits_for_its_jobs() {
        let done = Arc::new(AtomicBool::new(false));
        let pool = ThreadPool::new(two());
        let seen = Arc::clone(&done);
        pool.pool.execute(move || {
            thread::sleep(Duration::from_millis(50));
            seen.store(true, Relaxed);
        });
        drop(pool);
        assert!(done.load(Relaxed));
    }

    #[test]
    fn a_job_may_map_over_its_own_pool() {
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        fn nested(n: u64) -> u64 {
            POOL.get().unwrap().map(|m: u64| m + 1, vec![n, n]).unwrap().iter().sum()
        }
        let pool = POOL.get_or_init(|| ThreadPool::new(two()));
        assert_eq!(pool.map(nested, vec![1, 2, 3, 4]).unwrap(), [4, 6, 8, 10]);
    }

    #[test]
    fn a_closure_s_panic_reaches_the_caller_and_the_pool_lives_on() {
        let pool = ThreadPool::new(two());
        let panicking =
            AssertUnwindSafe(|| pool.map_closure(|n: u8| assert_ne!(n, 2), vec![1, 2, 3]));
        assert!(catch_unwind(panicking).is_err());
        assert_eq!(pool.map_closure(|n: u8| n, vec![1, 2]), [1, 2]);
    }
}
