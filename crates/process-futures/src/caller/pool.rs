//! The pool, as a program sees it: a handle.

use crate::caller::call::call;
use crate::caller::future::TaskFuture;
use crate::caller::map::{Map, MapOptions};
use crate::caller::shared::Shared;
use crate::caller::state::Order;
use kernel::{Executor, Message, TaskError};
use std::num::NonZeroUsize;
use std::sync::{Arc, mpsc};
use std::time::Duration;

/// A pool of worker processes ([`concurrent.futures.ProcessPoolExecutor`]).
///
/// A pool may be shared: any number of threads submit to it and wait for its futures at once.
/// Inside its own workers, a pool is refused at once: a worker cannot make a pool
/// ([`StartError::InWorker`](crate::StartError::InWorker)), and a worker's copy of a pool fails
/// each call with [`Broken`](kernel::TaskErrorKind::Broken). So a task that waits for its own pool
/// gets an error, where a task in Python waits for ever.
///
/// Dropping the pool cancels the calls that no worker has, waits for the calls that are running
/// (and for workers that are still in their initializer), and leaves no child. The wait has no limit
/// unless [`drop_timeout`](crate::Builder::drop_timeout) sets one. Futures outlive the pool.
///
/// A pool in a `static` is never dropped, and nothing waits for its calls at the program's end: when
/// `main` returns, calls that are running or queued are lost, and nothing says so. (Python waits for
/// them.) So end `main` with the line that waits:
///
/// ```no_run
/// # use process_futures::ProcessPoolExecutor;
/// # use std::sync::OnceLock;
/// # fn save(_page: String) {}
/// static POOL: OnceLock<ProcessPoolExecutor> = OnceLock::new();
///
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let new = ProcessPoolExecutor::builder().build()?;
///     let pool = POOL.get_or_init(|| new);
///     drop(pool.submit(save, "a page".to_owned()));
///     pool.shutdown(true, false); // waits until all calls have ended
///     Ok(())
/// }
/// ```
///
/// A process that the program forks has a copy of the pool, which refuses every call at once. So do
/// the copies of futures, maps and iterators for calls that had not ended before the fork. The
/// program's own go on.
///
/// [`concurrent.futures.ProcessPoolExecutor`]: https://docs.python.org/3/library/concurrent.futures.html#processpoolexecutor
#[derive(Debug)]
pub struct ProcessPoolExecutor {
    shared: Arc<Shared>,
    drop_timeout: Option<Duration>,
}

impl ProcessPoolExecutor {
    pub(crate) fn of(shared: Arc<Shared>, drop_timeout: Option<Duration>) -> Self {
        Self { shared, drop_timeout }
    }

    /// Submits one call, and returns at once.
    ///
    /// `submit` never fails by itself: a fault (an argument that does not serialise, a pool that
    /// was shut down) becomes the future's error. The argument is serialised here, on your thread.
    pub fn submit<A: Message, R: Message>(&self, task: fn(A) -> R, item: A) -> TaskFuture<R> {
        let call = self.shared.submit(call(task, &item), None, None);
        TaskFuture::new(call, Arc::clone(&self.shared))
    }

    /// Runs one function over many items, and yields the outcome of each. The first calls are
    /// submitted before `map_with` returns; the others as you ask for answers.
    ///
    /// ```no_run
    /// # use process_futures::{MapOptions, ProcessPoolExecutor};
    /// # fn square(n: u64) -> u64 { n * n }
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let pool = ProcessPoolExecutor::builder().build()?;
    /// let options = MapOptions { buffersize: Some(64.try_into()?), ..MapOptions::default() };
    /// let mut sum = 0;
    /// for answer in pool.map_with(square, 0..1_000_000, options) {
    ///     sum += answer?; // and never are there more than 64 calls in memory
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn map_with<A: Message, R: Message, I: IntoIterator<Item = A>>(
        &self,
        task: fn(A) -> R,
        items: I,
        options: MapOptions,
    ) -> Map<A, R, I::IntoIter> {
        Map::new(Arc::clone(&self.shared), task, items.into_iter(), options)
    }

    /// Closes the pool for new calls. With `cancel_futures`, calls that no worker has are
    /// cancelled; without it, these calls run. With `wait`, `shutdown` returns when all calls have
    /// ended and the workers are gone; without it, `shutdown` returns at once, and the manager
    /// thread ends the pool. (A pool without any call so far has no such thread: then `shutdown`
    /// waits for the workers, which have nothing to do but their initializers.)
    ///
    /// A second shutdown may cancel or wait where the first did not. Dropping the pool is
    /// `shutdown(true, true)`.
    pub fn shutdown(&self, wait: bool, cancel_futures: bool) {
        if self.shared.is_ours() {
            self.shared.close(cancel_futures, false, None);
            if wait {
                self.shared.join();
            }
        }
    }

    /// Kills all workers (SIGKILL) and shuts the pool down ([`kill_workers`], new in Python 3.14).
    /// Calls that no worker has are cancelled. Calls that are running fail with the death of their
    /// worker; a call that a worker has behind another call did not run, and is `Broken`. When this
    /// returns, all calls have ended and no worker is left.
    ///
    /// [`kill_workers`]: https://docs.python.org/3.14/library/concurrent.futures.html#concurrent.futures.ProcessPoolExecutor.kill_workers
    pub fn kill_workers(&self) {
        if self.shared.is_ours() {
            self.shared.close(true, true, None);
            self.shared.join();
        }
    }

    /// The workers' process ids, in the order of their letters; none after the pool's end.
    pub fn worker_pids(&self) -> Vec<u32> {
        let (to, pids) = mpsc::channel();
        if self.shared.is_ours() && self.shared.order(Order::Pids(to)) {
            return pids.recv().unwrap_or_default();
        }
        Vec::new()
    }
}

impl Executor for ProcessPoolExecutor {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        // The buffer is large enough to keep the workers in tiny tasks (64 each at a time) while
        // answers are read, and small enough that few arguments are serialised long before their
        // turn.
        let buffersize =
            self.shared.workers.saturating_mul(const { NonZeroUsize::new(256).unwrap() });
        let options =
            MapOptions { buffersize: Some(buffersize), unordered: true, ..MapOptions::default() };
        let mut answers: Vec<_> = items.iter().map(|_| None).collect();
        let mut map = self.map_with(task, items, options);
        while let Some((index, answer)) = map.next_with_index() {
            answers[index] = Some(answer);
        }
        answers.into_iter().map(|answer| answer.expect("each item has one outcome")).collect()
    }

    fn workers(&self) -> NonZeroUsize {
        self.shared.workers
    }
}

impl Drop for ProcessPoolExecutor {
    fn drop(&mut self) {
        if let Some(limit) = self.drop_timeout.filter(|_| self.shared.is_ours()) {
            self.shared.close(true, false, Some(limit));
            if !self.shared.is_over_within(limit) {
                self.shared.close(true, true, None);
            }
        }
        self.shutdown(true, true);
    }
}
