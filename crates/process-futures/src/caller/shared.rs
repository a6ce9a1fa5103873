//! What a pool's threads share, and how calls come in and go out.
//!
//! A pool has one lock. No thread holds the lock while it runs the caller's code (serialisation, a
//! task, an iterator), or while it waits for an answer.

use crate::caller::call_state::{CallState, not_ours};
use crate::caller::completions::Completions;
use crate::caller::core::{Event, PoolCore};
#[cfg(feature = "mutations")]
use crate::caller::mutation;
use crate::caller::state::{Order, PoolState};
use crate::caller::wake::Wake;
use crate::wire::packet::Packet;
use kernel::{Ran, TaskErrorKind};
use std::mem;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// One pool, as its handle, its futures and its manager see it.
#[derive(Debug)]
pub struct Shared {
    /// The pool's one lock, and what it guards: [`PoolState`] says which thread writes each field.
    state: Mutex<PoolState>,
    /// Wakes the manager. A thread waits on it with the lock around `state`.
    pub manager: Condvar,
    /// Wakes the threads that wait for the pool's end. A thread waits on it with the lock around
    /// `state`.
    pub over: Condvar,
    /// The number of workers. No lock guards this field, because the number never changes.
    pub workers: NonZeroUsize,
    /// The process that made the pool. No lock guards this field, because the owner never changes.
    ///
    /// A fork of that process has copies of the pool, of its futures and of its iterators. No
    /// thread drives in the fork, and a lock may be held by a thread that is missing there. So
    /// every way in ([`Shared::lock_if_ours`] for most) compares this number with the process that
    /// asks, before it takes any lock, of the pool, of a call or of [`Completions`]. To ask for the
    /// own process id is a system call, so one operation asks once, however many calls it is about.
    pub owner: u32,
    /// The manager's main loop, for the thread that the first call starts. No lock guards this
    /// field, because the function never changes.
    manage: fn(&Self),
}

impl Shared {
    pub fn new(core: PoolCore, wake: Wake, manage: fn(&Self)) -> Arc<Self> {
        Arc::new(Self {
            workers: core.count(),
            state: Mutex::new(PoolState::new(core, wake)),
            manager: Condvar::new(),
            over: Condvar::new(),
            owner: std::process::id(),
            manage,
        })
    }

    /// The lock, for a thread that drives or waits, so for a process that has been asked already.
    pub fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The lock, for a thread that comes in from outside: `None` in a fork of the program.
    pub fn lock_if_ours(&self) -> Option<MutexGuard<'_, PoolState>> {
        self.is_ours().then(|| self.lock())
    }

    /// Whether this process may use the pool. A fork of the program may not.
    pub fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }

    /// Takes a call over. An argument that could not be made into a call, or a call that comes too
    /// late, ends at once with an error.
    ///
    /// `item` is the item's number for an error, if it is not the call's own number; `watcher` is
    /// notified of the call's end. A call with a watcher is one of several: the caller calls
    /// [`Shared::see_to`] after the last call, and if the caller is slow, the manager sends the
    /// calls.
    pub fn submit(
        self: &Arc<Self>,
        call: Result<Packet, TaskErrorKind>,
        item: Option<usize>,
        watcher: Option<(&Arc<Completions>, usize)>,
    ) -> Arc<CallState> {
        let Some(mut state) = self.lock_if_ours() else {
            // The watcher is not notified, because its lock may be held for ever. A map asks for
            // itself whether it is in a fork, and then does not wait.
            let ended = CallState::new(0, item.unwrap_or(0));
            ended.settle(Err((Ran::No, not_ours())));
            return ended;
        };
        let number = state.next_number;
        state.next_number += 1;
        let submitted = CallState::new(number, item.unwrap_or(number as usize));
        watcher.inspect(|(completions, number)| submitted.watch(completions, *number));
        match call.and_then(|call| self.open(&mut state).map(|()| call)) {
            Ok(call) => {
                state.queue.insert(number, (Arc::clone(&submitted), call));
                match watcher {
                    Some(_) => self.pass_on(&mut state),
                    None => self.see_to(&mut state),
                }
            }
            Err(kind) => _ = submitted.settle(Err((Ran::No, kind))),
        }
        submitted
    }

    /// Fails if the pool is closed. Otherwise starts the manager, if it is not running.
    fn open(self: &Arc<Self>, state: &mut PoolState) -> Result<(), TaskErrorKind> {
        if state.closed {
            return Err(TaskErrorKind::Broken("it was shut down before this call came".to_owned()));
        }
        if state.handle.is_none() {
            let shared = Arc::clone(self);
            let thread = thread::Builder::new().name("process-futures".to_owned());
            let handle = thread.spawn(move || (shared.manage)(&shared)).map_err(|error| {
                TaskErrorKind::Broken(format!("its manager thread cannot start: {error}"))
            })?;
            state.handle = Some(handle);
        }
        Ok(())
    }

    /// Sends new calls and carries out orders: here and now if no thread drives, else by waking the
    /// driving thread.
    pub fn see_to(&self, state: &mut PoolState) {
        let urgent = !state.orders.is_empty() || !state.given_up.is_empty();
        match state.core.take() {
            Some(mut core) => {
                if urgent || !state.queue.is_empty() && core.is_hungry() {
                    state.step(&mut core);
                }
                state.core = Some(core);
                self.pass_on(state);
            }
            // If no worker is hungry now, no wake is needed: the answer that makes a worker hungry
            // wakes the driving thread by itself.
            None if urgent || state.hungry => state.wake(),
            None => {}
        }
    }

    /// Records the ended calls. Only the driving thread calls this.
    pub fn note(&self, state: &mut PoolState, events: Vec<Event>) {
        if let (true, Some(wake)) = (mem::take(&mut state.woken), &state.wake) {
            wake.clear();
        }
        #[cfg(feature = "mutations")]
        let events = mutation::each(events, |event| &mut event.outcome);
        for event in events {
            if let Some(call) = state.running.remove(&event.task) {
                state.given_up.remove(&event.task);
                call.settle(event.outcome);
            }
        }
        if state.running.is_empty() {
            state.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// Wakes the thread that is to take the core next, if the core is at home and a thread must
    /// take it.
    ///
    /// A waiting thread comes first. If that thread has got its answer in the meantime, it passes
    /// the wake-up on, so a wake-up is never lost on a thread that does not need it.
    pub fn pass_on(&self, state: &mut PoolState) {
        if state.core.is_none() {
            return;
        }
        if let Some((_, thread)) = state.waiting.front() {
            thread.unpark();
        } else if (state.has_calls() || state.closed) && !state.on_watch {
            state.on_watch = true;
            self.manager.notify_one();
        }
    }

    /// Cancels the calls that no worker has.
    pub fn cancel<'c>(&self, calls: impl IntoIterator<Item = &'c Arc<CallState>>) {
        let Some(mut state) = self.lock_if_ours() else { return };
        for call in calls {
            state.withdraw(call, TaskErrorKind::Cancelled);
        }
    }

    /// Ends the calls whose time is over, unless they have ended: a call is taken back, or its
    /// worker is killed.
    pub fn time_out<'c>(&self, calls: impl IntoIterator<Item = &'c Arc<CallState>>) {
        let Some(mut state) = self.lock_if_ours() else { return };
        for call in calls {
            if call.is_done() || state.withdraw(call, TaskErrorKind::TimedOut) {
                continue;
            }
            if let Some(task) = call.task() {
                // The call stays in `running` until its worker is dead and replaced.
                call.settle(Err((Ran::Unknown, TaskErrorKind::TimedOut)));
                state.given_up.insert(task);
            }
        }
        self.see_to(&mut state);
    }

    /// Gives an order to the driving thread. Returns whether the pool still has a core, here.
    pub fn order(&self, order: Order) -> bool {
        let Some(mut state) = self.lock_if_ours().filter(|state| !state.over) else {
            return false;
        };
        state.orders.push(order);
        self.see_to(&mut state);
        true
    }
}

impl Drop for Shared {
    /// In a fork of the program the manager's thread is missing, so its handle must not be used,
    /// not even to let the thread go.
    ///
    /// The other fields are whole in a fork. A thread that was changing them while another thread
    /// forked has a reference to the pool, this reference is never dropped in the fork, and so the
    /// fork never comes here.
    fn drop(&mut self) {
        if !self.is_ours() {
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            mem::forget(state.handle.take());
        }
    }
}
