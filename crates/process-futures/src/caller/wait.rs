//! Waiting for several futures: until some have ended, or for each in the order in which they end.

use crate::caller::completions::Completions;
use crate::caller::driver::wait_parked;
use crate::caller::future::TaskFuture;
use crate::caller::shared::Shared;
use kernel::Message;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When [`wait()`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When any call ends or is cancelled.
    FirstCompleted,
    /// When any call ends in an error; if no call does, when all have ended. A cancelled call is
    /// not an error here, as in Python.
    FirstException,
    /// When all calls have ended or are cancelled.
    AllCompleted,
}

/// What [`wait()`] returns: its futures, in the order in which they were given.
#[derive(Debug)]
pub struct DoneAndNotDone<R> {
    /// The futures whose calls had ended when `wait` returned.
    pub done: Vec<TaskFuture<R>>,
    /// The other futures.
    pub not_done: Vec<TaskFuture<R>>,
}

/// Waits for some calls ([`concurrent.futures.wait`]), of one pool or of several, and no longer
/// than `timeout` (`None`: as long as it takes). The end of the time limit ends no call: `wait`
/// only waits.
///
/// In a fork of the program that made a pool, `wait` cannot wait, and returns at once.
///
/// [`concurrent.futures.wait`]: https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.wait
pub fn wait<R: Message>(
    futures: impl IntoIterator<Item = TaskFuture<R>>,
    timeout: Option<Duration>,
    return_when: ReturnWhen,
) -> DoneAndNotDone<R> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let watched = Watched::new(futures);
    let (mut left, mut enough) = (watched.futures.len(), false);
    watched.wait_until(deadline, || {
        while let Some(at) = watched.completions.take() {
            left -= 1;
            enough |= match return_when {
                ReturnWhen::FirstCompleted => true,
                ReturnWhen::FirstException => watched.futures[at].has_failed(),
                ReturnWhen::AllCompleted => false,
            };
        }
        enough || left == 0
    });
    let (done, not_done) = watched.futures.iter().cloned().partition(TaskFuture::done);
    DoneAndNotDone { done, not_done }
}

/// The futures in the order in which their calls end ([`concurrent.futures.as_completed`]); first
/// the futures whose calls have ended already. The futures may belong to several pools.
///
/// In a fork of the program that made the pool, `as_completed` cannot wait; the futures come at
/// once, and their results are errors.
///
/// [`concurrent.futures.as_completed`]: https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.as_completed
pub fn as_completed<R: Message>(
    futures: impl IntoIterator<Item = TaskFuture<R>>,
) -> AsCompleted<R> {
    let watched = Watched::new(futures);
    if !watched.are_ours() {
        let not_done = |(_, future): &(usize, &TaskFuture<R>)| !future.done();
        let not_done = watched.futures.iter().enumerate().filter(not_done);
        not_done.for_each(|(at, _)| watched.completions.put(at));
    }
    AsCompleted { left: watched.futures.len(), watched }
}

/// The iterator of [`as_completed`].
#[derive(Debug)]
#[must_use = "it waits for nothing until it is asked for the next future"]
pub struct AsCompleted<R> {
    watched: Watched<R>,
    left: usize,
}

impl<R: Message> Iterator for AsCompleted<R> {
    type Item = TaskFuture<R>;

    fn next(&mut self) -> Option<TaskFuture<R>> {
        self.left = self.left.checked_sub(1)?;
        let watched = &self.watched;
        watched.wait_until(None, || !watched.completions.is_empty());
        watched.completions.take().map(|at| watched.futures[at].clone())
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<R: Message> ExactSizeIterator for AsCompleted<R> {}

/// Futures, and completions that are notified of their ends as long as this value lives. The thread
/// that waits owns this value, so no lock guards the fields.
#[derive(Debug)]
struct Watched<R> {
    futures: Vec<TaskFuture<R>>,
    completions: Arc<Completions>,
    /// The pool of all futures, if they have one pool in common: then the thread that waits may
    /// drive it.
    pool: Option<Arc<Shared>>,
}

impl<R: Message> Watched<R> {
    fn new(futures: impl IntoIterator<Item = TaskFuture<R>>) -> Self {
        let futures: Vec<_> = futures.into_iter().collect();
        let completions = Completions::new();
        for (at, future) in futures.iter().enumerate() {
            future.call.watch(&completions, at);
        }
        let pool = futures.first().map(|future| Arc::clone(&future.shared));
        let pool = pool.filter(|pool| futures.iter().all(|other| Arc::ptr_eq(&other.shared, pool)));
        Self { futures, completions, pool }
    }

    fn are_ours(&self) -> bool {
        self.futures.iter().all(|future| future.shared.is_ours())
    }

    fn wait_until(&self, deadline: Option<Instant>, ready: impl FnMut() -> bool) -> bool {
        let deadline = if self.are_ours() { deadline } else { Some(Instant::now()) };
        self.completions.read_here();
        match &self.pool {
            Some(pool) if pool.is_ours() => pool.wait_until(deadline, ready),
            _ => wait_parked(deadline, ready),
        }
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        for future in &self.futures {
            future.call.unwatch(&self.completions);
        }
    }
}
