//! Stage 3: a pool of threads that stay, from the `threadpool` crate.
//!
//! Starting a thread costs tens of microseconds, so a program that maps often keeps its threads. A
//! pool saves the starts and nothing else: the work is as long as before.
//!
//! The `threadpool` crate has been unmaintained since 2020. The kit uses it because the crate is
//! finished and small enough to read in one sitting: a queue of boxed closures, a counter, a
//! condition variable. This wrapper removes four of the crate's traps, each a way to wait for ever
//! or to lose something:
//!
//! - A job that panics sends no answer, and the documented `rx.iter().take(n)` waits for that
//!   answer for ever. Here the panic is caught and becomes that item's answer, an error.
//! - Dropping the crate's pool does not wait. Here [`Drop`] joins, so that no job runs on after
//!   the pool is gone.
//! - A job that waits for a map over its own pool can wait for ever: the map needs a worker, and
//!   every worker may be waiting for such a map. The wait may also run through a second pool, or
//!   through a thread that the job has started. Here a map that finds every worker taken is run by
//!   the thread that called it, and workers join in as they become free.
//! - If the system refuses a thread, the crate panics. Here the pool has the threads that started.

#![forbid(unsafe_code)]

use kernel::{Executor, Message, TaskError, catch_panic};
use std::cell::Cell;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

thread_local! {
    /// Whether this thread is a worker, of this pool or of another.
    static IS_WORKER: Cell<bool> = const { Cell::new(false) };
}

/// Runs items on threads that are started once and kept.
#[derive(Debug)]
pub struct ThreadPool {
    pool: threadpool::ThreadPool,
    /// How many workers the maps that are under way may take, all together.
    taken: Mutex<usize>,
}

impl ThreadPool {
    /// Starts this many threads, which end when the pool is dropped. If the system refuses a
    /// thread, the pool has the threads that started before: see [`workers`](Executor::workers).
    /// (The crate's message of the refusal is then printed to standard error.)
    ///
    /// # Panics
    /// If the system refuses the first thread.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self::start(workers, threadpool::Builder::new())
    }

    /// The same with this many bytes of stack for each thread. The system rounds the number up to
    /// whole pages, and uses memory only for the pages that a thread touches. The default is 2 MiB,
    /// or the number of bytes in the environment variable `RUST_MIN_STACK`; a thread that runs out
    /// of its stack ends the whole program.
    ///
    /// ```
    /// # use {kernel::Executor, std::num::NonZeroUsize, thread_pool::ThreadPool};
    /// let pool = ThreadPool::with_stack_size(NonZeroUsize::new(2).unwrap(), 16 << 20);
    /// assert_eq!(pool.map(|n: u64| n + 1, vec![1, 2])?, [2, 3]);
    /// # Ok::<(), kernel::TaskError>(())
    /// ```
    ///
    /// # Panics
    /// If the system refuses the first thread.
    pub fn with_stack_size(workers: NonZeroUsize, bytes: usize) -> Self {
        Self::start(workers, threadpool::Builder::new().thread_stack_size(bytes))
    }

    fn start(workers: NonZeroUsize, builder: threadpool::Builder) -> Self {
        let mut pool = builder.thread_name("pool worker".to_owned()).num_threads(1).build();
        // The crate starts threads inside a function that panics at the first refusal, so the pool
        // grows by one thread at a time: after a panic it is known how many threads there are.
        for threads in 2..=workers.get() {
            if catch_unwind(AssertUnwindSafe(|| pool.set_num_threads(threads))).is_err() {
                pool.set_num_threads(threads - 1);
                break;
            }
        }
        Self { pool, taken: Mutex::new(0) }
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

    /// Runs the job on every item, on the pool's threads, and waits for the answers. The job must
    /// not panic.
    // ANCHOR: run
    fn run<A, R, F>(&self, job: F, items: Vec<A>) -> Vec<R>
    where
        A: Send + 'static,
        R: Send + 'static,
        F: Fn(usize, A) -> R + Send + Sync + 'static,
    {
        let count = items.len();
        let (sender, answers) = mpsc::channel();
        let items: Vec<_> = items.into_iter().map(|item| (item, sender.clone())).collect();
        // Every item has a sender of its own. Drop the first sender: the loop at the end of this
        // function ends when no sender is left, so it would wait for this one for ever.
        drop(sender);
        let queue = Mutex::new(items.into_iter().enumerate());
        let work = Arc::new(move || {
            // A closure, so that the lock is held while taking and not while working.
            let take = || locked(&queue).next();
            while let Some((index, (item, sender))) = take() {
                // The receiver is gone only if the caller is gone, and then the answer is not
                // needed.
                let _ = sender.send((index, job(index, item)));
            }
        });
        let places = count.min(self.workers().get());
        if self.send_jobs(&work, places) {
            work();
        }
        let mut slots: Vec<Option<R>> = (0..count).map(|_| None).collect();
        for (index, answer) in answers {
            slots[index] = Some(answer);
        }
        *locked(&self.taken) -= places;
        slots.into_iter().map(|slot| slot.expect("every item has its answer")).collect()
    }
    // ANCHOR_END: run

    /// Sends the work to as many workers as there are places, and returns whether the caller has to
    /// work too, in one of the places.
    fn send_jobs(&self, work: &Arc<impl Fn() + Send + Sync + 'static>, places: usize) -> bool {
        let workers = self.workers().get();
        // The lock is held until the jobs are in the pool's queue. So if a worker is left for this
        // map, the jobs in front of this map's first job cannot occupy all workers, whatever they
        // wait for: this map begins, and the caller may wait. Otherwise only the caller is sure.
        let mut taken = locked(&self.taken);
        let caller_helps = *taken >= workers;
        *taken += places;
        let mut jobs = places;
        if caller_helps {
            // A job that comes late, when the map is over, finds an empty queue and ends. A job
            // that makes many such maps must not fill the pool's queue with late jobs.
            let room = workers.saturating_sub(self.pool.queued_count());
            jobs = places.saturating_sub(1).min(room);
        }
        for _ in 0..jobs {
            let work = Arc::clone(work);
            self.pool.execute(move || {
                IS_WORKER.set(true);
                work();
            });
        }
        caller_helps
    }
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
        // A worker that drops a pool in a job must not join: it would wait for the job that it is
        // running, or for a worker of another pool that waits in the same way. The threads end by
        // themselves once the queue is empty.
        if !IS_WORKER.get() {
            self.pool.join();
        }
    }
}

/// Takes a lock. No code of a task runs under a lock of this file, so no panic leaves the value
/// half changed.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
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
    fn many_maps_in_a_job_leave_few_late_jobs() {
        static POOL: OnceLock<ThreadPool> = OnceLock::new();
        /// Maps over and over while every worker is taken, and returns the longest queue.
        fn longest_queue(_: u64) -> usize {
            let pool = POOL.get().unwrap();
            let lengths = (0..100).map(|_| {
                assert_eq!(pool.map(|n: u64| n, vec![1, 2, 3]).unwrap(), [1, 2, 3]);
                pool.pool.queued_count()
            });
            lengths.max().unwrap()
        }
        let pool = POOL.get_or_init(|| ThreadPool::new(two()));
        let longest = pool.map(longest_queue, vec![1, 2]).unwrap();
        assert!(longest.iter().all(|&length| length <= 2), "{longest:?}");
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
