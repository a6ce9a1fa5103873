//! The pool's end.
//!
//! The manager ends the pool, so that a shutdown need not wait: when the pool is closed and its
//! last call has ended, the manager drops the core, and with it the workers, and ends. A pool
//! without any call so far has no manager, and the thread that closes the pool drops the core.

use crate::caller::shared::Shared;
use crate::caller::state::Order;
use kernel::{Ran, TaskErrorKind};
use std::mem;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;

impl Shared {
    /// Closes the pool for new calls. With `cancel`, calls that no worker has are cancelled; with
    /// `kill`, the workers are killed; with a limit, they are killed when it is over, if this thread
    /// ends the pool.
    pub fn close(&self, cancel: bool, kill: bool, limit: Option<Duration>) {
        let mut state = self.lock();
        if state.over {
            return;
        }
        state.closed = true;
        if cancel {
            for (call, _) in mem::take(&mut state.queue).into_values() {
                call.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
            }
        }
        if kill {
            state.orders.push(Order::KillWorkers);
            self.see_to(&mut state);
            // For a thread that is ending the pool, and sees no orders.
            state.hurry.as_ref().map(|hurry| hurry.ring());
        }
        if state.handle.is_some() {
            state.on_watch = true;
            self.manager.notify_one();
            state.wake();
        } else {
            // No call has been submitted, so no thread waits or drives either.
            let Some(mut core) = state.core.take() else { return };
            core.drop_timeout = limit;
            drop(state);
            drop(core);
            self.is_over_now();
        }
    }

    /// Waits until a closed pool has run its calls and its workers are gone.
    pub fn join(&self) {
        let mut state = self.lock();
        while !state.over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let handle = state.handle.take();
        drop(state);
        // A panic of the manager has been printed already, so its result is not needed here.
        handle.map(JoinHandle::join);
    }

    /// Waits for the pool's end, but no longer than this. Returns whether the pool is over.
    pub fn is_over_within(&self, limit: Duration) -> bool {
        let state = self.lock();
        let waited = self.over.wait_timeout_while(state, limit, |state| !state.over);
        waited.unwrap_or_else(PoisonError::into_inner).0.over
    }

    /// Marks the pool as over: the core is gone, and all calls have ended.
    pub fn is_over_now(&self) {
        let mut state = self.lock();
        state.over = true;
        (state.wake, state.hurry) = (None, None);
        state.orders.clear(); // a thread that waits for a reply then gets an error
        self.over.notify_all();
    }
}
