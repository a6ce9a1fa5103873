//! A future: the answer of one call, now or later.

use crate::caller::call_state::CallState;
use crate::caller::completions::Completions;
use crate::caller::shared::{Shared, not_ours};
use kernel::{Message, Ran, TaskError};
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
    /// program that made the pool, the error is `Broken`, at once.
    pub fn result(&self) -> Result<R, TaskError> {
        self.wait(None)?;
        self.call.read()
    }

    /// Waits for the call's end no longer than this. When the time is over, ends the call.
    ///
    /// If no worker has the call when the time is over, it is withdrawn and does not run
    /// ([`Ran::No`]). If a worker has it, that worker is killed and replaced ([`Ran::Unknown`]).
    /// In both cases the call's outcome, for every thread that asks, is `TimedOut`.
    ///
    /// In Python a `result(timeout)` leaves the task running, and a task that hangs keeps its
    /// worker for ever. To wait for a while without ending the call, use [`wait`](crate::wait()) or
    /// [`done`](Self::done).
    ///
    /// Workers are given several tiny tasks at a time. A call that a worker has behind another call
    /// ends in `TimedOut` too; the worker is killed when it begins this call, and the other call is
    /// spared. If the call ends by itself at the moment in which its worker is killed, the worker's
    /// next call may die in its place, and reports the death as its error.
    ///
    /// # Errors
    /// The errors of [`result`](Self::result), and [`TimedOut`](kernel::TaskErrorKind::TimedOut).
    pub fn result_timeout(&self, timeout: Duration) -> Result<R, TaskError> {
        if !self.wait(Instant::now().checked_add(timeout))? {
            self.shared.time_out(&self.call);
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
        self.call.was_handed_over() && !self.call.is_done()
    }

    /// Cancels the call if no worker has it. Returns false if the call is running or has ended;
    /// true if it is cancelled, also if it was cancelled before.
    pub fn cancel(&self) -> bool {
        self.shared.cancel(&self.call)
    }

    /// Whether the call was cancelled, by [`cancel`](Self::cancel) or by the pool's end.
    pub fn cancelled(&self) -> bool {
        self.call.is_cancelled()
    }

    /// Whether the call has ended in an error other than having been cancelled.
    pub(crate) fn has_failed(&self) -> bool {
        self.call.is_done() && !self.call.is_cancelled() && self.call.read::<R>().is_err()
    }

    /// Waits for the call's end or for the deadline. Returns true if the call has ended.
    fn wait(&self, deadline: Option<Instant>) -> Result<bool, TaskError> {
        if self.call.is_done() {
            return Ok(true);
        }
        if !self.shared.is_ours() {
            return Err(TaskError::new(self.call.index, Ran::Unknown, not_ours()));
        }
        let completions = Completions::new();
        completions.read_here();
        self.call.watch(&completions, 0);
        let done = self.shared.wait_until(deadline, || self.call.is_done());
        if !done {
            self.call.unwatch(&completions);
        }
        Ok(done)
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
            Some(Ok(_)) => "answered",
            Some(Err(_)) if self.call.is_cancelled() => "cancelled",
            Some(Err(_)) => "failed",
            None if self.call.was_handed_over() => "running",
            None => "pending",
        };
        write!(f, "TaskFuture({}, {state})", self.call.number)
    }
}
