//! What a pool's threads share, and how calls come in and go out.
//!
//! There is one lock. It is held for nothing of the caller's (no serialisation, no task, no
//! iterator) and never while somebody waits for an answer.

use crate::mailbox::Mailbox;
use crate::manager;
use crate::slot::Slot;
use crate::state::{Order, State};
use kernel::{Ran, TaskErrorKind};
use nix::sys::eventfd::EventFd;
use processes::crew::{Crew, Event};
use processes::{Call, ForkServer};
use std::mem;
use std::num::NonZeroUsize;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

/// One pool, as its handle, its futures and its manager see it.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    /// Wakes the manager.
    pub manager: Condvar,
    /// Wakes whoever waits for the pool's end.
    pub over: Condvar,
    pub server: &'static ForkServer,
    pub workers: NonZeroUsize,
    /// The process that made the pool. In a fork of it no thread pumps and a lock may be held by a
    /// thread that is not there, so every way in asks this first.
    owner: u32,
}

impl Shared {
    pub fn new(crew: Crew, kicks: EventFd) -> Arc<Self> {
        let (server, workers) = (crew.server(), crew.workers());
        Arc::new(Self {
            state: Mutex::new(State::new(crew, kicks)),
            manager: Condvar::new(),
            over: Condvar::new(),
            server,
            workers,
            owner: std::process::id(),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process may use the pool, and not a fork of the one that may.
    pub fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }

    /// Takes a call over. What could not be made a call, or comes too late, has ended at once.
    ///
    /// `item` is its number for an error, if it is not the call's own; the mailbox is told of its
    /// end. A call with a mailbox is one of several: [`Shared::see_to`] is for the caller to say,
    /// and if that takes its time, the manager comes first.
    pub fn submit(
        self: &Arc<Self>,
        call: Result<Call, TaskErrorKind>,
        item: Option<usize>,
        watcher: Option<(&Arc<Mailbox>, usize)>,
    ) -> Arc<Slot> {
        if !self.is_ours() {
            let slot = Slot::new(0, item.unwrap_or(0));
            slot.settle(Err((Ran::No, not_ours())));
            watcher.inspect(|(mailbox, number)| slot.watch(mailbox, *number));
            return slot;
        }
        let mut state = self.lock();
        let number = state.next_number;
        state.next_number += 1;
        let slot = Slot::new(number, item.unwrap_or(number as usize));
        watcher.inspect(|(mailbox, number)| slot.watch(mailbox, *number));
        match call.and_then(|call| self.open(&mut state).map(|()| call)) {
            Ok(call) => {
                state.queue.insert(number, (Arc::clone(&slot), call));
                match watcher {
                    Some(_) => self.pass_on(&mut state),
                    None => self.see_to(&mut state),
                }
            }
            Err(kind) => _ = slot.settle(Err((Ran::No, kind))),
        }
        slot
    }

    /// Whether calls are taken. Sees to it that there is a manager for them.
    fn open(self: &Arc<Self>, state: &mut State) -> Result<(), TaskErrorKind> {
        if state.closed {
            return Err(TaskErrorKind::Broken("it was shut down before this call came".to_owned()));
        }
        if state.handle.is_none() {
            let shared = Arc::clone(self);
            let thread = thread::Builder::new().name("process-futures".to_owned());
            let handle = thread.spawn(move || manager::run(&shared)).map_err(|error| {
                TaskErrorKind::Broken(format!("its manager thread cannot start: {error}"))
            })?;
            state.handle = Some(handle);
        }
        Ok(())
    }

    /// Has new calls and orders seen to: here and now if nobody pumps, else by who does.
    pub fn see_to(&self, state: &mut State) {
        let urgent = !state.orders.is_empty() || !state.given_up.is_empty();
        match state.crew.take() {
            Some(mut crew) => {
                if urgent || !state.queue.is_empty() && crew.is_hungry() {
                    state.step(&mut crew);
                }
                state.crew = Some(crew);
                self.pass_on(state);
            }
            // If nobody is hungry now, somebody is after some answer, and that is news by itself.
            None if urgent || state.hungry => state.kick(),
            None => {}
        }
    }

    /// Takes note of what has happened, as the one who pumps.
    pub fn note(&self, state: &mut State, events: Vec<Event>) {
        if let (true, Some(kicks)) = (mem::take(&mut state.kicked), &state.kicks) {
            let _ = kicks.read();
        }
        for event in events {
            if let Some(slot) = state.running.remove(&event.task) {
                state.given_up.retain(|&task| task != event.task);
                slot.settle(event.outcome);
            }
        }
        if state.running.is_empty() {
            state.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// The crew has come home: wakes who takes it next, if anybody must.
    ///
    /// A thread that waits comes first. Who has been woken and has, in the meantime, got what it
    /// waited for, passes on in its turn: a wake-up is never lost on somebody who does not need it.
    pub fn pass_on(&self, state: &mut State) {
        if state.crew.is_none() {
            return;
        }
        if let Some((_, thread)) = state.waiting.front() {
            thread.unpark();
        } else if (state.has_calls() || state.closed) && !state.on_watch {
            state.on_watch = true;
            self.manager.notify_one();
        }
    }

    /// Cancels a call that no worker has. Says whether it is cancelled.
    pub fn cancel(&self, slot: &Slot) -> bool {
        if !slot.is_done() && self.is_ours() {
            let mut state = self.lock();
            if state.queue.remove(&slot.number).is_some() {
                slot.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
                state.kick();
            }
        }
        slot.is_cancelled()
    }

    /// The call's time is over, unless it has ended: it is taken back or its worker is killed.
    pub fn time_out(&self, slot: &Arc<Slot>) {
        let mut state = self.lock();
        if slot.is_done() {
            return;
        }
        let is_it = |(_, other): &(&u64, &Arc<Slot>)| Arc::ptr_eq(other, slot);
        if state.queue.remove(&slot.number).is_some() {
            slot.settle(Err((Ran::No, TaskErrorKind::TimedOut)));
            state.kick();
        } else if let Some((&task, _)) = state.running.iter().find(is_it) {
            // It stays among the running ones until its worker is dead and replaced.
            slot.settle(Err((Ran::Unknown, TaskErrorKind::TimedOut)));
            state.given_up.push(task);
            self.see_to(&mut state);
        }
    }

    /// Gives an order to whoever has the crew. Says whether there is one.
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

/// The error in a fork of the program.
pub fn not_ours() -> TaskErrorKind {
    TaskErrorKind::Broken("it belongs to another process, of which this is a fork".to_owned())
}
