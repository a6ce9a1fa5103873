//! The call state: what a future and the pool share about one call.

use crate::caller::completions::Completions;
use crate::wire::packet::Packet;
use fork_server::TaskFailure;
use kernel::{Message, Ran, TaskError, TaskErrorKind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How a call ended. The answer stays bytes here, because only the future knows its type. The bytes
/// are read anew each time the program asks for the answer, so `R` need not be `Clone`.
pub type CallOutcome = Result<Packet, TaskFailure>;

/// One call, from `submit` to its end.
#[derive(Debug)]
pub struct CallState {
    /// The call's number among the pool's calls, in the order of submission. No lock guards this
    /// field, because the number never changes.
    pub number: u64,
    /// The item's number for its error: see [`CallState::read`]. No lock guards this field, because
    /// the number never changes.
    pub index: usize,
    /// Whether a worker has the call, or has had it. An atomic without a lock: the thread that has
    /// the pool's core sets it, and any thread reads it.
    handed: AtomicBool,
    /// How the call ended. The first thread that ends the call sets this once: with the answer, a
    /// time limit or a cancellation. Any thread reads it without a lock.
    outcome: OnceLock<CallOutcome>,
    /// The completions to notify of the end, each with the number to put in. This mutex guards the
    /// list alone: a waiting thread adds and removes its own entries, and a thread that ends
    /// the call empties the list.
    watchers: Mutex<Vec<(Arc<Completions>, usize)>>,
}

impl CallState {
    pub fn new(number: u64, index: usize) -> Arc<Self> {
        let (handed, outcome, watchers) = Default::default();
        Arc::new(Self { number, index, handed, outcome, watchers })
    }

    /// Ends the call, unless it has ended, and notifies the watchers. Returns whether this call of
    /// `settle` set the outcome.
    pub fn settle(&self, outcome: CallOutcome) -> bool {
        let first = self.outcome.set(outcome).is_ok();
        // Holding the watchers' lock: a new watcher is added either before this loop, or after the
        // outcome is set.
        for (completions, number) in self.watchers().drain(..) {
            completions.put(number);
        }
        first
    }

    pub fn outcome(&self) -> Option<&CallOutcome> {
        self.outcome.get()
    }

    pub fn is_done(&self) -> bool {
        self.outcome.get().is_some()
    }

    pub fn is_cancelled(&self) -> bool {
        matches!(self.outcome(), Some(Err((_, TaskErrorKind::Cancelled))))
    }

    pub fn hand_over(&self) {
        self.handed.store(true, Relaxed);
    }

    pub fn was_handed_over(&self) -> bool {
        self.handed.load(Relaxed)
    }

    /// Notifies the completions when the call ends, or at once if it has ended.
    pub fn watch(&self, completions: &Arc<Completions>, number: usize) {
        let mut watchers = self.watchers();
        if self.is_done() {
            completions.put(number);
        } else {
            watchers.push((Arc::clone(completions), number));
        }
    }

    /// Undoes [`CallState::watch`].
    pub fn unwatch(&self, completions: &Arc<Completions>) {
        self.watchers().retain(|(watcher, _)| !Arc::ptr_eq(watcher, completions));
    }

    /// The answer or the error of a call that has ended.
    pub fn read<R: Message>(&self) -> Result<R, TaskError> {
        let failure = |(ran, kind)| TaskError::new(self.index, ran, kind);
        match self.outcome() {
            Some(Ok(answer)) => answer.answer().map_err(failure),
            Some(Err((ran, kind))) => Err(failure((*ran, kind.clone()))),
            None => Err(failure((Ran::Unknown, TaskErrorKind::Broken("it is not over".into())))),
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<(Arc<Completions>, usize)>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
