//! The driver, and how it changes hands.
//!
//! There is one pool core. The thread that has taken it out of the shared state *drives* the pool:
//! it moves bytes, sees to deaths, and hands answers to their calls. The rules:
//!
//! 1. If the core is at home, a thread that waits for an answer takes it and drives until the
//!    thread has its answer. No other thread is woken on the way.
//! 2. If another waiting thread already drives, the thread joins the queue and parks. Its answer
//!    wakes it, or the core's coming home.
//! 3. If the manager drives, the thread joins the queue, wakes the manager, and parks. The manager
//!    gives the core up to any thread in the queue.
//! 4. A thread that brings the core home wakes the first in the queue, or the manager if calls are
//!    under way. A thread that leaves the queue does the same if the core is at home: it may be the
//!    one that was woken.
//! 5. A thread that submits a call while the core is at home sends the call off by itself. While
//!    another thread drives, the submitting thread wakes it, if there is a worker for the call.
//! 6. A thread that ends a call without driving (cancels it, gives it up) wakes the driving thread,
//!    which may be waiting for this very call.
//!
//! No wake-up is lost. The rules look and act under one lock, so between looking for the core and
//! joining the queue no thread brings it home; and the thread that has the core looks for its answer
//! after taking it, when no other can bring one unnoticed. `unpark` before `park` is remembered by
//! the thread, and a wake by its descriptor, which stays readable until the driving thread has read
//! it.

use crate::caller::core::PoolCore;
use crate::caller::shared::Shared;
use crate::caller::state::PoolState;
use nix::sys::eventfd::EventFd;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// The core in a thread's hands. Dropping it brings the core home, also on a panic.
#[derive(Debug)]
pub struct Driver<'s> {
    shared: &'s Shared,
    core: Option<Box<PoolCore>>,
    wakes: Arc<EventFd>,
}

impl<'s> Driver<'s> {
    /// Takes the core, if it is at home.
    pub fn take(shared: &'s Shared, state: &mut PoolState) -> Option<Self> {
        let wakes = Arc::clone(state.wakes.as_ref()?);
        let core = state.core.take()?;
        state.turns += 1;
        Some(Self { shared, core: Some(core), wakes })
    }

    /// Hands out, waits for news until the deadline at most, and takes in.
    pub fn drive(&mut self, deadline: Option<Instant>) {
        let Some(core) = &mut self.core else { return };
        self.shared.lock().step(core);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let events = core.poll_beside(left, self.wakes.as_fd());
        self.shared.note(&mut self.shared.lock(), events);
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.by_manager = false;
        state.core = self.core.take();
        // A call that came after the last turn came from a thread that relied on another turn.
        self.shared.see_to(&mut state);
    }
}

/// One waiting thread: in the queue, or driving.
struct WaitingThread<'s> {
    shared: &'s Shared,
    driver: Option<Driver<'s>>,
    ticket: Option<u64>,
}

impl<'s> WaitingThread<'s> {
    /// The driver, if it is or comes to be ours. If not, we are in the queue for it.
    fn driver(&mut self) -> Option<&mut Driver<'s>> {
        if self.driver.is_none() {
            let mut state = self.shared.lock();
            self.driver = Driver::take(self.shared, &mut state);
            if self.driver.is_some() {
                self.leave_queue(&mut state);
            } else if self.ticket.is_none() {
                let ticket = state.next_ticket;
                state.next_ticket += 1;
                state.waiting.push_back((ticket, thread::current()));
                self.ticket = Some(ticket);
                if state.by_manager {
                    state.wake();
                }
            }
        }
        self.driver.as_mut()
    }

    fn leave_queue(&mut self, state: &mut PoolState) {
        if let Some(ticket) = self.ticket.take() {
            state.waiting.retain(|(other, _)| *other != ticket);
        }
    }
}

impl Drop for WaitingThread<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let shared = self.shared;
            let mut state = shared.lock();
            self.leave_queue(&mut state);
            shared.pass_on(&mut state);
        }
        // And the driver is dropped.
    }
}

impl Shared {
    /// Waits until `ready`, or the deadline; true if it is ready. Whatever makes it ready must wake
    /// this thread ([`Completions::read_here`](crate::caller::completions::Completions::read_here)).
    pub fn wait_until(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        let mut thread = WaitingThread { shared: self, driver: None, ticket: None };
        let mut looked = false; // at what has come already, however early the deadline
        loop {
            // The driver or the place in the queue comes first: a call that ends between looking
            // and taking would be waited for by the driving thread, and nothing would come.
            let driver = thread.driver();
            if ready() {
                return true;
            }
            if looked && is_past(deadline) {
                return false;
            }
            match driver {
                Some(driver) => driver.drive(deadline),
                None => park(deadline),
            }
            looked = true;
        }
    }
}

/// As [`Shared::wait_until`], without driving: for calls of several pools, whose managers drive.
pub fn wait_parked(deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
    loop {
        if ready() {
            return true;
        }
        if is_past(deadline) {
            return false;
        }
        park(deadline);
    }
}

fn park(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => thread::park_timeout(deadline.saturating_duration_since(Instant::now())),
        None => thread::park(),
    }
}

fn is_past(deadline: Option<Instant>) -> bool {
    deadline.is_some_and(|deadline| Instant::now() >= deadline)
}
