//! A slot: what a future and the pool share about one call.

use crate::mailbox::Mailbox;
use kernel::{Message, Ran, TaskError, TaskErrorKind};
use processes::{Answer, Failure};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

/// How a call ended. The answer stays bytes here: only the future knows its type, and it can be
/// read again each time it is asked for, which spares `R: Clone`.
pub type Outcome = Result<Answer, Failure>;

/// One call, from `submit` to its end.
#[derive(Debug)]
pub struct Slot {
    /// Its number among the pool's calls, in the order in which they were submitted.
    pub number: u64,
    /// The item's number for its error: see [`Slot::read`].
    pub index: usize,
    /// A worker has it, or has had it.
    handed: AtomicBool,
    /// Set once, whoever comes first: the answer, a time limit, a cancellation.
    outcome: OnceLock<Outcome>,
    /// Who wants to know, and under which number.
    watchers: Mutex<Vec<(Arc<Mailbox>, usize)>>,
}

impl Slot {
    pub fn new(number: u64, index: usize) -> Arc<Self> {
        let (handed, outcome, watchers) = Default::default();
        Arc::new(Self { number, index, handed, outcome, watchers })
    }

    /// Ends the call, unless it has ended, and tells the watchers. Says whether it did.
    pub fn settle(&self, outcome: Outcome) -> bool {
        let first = self.outcome.set(outcome).is_ok();
        // Under their lock, so that a watcher comes either before this or after the outcome.
        for (mailbox, number) in self.watchers().drain(..) {
            mailbox.put(number);
        }
        first
    }

    pub fn outcome(&self) -> Option<&Outcome> {
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

    /// Has the mailbox told when the call ends, or at once if it has ended.
    pub fn watch(&self, mailbox: &Arc<Mailbox>, number: usize) {
        let mut watchers = self.watchers();
        if self.is_done() {
            mailbox.put(number);
        } else {
            watchers.push((Arc::clone(mailbox), number));
        }
    }

    /// Ends what [`Slot::watch`] began.
    pub fn unwatch(&self, mailbox: &Arc<Mailbox>) {
        self.watchers().retain(|(watcher, _)| !Arc::ptr_eq(watcher, mailbox));
    }

    /// The answer or the error of a call that has ended.
    pub fn read<R: Message>(&self) -> Result<R, TaskError> {
        let failure = |(ran, kind)| TaskError::new(self.index, ran, kind);
        match self.outcome() {
            Some(Ok(answer)) => answer.read().map_err(failure),
            Some(Err((ran, kind))) => Err(failure((*ran, kind.clone()))),
            None => Err(failure((Ran::Unknown, TaskErrorKind::Broken("it is not over".into())))),
        }
    }

    fn watchers(&self) -> MutexGuard<'_, Vec<(Arc<Mailbox>, usize)>> {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
