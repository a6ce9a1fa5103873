//! Completions: where a waiting thread is told which of its calls have ended, in the order in which
//! they ended.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};

/// One for each thing that is waited for: a future, a list of futures, a map.
#[derive(Debug, Default)]
pub struct Completions(Mutex<Inside>);

#[derive(Debug, Default)]
struct Inside {
    /// The numbers under which the ended calls were registered. Guarded by the lock around `Inside`;
    /// the thread that ends a call puts one in, the waiting thread takes it out.
    ended: VecDeque<usize>,
    /// The thread to wake. Guarded by the same lock; the waiting thread sets it.
    reader: Option<Thread>,
}

impl Completions {
    pub fn new() -> Arc<Self> {
        Arc::default()
    }

    /// From now on this thread is woken by each new entry. To be called before the thread looks for
    /// what it waits for, and so before it parks: an entry between the two is then not missed, since
    /// `unpark` before `park` makes `park` return at once.
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

    /// Throws away what has come, for a reader that looks at the calls themselves.
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
