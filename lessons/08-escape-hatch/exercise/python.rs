//! A model of what pyo3 gives a native module, so that the exercise needs no Python: the token that
//! shows who holds the lock, `detach`, and a list that other threads may change.
//!
//! The rules are kept by types, as pyo3 keeps them. A token, and what is borrowed with it, cannot go
//! to where there is no lock: neither is `Send`, and `detach` asks its closure for `Send`.

// The exercise, unsolved, does not let go.
#![allow(dead_code)]

use kernel::Pair;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// Does somebody hold the interpreter lock?
static HELD: Mutex<bool> = Mutex::new(false);
static FREE: Condvar = Condvar::new();
static DETACHED: AtomicUsize = AtomicUsize::new(0);

/// Shows that this thread holds the interpreter lock (pyo3's `Python<'py>`).
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
        /// Takes the lock again also if the work panics.
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

/// The lock, held. Dropping it lets go.
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

/// A list of Python's. Whoever holds the lock may read it, or change it.
pub struct List(Mutex<Vec<Pair>>);

impl List {
    /// A list of these pairs.
    pub fn of(pairs: Vec<Pair>) -> Self {
        Self(Mutex::new(pairs))
    }

    /// What is in the list now, to be looked at. Nobody can change the list as long as this lives.
    pub fn borrow<'py>(&'py self, _py: Python<'py>) -> Borrowed<'py> {
        Borrowed(self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes everything out of the list.
    pub fn clear(&self, _py: Python<'_>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// A look into a [`List`]. It is a slice of pairs.
pub struct Borrowed<'py>(MutexGuard<'py, Vec<Pair>>);

impl Deref for Borrowed<'_> {
    type Target = [Pair];
    fn deref(&self) -> &[Pair] {
        &self.0
    }
}
