//! Waiting for several futures: until some have ended, or for each in the order in which they end.

use crate::caller::completions::Completions;
use crate::caller::driver::wait_parked;
use crate::caller::future::TaskFuture;
use crate::caller::shared::Shared;
use kernel::Message;
use std::collections::{BTreeMap, HashSet};
use std::process;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// When [`wait()`] returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReturnWhen {
    /// When any call ends or is cancelled.
    FirstCompleted,
    /// When any call ends in an error; if no call does, when all have ended. A cancelled call is
    /// not an error here, as in Python. An answer counts as an answer even if its bytes turn out to
    /// be no `R` when you ask for it: `wait` reads no answers.
    FirstException,
    /// When all calls have ended or are cancelled.
    AllCompleted,
}

/// What [`wait()`] returns: its futures, in the order in which they were given. A future that was
/// given twice is there once, as in Python.
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
/// In a fork of the program that made a pool, `wait` cannot wait for the pool's calls, and returns at
/// once if one of them has not ended.
///
/// [`concurrent.futures.wait`]: https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.wait
pub fn wait<R: Message>(
    futures: impl IntoIterator<Item = TaskFuture<R>>,
    timeout: Option<Duration>,
    return_when: ReturnWhen,
) -> DoneAndNotDone<R> {
    let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let watched = Watched::new(futures);
    let (mut left, mut enough) = (watched.futures.len(), watched.for_ever);
    watched.wait_until(deadline, || {
        while let Some(at) = watched.completions.take() {
            left -= 1;
            enough |= match return_when {
                ReturnWhen::FirstCompleted => true,
                ReturnWhen::FirstException => watched.futures[&at].call.has_failed(),
                ReturnWhen::AllCompleted => false,
            };
        }
        enough || left == 0
    });
    let (done, not_done) = watched.futures.values().cloned().partition(TaskFuture::done);
    DoneAndNotDone { done, not_done }
}

/// The futures in the order in which their calls end ([`concurrent.futures.as_completed`]); first
/// the futures whose calls have ended already. The futures may belong to several pools. A future
/// that is given twice comes once, as in Python.
///
/// The iterator keeps no future that it has yielded: if you drop the future, the memory of its
/// answer is free.
///
/// In a fork of the program that made the pool, `as_completed` cannot wait. There the futures come
/// at once, and the result of a call that had not ended before the fork is an error; also from an
/// iterator that was made before the fork.
///
/// [`concurrent.futures.as_completed`]: https://docs.python.org/3/library/concurrent.futures.html#concurrent.futures.as_completed
pub fn as_completed<R: Message>(
    futures: impl IntoIterator<Item = TaskFuture<R>>,
) -> AsCompleted<R> {
    AsCompleted { watched: Watched::new(futures) }
}

/// The iterator of [`as_completed`].
#[derive(Debug)]
#[must_use = "it waits for nothing until it is asked for the next future"]
pub struct AsCompleted<R> {
    watched: Watched<R>,
}

impl<R: Message> Iterator for AsCompleted<R> {
    type Item = TaskFuture<R>;

    fn next(&mut self) -> Option<TaskFuture<R>> {
        let watched = &mut self.watched;
        if watched.futures.is_empty() || !watched.is_ours() {
            return watched.futures.pop_first().map(|(_, future)| future);
        }
        let there = || !watched.completions.is_empty();
        if !there() {
            watched.wait_until(None, there);
        }
        let ended = watched.completions.take()?;
        watched.futures.remove(&ended)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.watched.futures.len();
        (left, Some(left))
    }
}

impl<R: Message> ExactSizeIterator for AsCompleted<R> {}

/// Futures, and completions that are notified of their ends as long as this value lives. The thread
/// that waits owns this value, so no lock guards the fields.
///
/// A future costs a few steps and no system call, however many futures there are: this process's id
/// is asked for when the value is made and at each wait.
#[derive(Debug)]
struct Watched<R> {
    /// The futures that have not been yielded, by their numbers among the completions.
    futures: BTreeMap<usize, TaskFuture<R>>,
    completions: Arc<Completions>,
    /// The pool of all futures, if they have one pool in common: then the thread that waits may
    /// drive it.
    pool: Option<Arc<Shared>>,
    /// The process that made this value. In a fork of it no call will end, and the lock of a call
    /// or of the completions may be held by a thread that is missing.
    owner: u32,
    /// Whether a call cannot end here, because this process is a fork of the call's own.
    for_ever: bool,
}

impl<R: Message> Watched<R> {
    fn new(futures: impl IntoIterator<Item = TaskFuture<R>>) -> Self {
        let mut given = HashSet::new();
        let futures = futures.into_iter().filter(|future| given.insert(Arc::as_ptr(&future.call)));
        let futures: BTreeMap<_, _> = futures.enumerate().collect();
        let (completions, owner) = (Completions::new(), process::id());
        let is_ours = |future: &TaskFuture<R>| future.shared.owner == owner;
        let mut for_ever = false;
        for (&at, future) in &futures {
            // The locks of a call may be taken in the process of its pool only.
            if is_ours(future) {
                future.call.watch(&completions, at);
            } else {
                for_ever |= !future.done();
                completions.put(at);
            }
        }
        let pool = futures.values().next().filter(|first| is_ours(first));
        let pool = pool
            .map(|first| Arc::clone(&first.shared))
            .filter(|pool| futures.values().all(|other| Arc::ptr_eq(&other.shared, pool)));
        Self { futures, completions, pool, owner, for_ever }
    }

    /// Whether this process may use the locks. A fork of the program may not.
    fn is_ours(&self) -> bool {
        self.owner == process::id()
    }

    fn wait_until(&self, deadline: Option<Instant>, ready: impl FnMut() -> bool) -> bool {
        self.completions.read_here();
        match &self.pool {
            Some(pool) => pool.wait_until(deadline, ready),
            None => wait_parked(deadline, ready),
        }
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        if self.owner != process::id() {
            return;
        }
        for future in self.futures.values().filter(|future| future.shared.owner == self.owner) {
            future.call.unwatch(&self.completions);
        }
    }
}
