//! A model of what pyo3 gives a native module, so that the exercise needs no Python: the token that
//! proves that a thread holds the lock, `detach`, and a list that other threads may change.
//!
//! Types enforce the rules, as in pyo3. A token, and data that is borrowed with it, cannot go into
//! code without the lock: neither is `Send`, and the closure of `detach` must be `Send`.

// The unsolved exercise does not call `detach`.
#![allow(dead_code)]

use kernel::Pair;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Whether a thread holds the interpreter lock.
static HELD: Mutex<bool> = Mutex::new(false);
static FREE: Condvar = Condvar::new();
static DETACHED: AtomicUsize = AtomicUsize::new(0);

/// Proves that this thread holds the interpreter lock (pyo3's `Python<'py>`).
#[derive(Clone, Copy)]
pub struct Python<'py>(PhantomData<(&'py (), *mut ())>);

/// Takes the lock, does the work, lets go (pyo3's `Python::attach`).
pub fn attach<R>(work: impl for<'py> FnOnce(Python<'py>) -> R) -> R {
    let _held = Held::take();
    work(Python(PhantomData))
}

/// How often the lock has been let go of by `detach`.
pub fn detached() -> usize {
    DETACHED.load(SeqCst)
}

impl Python<'_> {
    /// Lets go of the lock, does the work, takes the lock again (pyo3's `Python::detach`).
    pub fn detach<R: Send>(self, work: impl FnOnce() -> R + Send) -> R {
        /// Takes the lock again when it is dropped, also if the work panics.
        struct Again;
        impl Drop for Again {
            fn drop(&mut self) {
                std::mem::forget(Held::take());
            }
        }
        DETACHED.fetch_add(1, SeqCst);
        drop(Held);
        let _again = Again;
        work()
    }
}

/// The lock, held. Dropping `Held` lets go of the lock.
struct Held;

impl Held {
    fn take() -> Self {
        let held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
        let mut held = FREE.wait_while(held, |held| *held).unwrap_or_else(PoisonError::into_inner);
        *held = true;
        Self
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        *HELD.lock().unwrap_or_else(PoisonError::into_inner) = false;
        FREE.notify_one();
    }
}

/// A Python list. The thread that holds the lock may read and change the list.
pub struct List(Mutex<Vec<Pair>>);

impl List {
    /// A list of these pairs.
    pub fn of(pairs: Vec<Pair>) -> Self {
        Self(Mutex::new(pairs))
    }

    /// The current content of the list, for reading. No thread can change the list as long as this
    /// value lives.
    pub fn borrow<'py>(&'py self, _py: Python<'py>) -> Borrowed<'py> {
        Borrowed(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes everything out of the list.
    pub fn clear(&self, _py: Python<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A borrowed [`List`], to be read as a slice of pairs.
pub struct Borrowed<'py>(MutexGuard<'py, Vec<Pair>>);

impl Deref for Borrowed<'_> {
    type Target = [Pair];
    fn deref(&self) -> &[Pair] {
        &self.0
    }
}
