//! The pump, and how it changes hands.
//!
//! There is one crew, and who has it out of the shared state pumps: moves bytes, sees to deaths,
//! hands answers to their slots. The rules:
//!
//! 1. Who waits for an answer takes the crew if it is at home, and pumps until it has its answer.
//!    No other thread is woken on the way.
//! 2. Who finds that another waiting thread pumps gets in line and parks. Its answer wakes it, or
//!    the crew's coming home.
//! 3. Who finds that the manager pumps gets in line, wakes the manager, and parks. The manager
//!    gives the crew up to anybody in line.
//! 4. Who brings the crew home wakes the first in line, or the manager if calls are under way.
//!    Who leaves the line does the same if the crew is at home: it may be the one that was woken.
//! 5. Who submits a call while the crew is at home sends it off by itself. While another pumps, it
//!    kicks that one, if there is a worker for the call.
//! 6. Who ends a call without pumping (cancels it, gives it up) kicks the one who pumps: that may
//!    be waiting for this very call.
//!
//! No wake-up is lost. Rules 1 to 6 look and act under one lock, so between looking for the crew
//! and getting in line nobody brings it home; and who has it looks for its answer after taking it,
//! when nobody else can bring one unnoticed. `unpark` before `park` is remembered by the thread,
//! and a kick by its descriptor, which stays readable until the one who pumps has read it.

use crate::shared::Shared;
use crate::state::State;
use nix::sys::eventfd::EventFd;
use processes::crew::Crew;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread;
use std::time::Instant;

/// The crew in somebody's hands. Dropping it brings the crew home, also on a panic.
#[derive(Debug)]
pub struct Pump<'s> {
    shared: &'s Shared,
    crew: Option<Box<Crew>>,
    kicks: Arc<EventFd>,
}

impl<'s> Pump<'s> {
    /// Takes the crew, if it is at home.
    pub fn take(shared: &'s Shared, state: &mut State) -> Option<Self> {
        let kicks = Arc::clone(state.kicks.as_ref()?);
        let crew = state.crew.take()?;
        state.turns += 1;
        Some(Self { shared, crew: Some(crew), kicks })
    }

    /// Hands out, waits for news until the deadline at most, and takes in.
    pub fn turn(&mut self, deadline: Option<Instant>) {
        let Some(crew) = &mut self.crew else { return };
        self.shared.lock().step(crew);
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let events = crew.poll_beside(left, Some(self.kicks.as_fd()));
        self.shared.note(&mut self.shared.lock(), events);
    }
}

impl Drop for Pump<'_> {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.by_manager = false;
        state.crew = self.crew.take();
        // What came after the last turn came from somebody who relied on another one.
        self.shared.see_to(&mut state);
    }
}

/// One waiting thread: in line, or at the pump.
struct Place<'s> {
    shared: &'s Shared,
    pump: Option<Pump<'s>>,
    ticket: Option<u64>,
}

impl<'s> Place<'s> {
    /// The pump, if it is or comes to be ours. If not, we are in line for it.
    fn pump(&mut self) -> Option<&mut Pump<'s>> {
        if self.pump.is_none() {
            let mut state = self.shared.lock();
            self.pump = Pump::take(self.shared, &mut state);
            if self.pump.is_some() {
                self.leave_line(&mut state);
            } else if self.ticket.is_none() {
                let ticket = state.next_ticket;
                state.next_ticket += 1;
                state.waiting.push_back((ticket, thread::current()));
                self.ticket = Some(ticket);
                if state.by_manager {
                    state.kick();
                }
            }
        }
        self.pump.as_mut()
    }

    fn leave_line(&mut self, state: &mut State) {
        if let Some(ticket) = self.ticket.take() {
            state.waiting.retain(|(other, _)| *other != ticket);
        }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.ticket.is_some() {
            let shared = self.shared;
            let mut state = shared.lock();
            self.leave_line(&mut state);
            shared.pass_on(&mut state);
        }
        // And the pump is dropped.
    }
}

impl Shared {
    /// Waits until `ready`, or the deadline; true if it is ready. Whatever makes it ready must wake
    /// this thread ([`Mailbox::read_here`](crate::mailbox::Mailbox::read_here)).
    pub fn wait_until(&self, deadline: Option<Instant>, mut ready: impl FnMut() -> bool) -> bool {
        let mut place = Place { shared: self, pump: None, ticket: None };
        let mut looked = false; // at what has come already, however early the deadline
        loop {
            // The pump or the place in line comes first: what ends between looking and taking
            // would be waited for by who pumps, and nothing would come.
            let pump = place.pump();
            if ready() {
                return true;
            }
            if looked && is_past(deadline) {
                return false;
            }
            match pump {
                Some(pump) => pump.turn(deadline),
                None => park(deadline),
            }
            looked = true;
        }
    }
}

/// As [`Shared::wait_until`], without pumping: for calls of several pools, whose managers pump.
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
