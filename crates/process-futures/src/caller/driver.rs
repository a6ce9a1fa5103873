//! The driver, and how it changes hands.
//!
//! There is one pool core. The thread that has taken it out of the shared state *drives* the pool:
//! it moves bytes, sees to deaths, and hands answers to their calls. The rules:
//!
//! 1. If the core is at home, a thread that waits for an answer takes the core and drives until it
//!    has its answer. No other thread is woken on the way.
//! 2. If another waiting thread already drives, the thread joins the queue and parks. The thread
//!    wakes when its answer comes, or when the core comes home.
//! 3. If the manager drives, the thread joins the queue, wakes the manager, and parks. The manager
//!    gives the core up to any thread in the queue.
//! 4. A thread that brings the core home wakes the first thread in the queue, or the manager if
//!    calls are under way. A thread that leaves the queue while the core is at home does the same,
//!    because the wake-up may have gone to the leaving thread.
//! 5. A thread that submits a call while the core is at home sends the call by itself. While
//!    another thread drives, the submitting thread wakes the driving thread, if there is a worker
//!    for the call.
//! 6. A thread that ends a call without driving (cancels it, gives it up) wakes the driving thread,
//!    which may be waiting for this very call.
//!
//! No wake-up is lost. Each rule checks and acts while holding one lock, so no thread brings the
//! core home between another thread's check and its joining the queue. A thread that takes the core
//! checks for its answer afterwards, when no other thread can bring an answer unnoticed. An `unpark`
//! before `park` is remembered by the thread. A wake of the driving thread is remembered by its
//! descriptor, which stays readable until the driving thread has read it.

use crate::caller::core::PoolCore;
#[cfg(feature = "mutations")]
use crate::caller::mutation;
use crate::caller::shared::Shared;
use crate::caller::state::PoolState;
use crate::caller::wake::Wake;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// The core in a thread's hands. Dropping the driver brings the core home, also on a panic. The
/// driving thread owns this value, so no lock guards the fields.
#[derive(Debug)]
pub struct Driver<'s> {
    shared: &'s Shared,
    core: Option<Box<PoolCore>>,
    wake: Arc<Wake>,
}

impl<'s> Driver<'s> {
    /// Takes the core, if the core is at home.
    pub fn take(shared: &'s Shared, state: &mut PoolState) -> Option<Self> {
        let wake = Arc::clone(state.wake.as_ref()?);
        let core = state.core.take()?;
        state.turns += 1;
        Some(Self { shared, core: Some(core), wake })
    }

    /// Hands out calls, waits for news until the deadline at most, and receives answers.
    pub fn drive(&mut self, deadline: Option<Instant>) {
        let Some(core) = &mut self.core else { return };
        self.shared.lock().step(core);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let events = core.poll_beside(left, self.wake.as_fd());
        self.shared.note(&mut self.shared.lock(), events);
    }
}

impl Drop for Driver<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.by_manager = false;
        state.core = self.core.take();
        // A call may have been submitted after the last turn, by a thread that relied on another
        // turn.
        self.shared.see_to(&mut state);
    }
}

/// One waiting thread: in the queue, or driving. The waiting thread owns this value, so no lock
/// guards the fields.
struct WaitingThread<'s> {
    shared: &'s Shared,
    driver: Option<Driver<'s>>,
    ticket: Option<u64>,
}

impl<'s> WaitingThread<'s> {
    /// The driver, if this thread has the core or can take it. Otherwise the thread is now in the
    /// queue.
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
        // The driver, if there is one, is dropped after this.
    }
}

impl Shared {
    /// Waits until `ready` returns true, or until the deadline; returns true in the first case.
    /// Every event that can make `ready` true must wake this thread
    /// ([`Completions::read_here`](crate::caller::completions::Completions::read_here)).
    pub fn wait_until(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        #[cfg(feature = "mutations")]
        let deadline = mutation::deadline(deadline);
        let mut thread = WaitingThread { shared: self, driver: None, ticket: None };
        let mut looked = false; // check at least twice, however early the deadline
        loop {
            // Take the core, or join the queue, before checking: if a call ended between check and
            // take, the driving thread would wait for a call that has already ended.
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

/// Like [`Shared::wait_until`], but without driving: for calls of several pools, whose managers
/// drive.
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
