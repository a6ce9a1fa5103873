//! A future: the answer of one call, now or later.

use crate::caller::call_state::CallState;
use crate::caller::completions::Completions;
use crate::caller::shared::Shared;
use kernel::{Message, TaskError, TaskErrorKind};
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A handle on one call, as [`submit`](crate::ProcessPoolExecutor::submit) returns it
/// ([`concurrent.futures.Future`]).
///
/// A future may be cloned, sent and shared. All clones stand for the same call and are equal, so
/// futures work as keys of a map, as in Python's `{future: url}`. (Futures are compared by
/// identity, which never changes; Clippy's `mutable_key_type` cannot know that.) The program can
/// ask for the answer any number of times: the answer is kept as bytes, and read each time.
/// Dropping the handle does not cancel the call, as in Python.
///
/// An error's [`index`](TaskError::index) is the call's number in its pool, counted from 0.
///
/// [`concurrent.futures.Future`]: https://docs.python.org/3/library/concurrent.futures.html#future-objects
#[must_use = "the call runs in any case, but its answer and its error are here"]
pub struct TaskFuture<R> {
    pub(crate) call: Arc<CallState>,
    pub(crate) shared: Arc<Shared>,
    answer: PhantomData<fn() -> R>,
}

impl<R: Message> TaskFuture<R> {
    pub(crate) fn new(call: Arc<CallState>, shared: Arc<Shared>) -> Self {
        Self { call, shared, answer: PhantomData }
    }

    /// Waits for the call's end and gives its answer.
    ///
    /// # Errors
    /// The reason why the call has no answer: see [`kernel::TaskErrorKind`]. In a fork of the
    /// program that made the pool, a call that had not ended before the fork gives `Broken`, at
    /// once.
    pub fn result(&self) -> Result<R, TaskError> {
        self.wait(None);
        self.call.read()
    }

    /// Waits for the call's end no longer than this, and gives its answer, or `None` if the call
    /// has not ended. The call goes on: ask again later. With `Duration::ZERO`, this is a look that
    /// hardly waits.
    ///
    /// This is Python's `result(timeout)`, which raises `TimeoutError` where this gives `None`. To
    /// end a call that takes too long, use [`result_or_kill`](Self::result_or_kill).
    ///
    /// # Errors
    /// As for [`result`](Self::result). An error of the kind
    /// [`TimedOut`](kernel::TaskErrorKind::TimedOut) is the call's own end: another thread has
    /// ended the call with `result_or_kill`.
    pub fn result_timeout(&self, timeout: Duration) -> Option<Result<R, TaskError>> {
        self.wait(Instant::now().checked_add(timeout)).then(|| self.call.read())
    }

    /// Waits for the call's end no longer than this. When the time is over, ends the call.
    ///
    /// If no worker has the call when the time is over, it is withdrawn and does not run
    /// ([`Ran::No`](kernel::Ran::No)). If a worker has it, that worker is killed and replaced
    /// ([`Ran::Unknown`](kernel::Ran::Unknown)). In both cases the call's outcome, for every thread
    /// that asks, is `TimedOut`.
    ///
    /// Python has no such method: a task that hangs keeps its worker for ever. To wait for a while
    /// without ending the call, use [`result_timeout`](Self::result_timeout) or
    /// [`wait`](crate::wait()).
    ///
    /// Workers are given several tiny tasks at a time. A call that a worker has behind another call
    /// ends in `TimedOut` too; the worker is killed when it begins this call, and the other call is
    /// spared. If the call ends by itself at the moment in which its worker is killed, the worker's
    /// next call may die in its place, and reports the death as its error.
    ///
    /// # Errors
    /// The errors of [`result`](Self::result), and [`TimedOut`](kernel::TaskErrorKind::TimedOut).
    pub fn result_or_kill(&self, timeout: Duration) -> Result<R, TaskError> {
        if !self.wait(Instant::now().checked_add(timeout)) {
            self.shared.time_out([&self.call]);
        }
        self.call.read()
    }

    /// Whether the call has ended: with an answer, an error, or by being cancelled. This never
    /// waits, and it may take a moment until the end of a call is known.
    pub fn done(&self) -> bool {
        self.call.is_done()
    }

    /// Whether a worker has, or has had, the call: the call is running, or queued at a worker, or
    /// waits again after its worker died with another call running. Such a call cannot be
    /// cancelled. (Python, too, counts calls in the queue to the workers as running.)
    pub fn running(&self) -> bool {
        self.call.task().is_some() && !self.call.is_done()
    }

    /// Cancels the call if no worker has it. Returns false if the call is running or has ended;
    /// true if it is cancelled, also if it was cancelled before.
    pub fn cancel(&self) -> bool {
        #[cfg(feature = "mutations")]
        if crate::caller::mutation::cancels(&self.call) {
            return true;
        }
        if !self.call.is_done() {
            self.shared.cancel([&self.call]);
        }
        self.call.is_cancelled()
    }

    /// Whether the call was cancelled, by [`cancel`](Self::cancel) or by the pool's end.
    pub fn cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Waits for the call's end or for the deadline. Returns true if there is nothing more to wait
    /// for: the call has ended, or this process is a fork of the program, in which it cannot end.
    fn wait(&self, deadline: Option<Instant>) -> bool {
        if self.call.is_done() || !self.shared.is_ours() {
            return true;
        }
        let completions = Completions::new();
        completions.read_here();
        self.call.watch(&completions, 0);
        let done = self.shared.wait_until(deadline, || self.call.is_done());
        if !done {
            self.call.unwatch(&completions);
        }
        done
    }
}

impl<R> Clone for TaskFuture<R> {
    fn clone(&self) -> Self {
        let (call, shared) = (Arc::clone(&self.call), Arc::clone(&self.shared));
        Self { call, shared, answer: PhantomData }
    }
}

impl<R> PartialEq for TaskFuture<R> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.call, &other.call)
    }
}

impl<R> Eq for TaskFuture<R> {}

impl<R> Hash for TaskFuture<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.call).hash(state);
    }
}

impl<R> fmt::Debug for TaskFuture<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.call.outcome() {
            Some(Err((_, TaskErrorKind::Cancelled))) => "cancelled",
            Some(Err((_, TaskErrorKind::TimedOut))) => "timed out",
            Some(Err((_, TaskErrorKind::WorkerDied(_)))) => "its worker died",
            Some(Err((_, TaskErrorKind::Broken(_)))) => "its pool is broken",
            Some(_) if self.call.has_failed() => "failed", // in the worker, or before it was sent
            Some(_) => "answered",
            None if self.call.task().is_some() => "running",
            None => "pending",
        };
        write!(f, "TaskFuture({}, {state})", self.call.number)
    }
}
