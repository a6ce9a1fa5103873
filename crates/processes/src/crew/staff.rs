//! Who sits where: workers are hired, die, and are replaced.
//!
//! Everything here begins with a report of the fork server. It is the workers' parent, so it alone
//! knows how one has ended; the end of file on a worker's socket says only that.

use super::terms::INITIALIZER;
use super::{Crew, Event};
use crate::line::{News, Report, Request, hear, say};
use crate::seat::Seat;
use crate::wire;
use kernel::{Death, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, SockType};
use std::os::fd::OwnedFd;

impl Crew {
    /// Takes in one report of the fork server. False if there is none.
    pub(super) fn hear_report(&mut self, flags: MsgFlags) -> bool {
        let Some(line) = self.line.as_ref().filter(|_| self.server.is_ours()) else { return false };
        match hear::<Report>(line, flags) {
            Ok(Some((Report { worker, news }, _))) => {
                let seats = &mut self.seats;
                let is_it = |seat: &Option<Seat>| seat.as_ref().is_some_and(|s| s.worker == worker);
                match (seats.iter().position(is_it), news) {
                    (Some(at), News::Spawned(pid)) => {
                        seats[at].as_mut().expect("it is taken").pid = Some(pid);
                    }
                    (Some(at), News::Refused(errno)) => self.not_forked(at, Errno::from_raw(errno)),
                    (Some(at), News::Exited(status)) => self.exited(at, status),
                    (None, News::Exited(_)) => {
                        self.leaving -= 1;
                        self.fill_seats(); // those that could not be filled when it left
                    }
                    (None, _) => {}
                }
            }
            Err(Errno::EAGAIN) => return false,
            Ok(None) | Err(_) => self.server_gone(),
        }
        true
    }

    /// A worker has died: its running call fails, those behind it wait for another worker, and
    /// another worker takes the seat.
    // ANCHOR: death
    fn exited(&mut self, at: usize, status: i32) {
        // What it wrote before it died is as good as any answer. (No end of file need follow: a
        // process that the task has started may still have the socket.)
        self.receive(at, true);
        let death = how_it_ended(at, status);
        let dismissed = self.seats[at].as_ref().is_some_and(|seat| seat.dismissed);
        self.deaths += usize::from(!dismissed);
        self.bury(at, Some(death.clone()));
        if self.deaths > self.terms.most_deaths {
            let why = format!("{} workers died without an answer between; {death}", self.deaths);
            self.broken.get_or_insert(if self.deaths > 1 { why } else { death.to_string() });
        }
        self.fill_seats();
    }

    /// Empties the seat, fails the call that was running and puts the others back in the queue.
    fn bury(&mut self, at: usize, death: Option<Death>) {
        let Some(mut seat) = self.seats[at].take() else { return };
        let fault = seat.fault.take();
        let (running, waiting) = seat.estate(death.is_some());
        for call in waiting.into_iter().rev() {
            // Who takes the seat gets an initializer of its own.
            if call.header.task != INITIALIZER {
                self.queue.push_front(call);
            }
        }
        if let (Some(call), Some(death)) = (running, death) {
            if call.header.task == INITIALIZER {
                return self.not_initialized(&death);
            }
            let kind = match fault {
                Some(why) => TaskErrorKind::NotDeserialised(format!("no frame came: {why}")),
                None => TaskErrorKind::WorkerDied(death),
            };
            self.events.push(Event { task: call.header.task, outcome: Err((Ran::Unknown, kind)) });
        }
    }
    // ANCHOR_END: death

    /// The system has refused a fork. The other workers go on, and the seat stays empty until one
    /// of them has answered: what was short may be there again by then.
    fn not_forked(&mut self, at: usize, errno: Errno) {
        self.bury(at, None);
        self.refused = Some(errno);
        self.give_up_without_workers();
    }

    fn give_up_without_workers(&mut self) {
        // Who is leaving wakes us once more, and may leave behind what is short now.
        let nobody = self.leaving == 0 && self.seats.iter().all(Option::is_none);
        if let (true, Some(errno)) = (nobody, self.refused) {
            let why = format!("no worker is left, and none can be started: {}", errno.desc());
            self.broken.get_or_insert(why);
        }
    }

    /// Without the fork server its workers die too, and nobody can start others.
    fn server_gone(&mut self) {
        self.line = None;
        self.leaving = 0; // nobody is left who could report them
        self.server.reap();
        self.broken = Some("its fork server has died".to_owned());
        for at in 0..self.seats.len() {
            self.receive(at, true);
            self.bury(at, Some(Death::Unknown { worker: at }));
        }
    }

    /// Has a worker forked for an empty seat. Its socket takes calls at once; the fork server
    /// reports later.
    // ANCHOR: hire
    pub(super) fn hire(&mut self, at: usize) {
        if self.seats[at].is_some() || self.broken.is_some() {
            return;
        }
        let worker = self.next_worker;
        let seat = wire::pair(SockType::Stream).and_then(|(ours, theirs)| {
            self.ask(&Request::Spawn(worker), Some(theirs))?;
            Ok(Seat::new(worker, ours, self.terms.calls_per_worker))
        });
        match seat {
            Ok(mut seat) => {
                self.next_worker += 1;
                if let Some(initializer) = &self.terms.initializer {
                    seat.give_first(initializer);
                }
                self.seats[at] = Some(seat);
            }
            Err(errno) => self.refused = Some(errno),
        }
    }
    // ANCHOR_END: hire

    pub(super) fn fill_seats(&mut self) {
        (0..self.seats.len()).for_each(|at| self.hire(at));
        self.give_up_without_workers();
    }

    /// Asks the fork server for something. It always listens, so this does not block for long.
    ///
    /// If it is dead, that is no error here: the end of the line says so soon.
    pub(super) fn ask(&self, request: &Request, socket: Option<OwnedFd>) -> nix::Result<()> {
        let Some(line) = &self.line else { return Ok(()) };
        match say(line, request, socket, MsgFlags::empty()) {
            Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            result => result,
        }
    }
}

/// Puts what `wait(2)` tells into words.
fn how_it_ended(worker: usize, status: i32) -> Death {
    if libc::WIFEXITED(status) {
        return Death::Exited { worker, status: libc::WEXITSTATUS(status) };
    }
    let signal = libc::WTERMSIG(status);
    let name = Signal::try_from(signal).map_or(format!("signal {signal}"), |s| s.to_string());
    Death::Killed { worker, signal, name }
}
