//! What a pool's threads share, and how calls come in and go out.
//!
//! A pool has one lock. No thread holds the lock while it runs the caller's code (serialisation, a
//! task, an iterator), or while it waits for an answer.

use crate::caller::call_state::CallState;
use crate::caller::completions::Completions;
use crate::caller::core::{Event, PoolCore};
#[cfg(feature = "mutations")]
use crate::caller::mutation;
use crate::caller::state::{Order, PoolState};
use crate::wire::packet::Packet;
use kernel::{Ran, TaskErrorKind};
use nix::sys::eventfd::EventFd;
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
    /// In a fork of that process no thread drives, and a lock may be held by a thread that is
    /// missing there, so every entry point checks the owner first.
    owner: u32,
    /// The manager's main loop, for the thread that the first call starts. No lock guards this
    /// field, because the function never changes.
    manage: fn(&Self),
}

impl Shared {
    pub fn new(core: PoolCore, wakes: EventFd, manage: fn(&Self)) -> Arc<Self> {
        Arc::new(Self {
            workers: core.count(),
            state: Mutex::new(PoolState::new(core, wakes)),
            manager: Condvar::new(),
            over: Condvar::new(),
            owner: std::process::id(),
            manage,
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, PoolState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
        if !self.is_ours() {
            let ended = CallState::new(0, item.unwrap_or(0));
            ended.settle(Err((Ran::No, not_ours())));
            watcher.inspect(|(completions, number)| ended.watch(completions, *number));
            return ended;
        }
        let mut state = self.lock();
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
        if let (true, Some(wakes)) = (mem::take(&mut state.woken), &state.wakes) {
            let _ = wakes.read();
        }
        #[cfg(feature = "mutations")]
        let events = mutation::each(events, |event| &mut event.outcome);
        for event in events {
            if let Some(call) = state.running.remove(&event.task) {
                state.given_up.retain(|&task| task != event.task);
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

    /// Cancels a call that no worker has. Returns whether the call is cancelled.
    pub fn cancel(&self, call: &CallState) -> bool {
        #[cfg(feature = "mutations")]
        if mutation::cancels(call) {
            return true;
        }
        if !call.is_done() && self.is_ours() {
            let mut state = self.lock();
            if state.queue.remove(&call.number).is_some() {
                call.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
                state.wake();
            }
        }
        call.is_cancelled()
    }

    /// Ends a call whose time is over, unless it has ended: the call is taken back, or its worker
    /// is killed.
    pub fn time_out(&self, call: &Arc<CallState>) {
        let mut state = self.lock();
        if call.is_done() {
            return;
        }
        let is_it = |(_, other): &(&u64, &Arc<CallState>)| Arc::ptr_eq(other, call);
        if state.queue.remove(&call.number).is_some() {
            call.settle(Err((Ran::No, TaskErrorKind::TimedOut)));
            state.wake();
        } else if let Some((&task, _)) = state.running.iter().find(is_it) {
            // The call stays in `running` until its worker is dead and replaced.
            call.settle(Err((Ran::Unknown, TaskErrorKind::TimedOut)));
            state.given_up.push(task);
            self.see_to(&mut state);
        }
    }

    /// Gives an order to the driving thread. Returns whether the pool still has a core.
    pub fn order(&self, order: Order) -> bool {
        let mut state = self.lock();
        if state.over {
            return false;
        }
        state.orders.push(order);
        self.see_to(&mut state);
        true
    }
}

/// The error of every call in a fork of the program.
pub fn not_ours() -> TaskErrorKind {
    TaskErrorKind::Broken("it belongs to another process, of which this is a fork".to_owned())
}
