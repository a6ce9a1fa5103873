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

mod staff;
mod terms;

use crate::StartError;
use crate::call::{Answer, Call, Failure};
use crate::frame::Frame;
use crate::line::Request;
use crate::pace::Pace;
use crate::seat::Seat;
use crate::server::{ForkServer, no};
use crate::wire::watch;
use kernel::{Message, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, Shutdown, shutdown};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};
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
        let unknown = |seat: &Seat| seat.pid.is_none();
        while self.seats.iter().flatten().any(unknown) && self.hear_report(MsgFlags::empty()) {}
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
        self.server.call(task, item)
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
            news.push(watch(&seat.socket, seat.has_unsent()));
            places.push(at);
        }
        news.extend(self.line.as_ref().map(|line| watch(line, false)));
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
            let _ = self.ask(&request, None);
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
