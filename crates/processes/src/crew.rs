//! The crew: the inside of a pool. It has no thread of its own and never waits unless asked to.
//!
//! Whoever has a crew pumps it: [`Crew::dispatch`] hands calls over, [`Crew::poll`] moves bytes and
//! tells what has happened. A `map` pumps on its caller's thread, because a thread in between would
//! have to be woken twice for each answer: 43 µs in place of 19 on the machine that this was
//! planned on.
//!
//! Nothing here blocks on one worker. Calls are sent as far as the socket takes them and answers
//! are read as far as they have come, so a large argument on its way out and a large answer on its
//! way in pass each other. Blocking on either would wait for a worker that waits for us.

mod terms;

use crate::call::{Answer, Call, Failure};
use crate::frame::Frame;
use crate::line::{News, Report, Request, hear, say};
use crate::pace::Pace;
use crate::seat::Seat;
use crate::server::{ForkServer, no};
use crate::{StartError, wire};
use kernel::{Death, Message, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::socket::{MsgFlags, Shutdown, SockType, shutdown};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;
use terms::{INITIALIZER, Terms};

/// A call that has ended, one way or another.
#[derive(Debug)]
pub struct Event {
    /// The number that [`Crew::dispatch`] gave it.
    pub task: u64,
    /// The worker's answer, or why there is none and whether the task may have run.
    pub outcome: Result<Answer, Failure>,
}

/// Some workers and the calls that they have or wait for.
///
/// Each call that is dispatched ends in exactly one [`Event`].
#[derive(Debug)]
pub struct Crew {
    server: &'static ForkServer,
    /// To the fork server. `None` once that is dead.
    line: Option<OwnedFd>,
    /// `None` where a fork was refused: tried again after the next answer.
    seats: Vec<Option<Seat>>,
    /// Calls that no worker has.
    queue: VecDeque<Frame>,
    /// What has ended and has not been told.
    events: Vec<Event>,
    pace: Pace,
    deaths: usize,
    /// Why the last attempt to start a worker failed.
    refused: Option<Errno>,
    /// Why no call will be run any more, if so.
    broken: Option<String>,
    terms: Terms,
    /// Workers that have left their seats and are not reaped yet.
    leaving: usize,
    next_worker: u64,
    next_task: u64,
}

impl Crew {
    /// Starts this many workers, and the fork server if it is not running.
    ///
    /// # Errors
    /// [`StartError`] if the fork server or any worker cannot be started. None is left behind then.
    pub fn new(workers: NonZeroUsize) -> Result<Self, StartError> {
        let server = ForkServer::start()?;
        let count = workers.get();
        let mut crew = Self {
            server,
            line: Some(server.open_line()?),
            seats: (0..count).map(|_| None).collect(),
            queue: VecDeque::new(),
            events: Vec::new(),
            pace: Pace::new(count),
            deaths: 0,
            refused: None,
            broken: None,
            terms: Terms::new(count),
            leaving: 0,
            next_worker: 0,
            next_task: 0,
        };
        crew.fill_seats();
        crew.settle();
        match crew.refused {
            _ if crew.line.is_none() => Err(StartError::ServerGone),
            Some(errno) => Err(no("starting a worker")(errno)),
            None => Ok(crew),
        }
    }

    /// Waits until the fork server has reported on every worker that it was asked for.
    fn settle(&mut self) {
        while self.seats.iter().flatten().any(|seat| seat.pid.is_none()) {
            self.hear_report(MsgFlags::empty());
        }
    }

    /// Makes a call of a function and an argument.
    ///
    /// # Errors
    /// [`TaskErrorKind::NotInTemplate`] if the workers do not have the function, and
    /// [`TaskErrorKind::NotSerialised`] if the argument cannot be written down.
    pub fn call<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        item: &A,
    ) -> Result<Call, TaskErrorKind> {
        Call::new(self.server.image(), task, item)
    }

    /// Forgets how long tasks take: the next ones may be others. Each worker gets one call at a
    /// time again, until all have answered.
    pub fn forget_pace(&mut self) {
        self.pace.forget();
    }

    /// Takes a call over and gives it a number. The numbers of one crew only ever grow.
    pub fn dispatch(&mut self, mut call: Call) -> u64 {
        let task = self.next_task;
        call.0.set_task(task);
        self.queue.push_back(call.0);
        self.next_task += 1;
        task
    }

    /// The number that the next call will get.
    pub fn next_task(&self) -> u64 {
        self.next_task
    }

    /// How many more calls would keep the workers busy. More can be dispatched; they wait.
    ///
    /// A worker that has half of what it may have is left alone, so that calls leave in batches.
    pub fn room(&self) -> usize {
        if self.broken.is_some() {
            return 1; // to be told so
        }
        let depth = self.pace.depth();
        let seats = self.seats.iter().flatten().filter(|seat| !seat.ended);
        let room = seats.filter(|seat| seat.load() <= depth / 2).map(|seat| seat.room(depth));
        room.sum::<usize>().saturating_sub(self.queue.len())
    }

    /// Sends, receives, and tells which calls have ended. Waits for news at most as long as
    /// `timeout` says (`None`: as long as it takes), and not at all if there is something to tell.
    ///
    /// It may come back early and with nothing to tell.
    // ANCHOR: poll
    pub fn poll(&mut self, timeout: Option<Duration>) -> Vec<Event> {
        self.poll_beside(timeout, None)
    }

    /// As [`Crew::poll`], and comes back too when there is something to read at `other`: that is how
    /// another thread ends the wait.
    pub fn poll_beside(
        &mut self,
        timeout: Option<Duration>,
        other: Option<BorrowedFd<'_>>,
    ) -> Vec<Event> {
        let ours = self.server.is_ours();
        if !ours {
            // A fork of the program has copies of the sockets, and would mix its calls with ours.
            self.broken = Some("it belongs to another process, of which this is a fork".to_owned());
            self.seats.iter_mut().flatten().for_each(|seat| seat.ended = true);
        }
        self.hand_out();
        let nobody = self.line.is_none() && self.seats.iter().all(Option::is_none);
        if nobody || !ours {
            return std::mem::take(&mut self.events);
        }
        let timeout = match timeout {
            _ if !self.events.is_empty() => PollTimeout::ZERO,
            // Rounded up: a wait that ends too early would only be repeated.
            Some(time) => time.as_micros().div_ceil(1000).try_into().unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let (mut news, mut places) = (Vec::new(), Vec::new());
        for (at, seat) in self.seats.iter().enumerate() {
            let Some(seat) = seat.as_ref().filter(|seat| !seat.ended) else { continue };
            let mut events = PollFlags::POLLIN;
            events.set(PollFlags::POLLOUT, seat.has_unsent());
            news.push(PollFd::new(seat.socket.as_fd(), events));
            places.push(at);
        }
        news.extend(self.line.as_ref().map(|line| PollFd::new(line.as_fd(), PollFlags::POLLIN)));
        news.extend(other.map(|other| PollFd::new(other, PollFlags::POLLIN)));
        // A signal ends the wait early, and there is no news then.
        let _ = poll(&mut news, timeout);
        let is_news = |fd: &PollFd| fd.revents().is_some_and(|e| e.intersects(!PollFlags::POLLOUT));
        let news: Vec<bool> = news.iter().map(is_news).collect();
        for (&at, _) in places.iter().zip(&news).filter(|(_, news)| **news) {
            self.receive(at, false);
        }
        if news.len() > places.len() && news[places.len()] {
            while self.hear_report(MsgFlags::MSG_DONTWAIT) {}
        }
        std::mem::take(&mut self.events)
    }
    // ANCHOR_END: poll

    /// Gives waiting calls to the workers with the fewest, and sends what can be sent.
    // ANCHOR: hand_out
    fn hand_out(&mut self) {
        if let Some(why) = &self.broken {
            for call in self.queue.drain(..) {
                let outcome = Err((Ran::No, TaskErrorKind::Broken(why.clone())));
                self.events.push(Event { task: call.header.task, outcome });
            }
        }
        let depth = self.pace.depth();
        while !self.queue.is_empty() {
            let seats = self.seats.iter_mut().flatten();
            let free = seats.filter(|seat| !seat.ended && seat.room(depth) > 0);
            let Some(seat) = free.min_by_key(|seat| seat.load()) else { break };
            seat.give(self.queue.pop_front().map(Call).expect("it is not empty"));
        }
        self.seats.iter_mut().flatten().for_each(Seat::send);
    }
    // ANCHOR_END: hand_out

    /// Takes in what the worker has sent.
    fn receive(&mut self, at: usize, to_the_end: bool) {
        let Some(seat) = &mut self.seats[at] else { return };
        let (mut answered, mut initialized) = (false, None);
        seat.receive(to_the_end, |task, answer| {
            if task == INITIALIZER {
                initialized = Some(answer);
                return;
            }
            answered = true;
            self.pace.note(at, answer.nanoseconds());
            self.events.push(Event { task, outcome: Ok(answer) });
        });
        if seat.ended && !to_the_end {
            // Its end of the socket is closed, and the worker is dead or of no more use. Killing it
            // makes sure of the report, which tells what it died of.
            let request = Request::Kill(seat.worker);
            self.ask(&request, None);
        }
        if let Some(answer) = initialized {
            self.initialized(at, &answer);
        }
        if answered {
            self.deaths = 0;
            if !to_the_end {
                self.retire(at);
            }
            self.fill_seats();
        }
    }

    /// Takes in one report of the fork server. False if there is none.
    fn hear_report(&mut self, flags: MsgFlags) -> bool {
        let Some(line) = &self.line else { return false };
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
                    (None, News::Exited(_)) => self.leaving -= 1,
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
        self.hire(at);
        self.give_up_without_workers();
    }

    /// Empties the seat, fails the call that was running and puts the others back in the queue.
    fn bury(&mut self, at: usize, death: Option<Death>) {
        let Some(mut seat) = self.seats[at].take() else { return };
        let fault = seat.fault.take();
        let estate = seat.estate(death.is_some());
        for call in estate.waiting.into_iter().rev() {
            // Who takes the seat gets an initializer of its own.
            if call.header.task != INITIALIZER {
                self.queue.push_front(call);
            }
        }
        if let (Some(call), Some(death)) = (estate.running, death) {
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
        if let (true, Some(errno)) = (self.seats.iter().all(Option::is_none), self.refused) {
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
    fn hire(&mut self, at: usize) {
        if self.seats[at].is_some() || self.broken.is_some() {
            return;
        }
        match wire::pair(SockType::Stream) {
            Ok((ours, theirs)) => {
                let worker = self.next_worker;
                self.next_worker += 1;
                self.ask(&Request::Spawn(worker), Some(theirs));
                let mut seat = Seat::new(worker, ours, self.terms.calls_per_worker);
                if let Some(initializer) = &self.terms.initializer {
                    seat.give_first(initializer);
                }
                self.seats[at] = Some(seat);
            }
            Err(errno) => self.refused = Some(errno),
        }
    }
    // ANCHOR_END: hire

    fn fill_seats(&mut self) {
        (0..self.seats.len()).for_each(|at| self.hire(at));
    }

    /// Asks the fork server for something. It always listens, so this does not block for long; and
    /// if it is dead, the end of the line says so soon.
    fn ask(&self, request: &Request, socket: Option<OwnedFd>) {
        if let Some(line) = &self.line {
            let _ = say(line, request, socket, MsgFlags::empty());
        }
    }

    /// The workers' process ids, in the order of the seats. It takes in the news first.
    pub fn worker_pids(&mut self) -> Vec<u32> {
        while self.hear_report(MsgFlags::MSG_DONTWAIT) {}
        self.settle();
        self.seats.iter().flatten().filter_map(|seat| seat.pid).map(|pid| pid as u32).collect()
    }

    /// How many workers the crew has, or had.
    pub fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.seats.len()).expect("a crew has one worker or more")
    }
}

impl Drop for Crew {
    /// Waits for running tasks, cancels what waits, and leaves no child.
    // ANCHOR: drop
    fn drop(&mut self) {
        // In a fork of the program these are copies, and the workers are not ours to end.
        if !self.server.is_ours() {
            return;
        }
        for seat in self.seats.iter().flatten() {
            // Not by closing: a fork of the program may have a copy that would stay open. Each
            // worker ends its running task, cannot send the answer, and goes.
            let _ = shutdown(seat.socket.as_raw_fd(), Shutdown::Both);
        }
        self.broken = Some("it is dropped".to_owned()); // so that the dead are not replaced
        while self.leaving > 0 || self.seats.iter().any(Option::is_some) {
            self.hear_report(MsgFlags::empty());
        }
    }
    // ANCHOR_END: drop
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
