//! What a pool that is kept asks of its crew, beyond running calls: an initializer, workers that
//! go after some tasks, a policy about deaths, calls that are given up, and an end at once.

use super::{Crew, Event};
use crate::ForkServer;
use crate::call::{Answer, Call};
use crate::frame::Frame;
use crate::line::Request;
use crate::seat::Seat;
use kernel::{Death, Ran, TaskErrorKind};
use nix::sys::socket::{Shutdown, shutdown};
use std::os::fd::AsRawFd;

/// The number of an initializer's call. No other call gets it, and its end is no [`Event`].
pub(super) const INITIALIZER: u64 = u64::MAX;

/// On what terms workers are hired.
#[derive(Debug)]
pub(super) struct Terms {
    /// What each worker runs first.
    pub initializer: Option<Frame>,
    /// How many calls a worker may have in its life.
    pub calls_per_worker: usize,
    /// How many workers may die, with no answer from any worker between, before the crew gives up.
    pub most_deaths: usize,
    /// How many have died in the initializer since one came through it.
    pub stillborn: usize,
}

impl Terms {
    /// Those of a crew of this many workers of which nobody asked anything.
    pub fn new(workers: usize) -> Self {
        // A crew with many workers may lose all of them twice: one shortage of memory can take
        // them all.
        let most_deaths = (2 * workers).max(20);
        Self { initializer: None, calls_per_worker: usize::MAX, most_deaths, stillborn: 0 }
    }
}

impl Crew {
    /// The fork server that its workers come from. It makes the calls, without the crew at hand.
    pub fn server(&self) -> &'static ForkServer {
        self.server
    }

    /// Has every worker run this call before any other: those that are there, and those that
    /// replace them. If it fails the crew is broken: workers without it would give wrong answers.
    ///
    /// To be said before the first call is dispatched.
    pub fn initialize(&mut self, mut call: Call) {
        call.0.set_task(INITIALIZER);
        for seat in self.seats.iter_mut().flatten() {
            seat.give_first(&call.0);
        }
        self.terms.initializer = Some(call.0);
    }

    /// Lets each worker, those that are there included, have this many calls (at least one) and
    /// replaces it then. To be said before the first call is dispatched.
    pub fn limit_calls(&mut self, calls_per_worker: usize) {
        self.terms.calls_per_worker = calls_per_worker;
        for seat in self.seats.iter_mut().flatten() {
            seat.left = calls_per_worker;
        }
    }

    /// Lets this many workers die, with no answer from any worker between, before the crew gives
    /// up. With 0 the first death ends it.
    pub fn limit_deaths(&mut self, most_deaths: usize) {
        self.terms.most_deaths = most_deaths;
    }

    /// Hands waiting calls to the workers, as [`Crew::poll`] does first, and neither waits nor
    /// takes anything in.
    pub fn send(&mut self) {
        self.hand_out();
    }

    /// Whether some worker may soon have nothing to do, and could take a call.
    pub fn is_hungry(&self) -> bool {
        let depth = self.pace.depth();
        let hungry = |seat: &Seat| !seat.ended && seat.load() < 2 && seat.room(depth) > 0;
        self.broken.is_some() || self.seats.iter().flatten().any(hungry)
    }

    /// Gives a call up: one that waits is taken back, and the worker that runs it is killed and
    /// replaced; its death is not counted. Nothing happens to a call that a worker has behind
    /// another one: killing it would cost the other. So say it again after each poll until the
    /// call's event has come.
    pub fn give_up(&mut self, task: u64) {
        if let Some(at) = self.queue.iter().position(|call| call.header.task == task) {
            self.queue.remove(at);
            let outcome = Err((Ran::No, TaskErrorKind::Cancelled));
            self.events.push(Event { task, outcome });
        }
        let mut seats = self.seats.iter_mut().flatten();
        if let Some(seat) = seats.find(|seat| seat.first() == Some(task) && !seat.dismissed) {
            seat.dismissed = true;
            let request = Request::Kill(seat.worker);
            let _ = self.ask(&request, None);
        }
    }

    /// Kills all workers and starts no others. Running calls end in the death of their worker,
    /// waiting ones in [`TaskErrorKind::Broken`].
    pub fn kill_workers(&mut self) {
        self.broken.get_or_insert_with(|| "its workers were killed".to_owned());
        for seat in self.seats.iter().flatten() {
            let _ = self.ask(&Request::Kill(seat.worker), None);
        }
    }

    /// A worker's initializer has ended.
    pub(super) fn initialized(&mut self, at: usize, answer: &Answer) {
        match answer.read::<()>() {
            Ok(()) => self.terms.stillborn = 0,
            Err((_, kind)) => {
                let worker = kernel::worker_name(at);
                self.broken
                    .get_or_insert(format!("the initializer failed in worker {worker}: {kind}"));
            }
        }
    }

    /// A worker has died in its initializer. One that exits would do so again, and again; a signal
    /// may have come from outside, so the next worker gets its chance, and not for ever.
    pub(super) fn not_initialized(&mut self, death: &Death) {
        self.terms.stillborn += 1;
        let exited = matches!(death, Death::Exited { .. });
        if exited || self.terms.stillborn > self.terms.most_deaths {
            self.broken.get_or_insert(format!("{death} in its initializer"));
        }
    }

    /// A worker that has had its last call goes. Its seat is free at once; it is counted until the
    /// fork server has reaped it.
    pub(super) fn retire(&mut self, at: usize) {
        let spent = |seat: &&Seat| !seat.ended && seat.left == 0 && seat.load() == 0;
        if let Some(seat) = self.seats[at].as_ref().filter(spent) {
            // Not by closing, as when the crew is dropped.
            let _ = shutdown(seat.socket.as_raw_fd(), Shutdown::Both);
            self.seats[at] = None;
            self.leaving += 1;
        }
    }
}
