//! The call state: what a future and the pool share about one call.

use crate::caller::completions::Completions;
use crate::wire::packet::Packet;
use fork_server::TaskFailure;
use kernel::{Message, Ran, TaskError, TaskErrorKind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How a call ended. The answer stays bytes here: only the future knows its type, and it can be
/// read again each time it is asked for, which spares `R: Clone`.
pub type CallOutcome = Result<Packet, TaskFailure>;

/// One call, from `submit` to its end.
#[derive(Debug)]
pub struct CallState {
    /// Its number among the pool's calls, in the order in which they were submitted.
    pub number: u64,
    /// The item's number for its error: see [`CallState::read`].
    pub index: usize,
    /// A worker has it, or has had it. No lock: the thread that drives the pool sets it, under the
    /// pool's lock, and any thread reads it.
    handed: AtomicBool,
    /// Set once, by the thread that comes first: with the answer, a time limit, a cancellation. No
    /// lock is needed to read it.
    outcome: OnceLock<CallOutcome>,
    /// The completions that are told of the end, and under which number. A lock of its own: waiting
    /// threads add and remove their own, and the thread that sets `outcome` empties it.
    watchers: Mutex<Vec<(Arc<Completions>, usize)>>,
}

impl CallState {
    pub fn new(number: u64, index: usize) -> Arc<Self> {
        let (handed, outcome, watchers) = Default::default();
        Arc::new(Self { number, index, handed, outcome, watchers })
    }

    /// Ends the call, unless it has ended, and tells the watchers. Says whether it did.
    pub fn settle(&self, outcome: CallOutcome) -> bool {
        let first = self.outcome.set(outcome).is_ok();
        // Under their lock, so that a watcher comes either before this or after the outcome.
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

    /// Has the completions told when the call ends, or at once if it has ended.
    pub fn watch(&self, completions: &Arc<Completions>, number: usize) {
        let mut watchers = self.watchers();
        if self.is_done() {
            completions.put(number);
        } else {
            watchers.push((Arc::clone(completions), number));
        }
    }

    /// Ends what [`CallState::watch`] began.
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
