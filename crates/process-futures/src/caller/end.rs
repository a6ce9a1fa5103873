//! The pool's end.
//!
//! The manager sees to it, so that a shutdown need not wait: when the pool is closed and its last
//! call has ended, the manager lets the core go, and with it the workers, and ends. A pool to which
//! nobody has submitted anything has no manager, and the thread that closes it lets the core go.

use crate::caller::shared::Shared;
use crate::caller::state::Order;
use kernel::{Ran, TaskErrorKind};
use std::mem;
use std::sync::PoisonError;
use std::thread::JoinHandle;

impl Shared {
    /// Takes no more calls. Those that no worker has are cancelled, if asked for, and the workers
    /// are killed, if asked for.
    pub fn close(&self, cancel: bool, kill: bool) {
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
        }
        if state.handle.is_some() {
            state.on_watch = true;
            self.manager.notify_one();
            state.wake();
        } else {
            // Nobody has submitted anything, so no thread waits or drives either.
            let Some(core) = state.core.take() else { return };
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
        // A panic of the manager would have been printed, and leaves nothing to do here.
        handle.map(JoinHandle::join);
    }

    /// The core is gone, and all calls have ended.
    pub fn is_over_now(&self) {
        let mut state = self.lock();
        state.over = true;
        state.wakes = None;
        state.orders.clear(); // a thread that asked for something gets no answer, and knows it
        self.over.notify_all();
    }
}
