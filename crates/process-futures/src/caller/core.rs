//! The pool core: all workers together, and the calls that they have or wait for. The core has no
//! thread of its own and never waits unless asked to.
//!
//! The thread that has the core *drives* the pool: [`PoolCore::dispatch`] takes calls over,
//! [`PoolCore::poll_beside`] moves bytes and returns what has happened. One thread at a time has
//! the core, so no lock guards the fields: the driving thread reads and writes all of them.
//!
//! Nothing here blocks on one worker. Calls are sent as far as the socket takes them and answers
//! are read as far as they have come, so a large argument on its way out and a large answer on its
//! way in pass each other. A pool that blocked on either would wait for a worker that waits for the
//! pool.

use crate::caller::batching::Batching;
use crate::caller::limits::{INITIALIZER, Limits};
#[cfg(feature = "mutations")]
use crate::caller::mutation;
use crate::caller::wake::Wake;
use crate::caller::worker_handle::WorkerHandle;
use crate::wire::packet::Packet;
use fork_server::wire::watch;
use fork_server::{ControlChannel, ForkServer, StartError, TaskFailure};
use kernel::{Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, Shutdown, shutdown};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A call that has ended, with an answer or with an error.
#[derive(Debug)]
pub struct Event {
    /// The number that [`PoolCore::dispatch`] gave the call.
    pub task: u64,
    /// The worker's answer, or the reason why there is no answer, and whether the task may have
    /// run.
    pub outcome: Result<Packet, TaskFailure>,
}

/// Some workers and the calls that they have or wait for.
///
/// Each call that is dispatched ends in exactly one [`Event`].
#[derive(Debug)]
pub struct PoolCore {
    pub(super) server: &'static ForkServer,
    /// `None` once the fork server is dead.
    pub(super) channel: Option<ControlChannel>,
    /// A worker for each letter. `None` where a fork was refused: the pool tries again after the
    /// next answer.
    pub(super) workers: Vec<Option<WorkerHandle>>,
    /// Calls that no worker has.
    pub(super) queue: VecDeque<Packet>,
    /// Calls that have ended, for the next [`PoolCore::poll_beside`] to return.
    pub(super) events: Vec<Event>,
    pub(super) batching: Batching,
    /// Deaths since the last answer.
    pub(super) deaths: usize,
    /// Why the last attempt to start a worker failed.
    pub(super) refused: Option<Errno>,
    /// Why no call will be run any more, if the pool is broken.
    pub(super) broken: Option<String>,
    pub(super) limits: Limits,
    /// The numbers of workers that have had their last call and are not reaped yet.
    pub(super) leaving: Vec<u64>,
    /// Rung when the pool's end must not wait for running calls any more.
    pub(super) hurry: Arc<Wake>,
    /// How long dropping the core may take before the workers are killed. Set by the thread that
    /// drops the core, if the pool's handle is dropped.
    pub(super) drop_timeout: Option<Duration>,
    pub(super) next_worker: u64,
    next_task: u64,
}

impl PoolCore {
    /// Starts this many workers, and the fork server if it is not running.
    ///
    /// # Errors
    /// [`StartError`] if the fork server or any worker cannot be started. No worker is left behind
    /// then.
    pub fn new(workers: NonZeroUsize) -> Result<Self, StartError> {
        let server = ForkServer::start()?;
        let hurry =
            Wake::new().map_err(|errno| StartError::System("an event descriptor", errno.into()))?;
        let count = workers.get();
        let mut core = Self {
            server,
            channel: Some(server.open_channel()?),
            workers: Vec::new(),
            queue: VecDeque::new(),
            events: Vec::new(),
            batching: Batching::new(0),
            deaths: 0,
            refused: None,
            broken: None,
            limits: Limits::new(count),
            leaving: Vec::new(),
            hurry: Arc::new(hurry),
            drop_timeout: None,
            next_worker: 0,
            next_task: 0,
        };
        // One after the other: a number that makes no sense ends at the first worker that the
        // system refuses, and takes no memory for the others.
        while core.workers.len() < count && core.refused.is_none() {
            core.workers.push(None);
            core.spawn(core.workers.len() - 1);
        }
        core.settle();
        match core.refused {
            _ if core.channel.is_none() => Err(server.lost_channel()),
            Some(errno) => Err(StartError::System("starting a worker", errno.into())),
            None => {
                core.batching = Batching::new(count);
                Ok(core)
            }
        }
    }

    /// Waits until the fork server has reported on every worker that it was asked for.
    fn settle(&mut self) {
        let unknown = |worker: &WorkerHandle| worker.pid.is_none();
        while self.workers.iter().flatten().any(unknown) && self.take_report(MsgFlags::empty()) {}
    }

    /// Forgets how long tasks take: the next tasks may be of another length. Each worker gets one
    /// call at a time again, until all workers have answered.
    pub fn forget_times(&mut self) {
        self.batching.forget();
    }

    /// Takes a call over and gives it a number. The numbers of one core only ever grow.
    pub fn dispatch(&mut self, mut call: Packet) -> u64 {
        let task = self.next_task;
        call.set_task(task);
        self.queue.push_back(call);
        self.next_task += 1;
        #[cfg(feature = "mutations")]
        mutation::dispatch(&mut self.queue, self.channel.as_ref(), &self.workers);
        task
    }

    /// How many more calls would keep the workers busy. More calls can be dispatched, and wait in
    /// the queue.
    ///
    /// A worker that has more than half of the calls that it may have gets none, so that calls
    /// leave in batches.
    pub fn room(&self) -> usize {
        if self.broken.is_some() {
            return 1; // a call, which then fails with the reason
        }
        let depth = self.batching.depth();
        let workers = self.workers.iter().flatten().filter(|worker| !worker.ended);
        let room = workers.filter(|worker| worker.load() <= depth / 2);
        let room = room.map(|worker| worker.room(depth));
        room.sum::<usize>().saturating_sub(self.queue.len())
    }

    /// Whether some worker may soon have nothing to do, and could take a call.
    pub fn is_hungry(&self) -> bool {
        let depth = self.batching.depth();
        let hungry =
            |worker: &WorkerHandle| !worker.ended && worker.load() < 2 && worker.room(depth) > 0;
        self.broken.is_some() || self.workers.iter().flatten().any(hungry)
    }

    /// Sends, receives, and returns the calls that have ended. Waits for news at most as long as
    /// `timeout` says (`None`: as long as it takes), and not at all if a call has ended. The wait
    /// also ends when there is something to read at `other`: in this way another thread ends it.
    ///
    /// The wait may end early and without a call.
    pub fn poll_beside(&mut self, timeout: Option<Duration>, other: BorrowedFd<'_>) -> Vec<Event> {
        if !self.server.is_ours() {
            // A fork of the program has copies of the sockets, and would mix its calls with the
            // program's calls.
            self.lose_all("it belongs to another process, of which this is a fork");
        }
        self.send();
        if self.channel.is_none() && self.workers.iter().all(Option::is_none) {
            return std::mem::take(&mut self.events);
        }
        let timeout = match timeout {
            _ if !self.events.is_empty() => PollTimeout::ZERO,
            // Round up: a wait that ends too early would only be repeated.
            Some(time) => time.as_micros().div_ceil(1000).try_into().unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        let (mut news, mut letters) = (Vec::new(), Vec::new());
        for (at, worker) in self.workers.iter().enumerate() {
            let Some(worker) = worker.as_ref().filter(|worker| !worker.ended) else { continue };
            news.push(watch(&worker.socket, worker.has_unsent()));
            letters.push(at);
        }
        news.extend(self.channel.as_ref().map(|channel| watch(channel, false)));
        news.push(PollFd::new(other, PollFlags::POLLIN));
        match poll(&mut news, timeout) {
            Ok(_) => {}
            // A signal ends the wait early, and there is no news then.
            Err(Errno::EINTR) => return std::mem::take(&mut self.events),
            // Nothing can be heard any more. (EINVAL: the limit of open files was lowered below the
            // number of workers.)
            Err(errno) => {
                self.lose_all(&format!("it cannot wait for its workers: {errno}"));
                self.send();
                return std::mem::take(&mut self.events);
            }
        }
        let is_news = |fd: &PollFd| fd.revents().is_some_and(|e| e.intersects(!PollFlags::POLLOUT));
        let news: Vec<bool> = news.iter().map(is_news).collect();
        for (&at, _) in letters.iter().zip(&news).filter(|(_, news)| **news) {
            self.receive(at, false);
        }
        if self.channel.is_some() && news[letters.len()] {
            while self.take_report(MsgFlags::MSG_DONTWAIT) {}
        }
        std::mem::take(&mut self.events)
    }

    /// Gives waiting calls to the workers with the fewest calls, and sends as much as the sockets
    /// take. This neither waits nor receives.
    pub fn send(&mut self) {
        if let Some(why) = &self.broken {
            for call in self.queue.drain(..) {
                let outcome = Err((Ran::No, TaskErrorKind::Broken(why.clone())));
                self.events.push(Event { task: call.header.task, outcome });
            }
        }
        let depth = self.batching.depth();
        while !self.queue.is_empty() {
            let workers = self.workers.iter_mut().flatten();
            let free = workers.filter(|worker| !worker.ended && worker.room(depth) > 0);
            let Some(worker) = free.min_by_key(|worker| worker.load()) else { break };
            worker.give(self.queue.pop_front().expect("it is not empty"));
        }
        self.workers.iter_mut().flatten().for_each(WorkerHandle::send);
    }

    /// Receives what the worker has sent.
    pub(super) fn receive(&mut self, at: usize, to_the_end: bool) {
        let Some(worker) = &mut self.workers[at] else { return };
        let (mut answered, mut initialized) = (false, None);
        worker.receive(to_the_end, |answer| {
            let task = answer.header.task;
            if task == INITIALIZER {
                initialized = Some(answer);
                return;
            }
            answered = true;
            self.batching.note(at, answer.nanoseconds());
            self.events.push(Event { task, outcome: Ok(answer) });
        });
        if worker.ended && !to_the_end {
            // The worker's end of the socket is closed, so the worker is dead or cannot be used any
            // more. The kill makes sure that the fork server reports how the worker ended.
            self.kill(at, "the pool killed it, because its socket was closed");
        }
        if let Some(answer) = initialized {
            self.initialized(at, &answer);
        }
        if answered {
            self.deaths = 0;
            if !to_the_end {
                self.retire(at);
            }
            self.replace_missing();
        }
    }

    /// Asks for the death of a worker. The cause is for the error of the worker's call.
    pub(super) fn kill(&mut self, at: usize, cause: &'static str) {
        let (Some(worker), Some(channel)) = (&mut self.workers[at], &self.channel) else { return };
        worker.cause.get_or_insert(cause);
        if let Err(errno) = channel.kill(worker.number) {
            self.lose_all(&format!("it cannot reach the fork server: {errno}"));
        }
    }

    /// The workers' process ids, in the order of their letters. Waiting reports of the fork server
    /// are received first.
    pub fn worker_pids(&mut self) -> Vec<u32> {
        while self.take_report(MsgFlags::MSG_DONTWAIT) {}
        self.settle();
        self.workers
            .iter()
            .flatten()
            .filter_map(|worker| worker.pid)
            .map(|pid| pid as u32)
            .collect()
    }

    /// How many workers there are, or were.
    pub fn count(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.workers.len()).expect("there is one worker or more")
    }
}

impl Drop for PoolCore {
    /// Waits for running tasks and initializers, cancels what waits, and leaves no child. When the
    /// pool's time limit for its end is over, or some thread is in a hurry, the workers are killed.
    fn drop(&mut self) {
        // In a fork of the program this core is a copy, and the fork must not end the program's
        // workers.
        if !self.server.is_ours() {
            return;
        }
        for worker in self.workers.iter().flatten() {
            // Shut the socket down instead of closing it: a fork of the program may have a copy,
            // which would stay open. Each worker finishes its running task, cannot send the answer,
            // and exits.
            let _ = shutdown(worker.socket.as_raw_fd(), Shutdown::Both);
        }
        self.broken = Some("it is dropped".to_owned()); // so that the dead are not replaced
        let deadline = self.drop_timeout.and_then(|limit| Instant::now().checked_add(limit));
        let mut killed = false;
        while !self.leaving.is_empty() || self.workers.iter().any(Option::is_some) {
            if let (false, Some(channel)) = (killed, &self.channel) {
                let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
                let timeout = left.map_or(PollTimeout::NONE, |left| {
                    left.as_millis().try_into().unwrap_or(PollTimeout::MAX)
                });
                let mut news = [watch(channel, false), watch(&*self.hurry, false)];
                let polled = poll(&mut news, timeout);
                let hurry = news[1].any() == Some(true) || polled.is_err_and(|e| e != Errno::EINTR);
                if hurry || left.is_some_and(|left| left.is_zero()) {
                    killed = true;
                    self.kill_workers();
                }
                self.take_report(MsgFlags::MSG_DONTWAIT);
            } else {
                self.take_report(MsgFlags::empty());
            }
        }
    }
}
