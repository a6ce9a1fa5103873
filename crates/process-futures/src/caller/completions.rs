//! Completions: a list that tells a waiting thread which of its calls have ended, in the order in
//! which they ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// The ended calls of one wait: for a future, for a list of futures, or for a map.
#[derive(Debug, Default)]
pub struct Completions(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    /// The numbers under which the ended calls were registered. Guarded by the lock around
    /// `Inside`; the thread that ends a call puts a number in (the waiting thread itself
    /// for a call that had ended before), and the waiting thread takes it out.
    ended: VecDeque<usize>,
    /// The thread to wake. Guarded by the lock around `Inside`; the waiting thread sets it.
    reader: Option<Thread>,
}

impl Completions {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on, each new entry wakes the calling thread. Call this before the thread checks for
    /// entries and parks: an entry between check and park is then not missed, since `unpark` before
    /// `park` makes `park` return at once.
    pub fn read_here(&self) {
        self.inside().reader = Some(thread::current());
    }

    pub fn put(&self, number: usize) {
        let mut inside = self.inside();
        inside.ended.push_back(number);
        if let Some(reader) = &inside.reader {
            reader.unpark();
        }
    }

    pub fn take(&self) -> Option<usize> {
        self.inside().ended.pop_front()
    }

    /// Drops all entries, for a reader that checks the calls themselves.
    pub fn clear(&self) {
        self.inside().ended.clear();
    }

    pub fn is_empty(&self) -> bool {
        self.inside().ended.is_empty()
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        // Nothing that can panic happens under this lock, or under any other of this crate.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
