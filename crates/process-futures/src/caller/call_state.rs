//! The call state: what a future and the pool share about one call.

use crate::caller::completions::Completions;
use crate::wire::packet::{Packet, PacketKind};
use fork_server::TaskFailure;
use kernel::{Message, Ran, TaskError, TaskErrorKind};
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How a call ended. The answer stays bytes here, because only the future knows its type. The bytes
/// are read anew each time the program asks for the answer, so `R` need not be `Clone`.
pub type CallOutcome = Result<Packet, TaskFailure>;

/// The core's number for a call that the core has never had. No call gets this number.
const NEVER: u64 = u64::MAX;

/// One call, from `submit` to its end.
#[derive(Debug)]
pub struct CallState {
    /// The call's number among the pool's calls, in the order of submission. No lock guards this
    /// field, because the number never changes.
    pub number: u64,
    /// The item's number for its error: see [`CallState::read`]. No lock guards this field, because
    /// the number never changes.
    pub index: usize,
    /// The core's number for the call, under which the pool finds the call among the running calls;
    /// [`NEVER`] until a worker is to have the call. An atomic without a lock: the thread that has
    /// the pool's core sets it once, and any thread reads it.
    task: AtomicU64,
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
        let (task, (outcome, watchers)) = (AtomicU64::new(NEVER), Default::default());
        Arc::new(Self { number, index, task, outcome, watchers })
    }

    /// Ends the call, unless it has ended, and notifies the watchers. Returns whether this call of
    /// `settle` set the outcome.
    pub fn settle(&self, outcome: CallOutcome) -> bool {
        let first = self.outcome.set(outcome).is_ok();
        // A new watcher is added either before the list is taken, or after the outcome is set.
        let watchers = mem::take(&mut *self.watchers());
        for (completions, number) in watchers {
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

    /// Whether the call has ended in an error other than having been cancelled. The kind of the
    /// worker's packet answers this. Nothing is decoded here, because the thread that asks may have
    /// the pool's core, and because decoding runs the program's own code (`Deserialize`).
    pub fn has_failed(&self) -> bool {
        match self.outcome() {
            Some(Ok(packet)) => packet.header.kind != PacketKind::Answer,
            Some(Err((_, kind))) => !matches!(kind, TaskErrorKind::Cancelled),
            None => false,
        }
    }

    /// Notes that a worker is to have the call, under the core's number.
    pub fn hand_over(&self, task: u64) {
        self.task.store(task, Relaxed);
    }

    /// The core's number for the call, if a worker has the call or has had it.
    pub fn task(&self) -> Option<u64> {
        Some(self.task.load(Relaxed)).filter(|&task| task != NEVER)
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

    /// Undoes [`CallState::watch`]. The list is searched, and it is short: an entry for each wait
    /// that is going on for this one call.
    pub fn unwatch(&self, completions: &Arc<Completions>) {
        self.watchers().retain(|(watcher, _)| !Arc::ptr_eq(watcher, completions));
    }

    /// The answer or the error of a call that has ended. A call that has not ended is read only in
    /// a fork of the program, where it cannot end.
    pub fn read<R: Message>(&self) -> Result<R, TaskError> {
        let failure = |(ran, kind)| TaskError::new(self.index, ran, kind);
        match self.outcome() {
            Some(Ok(answer)) => answer.answer().map_err(failure),
            Some(Err((ran, kind))) => Err(failure((*ran, kind.clone()))),
            None => Err(failure((Ran::Unknown, not_ours()))),
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<(Arc<Completions>, usize)>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of every call in a fork of the program.
pub fn not_ours() -> TaskErrorKind {
    TaskErrorKind::Broken("it belongs to another process, of which this is a fork".to_owned())
}
