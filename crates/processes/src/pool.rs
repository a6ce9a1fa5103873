//! The pool: workers behind the contract, driven by the thread that waits.
//!
//! The pool has no thread of its own. [`Workers::poll`] moves bytes and receives answers and
//! reports. A `map` calls `poll` on its caller's thread, because a thread in between would have to
//! be woken twice for each answer: 43 µs in place of 19 µs on the machine on which the pool was
//! planned.
//!
//! Nothing here blocks on one worker. Calls are sent as far as the socket takes them and answers
//! are read as far as they have come, so a large argument on its way out and a large answer on its
//! way in pass each other. A pool that blocked on either would wait for a worker that waits for the
//! pool.

use crate::call::call;
use crate::frame::Frame;
use crate::lifecycle::{Ended, Workers};
use crate::{ForkServer, StartError};
use fork_server::wire::watch;
use kernel::{Executor, Message, Ran, TaskError, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::MsgFlags;
use std::mem;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

impl Workers {
    /// Takes a call over and gives it a number. The numbers only ever grow. The next
    /// [`Workers::poll`] sends the call.
    pub fn submit(&mut self, mut call: Frame) -> u64 {
        let task = self.next_task;
        call.set_task(task);
        self.queue.push_back(call);
        self.next_task += 1;
        task
    }

    /// Sends, receives, and returns the calls that have ended. Waits for news at most as long as
    /// `timeout` says (`None`: as long as it takes), and not at all if a call has ended.
    ///
    /// The wait may end early and without a call.
    // ANCHOR: poll
    pub fn poll(&mut self, timeout: Option<Duration>) -> Vec<Ended> {
        if !self.server.is_ours() {
            // A fork of the program has copies of the sockets, and would mix its calls with the
            // program's calls.
            self.lose_all(NOT_OURS);
        }
        self.hand_out();
        if self.channel.is_none() && self.handles.iter().all(Option::is_none) {
            return mem::take(&mut self.ended);
        }
        let timeout = match timeout {
            _ if !self.ended.is_empty() => PollTimeout::ZERO,
            // Round up: a wait that ends too early would only be repeated.
            Some(time) => time.as_micros().div_ceil(1000).try_into().unwrap_or(PollTimeout::MAX),
            None => PollTimeout::NONE,
        };
        match self.wait(timeout) {
            Ok((letters, is_report)) => {
                letters.into_iter().for_each(|at| self.receive(at));
                while is_report && self.take_report(MsgFlags::MSG_DONTWAIT) {}
            }
            Err(Errno::EINTR) => {} // a signal ends the wait early, and there is no news then
            // Nothing can be heard any more. (EINVAL: the limit of open files was lowered below the
            // number of workers.)
            Err(errno) => self.lose_all(&format!("it cannot wait for its workers: {errno}")),
        }
        self.hand_out();
        mem::take(&mut self.ended)
    }
    // ANCHOR_END: poll

    /// Gives each idle worker a call, and sends as much as the sockets take.
    // ANCHOR: hand_out
    fn hand_out(&mut self) {
        if let Some(why) = &self.broken {
            for call in self.queue.drain(..) {
                let outcome = Err((Ran::No, TaskErrorKind::Broken(why.clone())));
                self.ended.push(Ended { task: call.header.task, outcome });
            }
        }
        for handle in self.handles.iter_mut().flatten() {
            if handle.is_idle()
                && let Some(call) = self.queue.pop_front()
            {
                handle.give(call);
            }
            handle.send();
        }
    }
    // ANCHOR_END: hand_out

    /// Waits for news. Gives the workers that have some, and whether the fork server has a report.
    fn wait(&self, timeout: PollTimeout) -> nix::Result<(Vec<usize>, bool)> {
        let (mut letters, mut watched) = (Vec::new(), Vec::new());
        for (at, handle) in self.handles.iter().enumerate() {
            let Some(handle) = handle.as_ref().filter(|handle| !handle.ended) else { continue };
            letters.push(at);
            watched.push(watch(&handle.socket, !handle.unsent().is_empty()));
        }
        watched.extend(self.channel.as_ref().map(|channel| watch(channel, false)));
        poll(&mut watched, timeout)?;
        let is_news = |fd: &PollFd| fd.revents().is_some_and(|e| e.intersects(!PollFlags::POLLOUT));
        let mut news = watched.iter().map(is_news);
        letters.retain(|_| news.next() == Some(true));
        Ok((letters, news.next() == Some(true)))
    }

    /// Receives what the worker has sent.
    fn receive(&mut self, at: usize) {
        let Some(handle) = &mut self.handles[at] else { return };
        let answer = handle.receive(false);
        if let (true, Some(channel)) = (handle.ended, &self.channel) {
            // The worker's end of the socket is closed, so the worker is dead or cannot be used any
            // more. The kill makes sure that the fork server reports how the worker ended.
            if let Err(errno) = channel.kill(handle.number) {
                self.lose_all(&format!("it cannot reach the fork server: {errno}"));
            }
        }
        if let Some(answer) = answer {
            self.ended.push(Ended { task: answer.header.task, outcome: Ok(answer) });
            self.answered();
        }
    }
}

/// Runs items in worker processes that are started once and kept.
///
/// ```
/// use kernel::Executor;
/// # fn double(n: u64) -> u64 { n * 2 }
/// # fn main() {
/// # let two = std::num::NonZeroUsize::new(2).unwrap();
/// let pool = processes::ProcessPool::new(two).expect("first in main, before any thread");
/// assert_eq!(pool.map(double, vec![1, 2, 3]).unwrap(), [2, 4, 6]);
/// # }
/// ```
///
/// A program that keeps its pool in a `static LazyLock` calls
/// [`ForkServer::start`](crate::ForkServer::start) first in `main`:
/// a worker that is forked in the middle of the initialisation has a pool that is never ready.
///
/// Two threads may share a pool; their maps take turns. Dropping the pool waits for the workers'
/// running tasks, however long, and leaves no child. (A pool that is kept in a `static` is not
/// dropped when `main` returns: its workers are killed then.)
///
/// # Deaths
/// A worker that dies costs the item that it was running, and is replaced. If many workers die in a
/// row, with no answer from any of them between, the pool takes it that the next will die too: it is
/// *broken*, and every later item fails at once with [`Broken`](TaskErrorKind::Broken) and does not
/// run. So sixty items that kill their workers, and then a thousand good ones, give no answer at
/// all. [`with_death_limit`](Self::with_death_limit) sets how many deaths are too many.
#[derive(Debug)]
pub struct ProcessPool {
    /// The workers, in a mutex and not in a cell, so that a program may keep its pool in a
    /// `static`.
    workers: Mutex<Workers>,
    server: &'static ForkServer,
    count: NonZeroUsize,
}

/// Why a fork of the program cannot use its copy of the pool.
const NOT_OURS: &str = "it belongs to another process, of which this is a fork";

impl ProcessPool {
    /// Starts this many workers, and the fork server if it is not running.
    ///
    /// # Errors
    /// [`StartError`]: the process has other threads and no fork server, or the system refuses.
    pub fn new(workers: NonZeroUsize) -> Result<Self, StartError> {
        let started = Workers::new(workers)?;
        Ok(Self { server: started.server, workers: Mutex::new(started), count: workers })
    }

    /// Lets this many workers die, with no answer from any worker between, before the pool is
    /// broken and fails every later item. The default is twice the number of workers, and at least
    /// 20. With 0, the first death breaks the pool; with `usize::MAX`, no number of deaths does.
    #[must_use]
    pub fn with_death_limit(mut self, limit: usize) -> Self {
        self.workers.get_mut().unwrap_or_else(PoisonError::into_inner).most_deaths = limit;
        self
    }

    /// The workers' process ids, in the order of their letters; none in a fork of the program. This
    /// waits for a map that runs: to kill a worker in the middle of a map, ask for the process ids
    /// before.
    pub fn worker_pids(&self) -> Vec<u32> {
        if self.server.is_ours() { self.lock().worker_pids() } else { Vec::new() }
    }

    fn lock(&self) -> MutexGuard<'_, Workers> {
        // A map that panicked half way left calls with the workers. The numbers of these calls are
        // below the numbers of any later map, so a later map does not mistake their answers for its
        // own.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for ProcessPool {
    // ANCHOR: map_each
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        if !self.server.is_ours() {
            // Do not even lock: a thread that holds the lock is not in this copy of the program.
            let broken = || TaskErrorKind::Broken(NOT_OURS.to_owned());
            let error = |index| Err(TaskError::new(index, Ran::No, broken()));
            return (0..items.len()).map(error).collect();
        }
        let mut workers = self.lock();
        let mut answers: Vec<Option<Result<R, TaskError>>> = items.iter().map(|_| None).collect();
        // The item of each task, in the order of the task numbers from `first` on.
        let (first, mut submitted, mut unfinished) = (workers.next_task, Vec::new(), 0);
        let mut items = items.into_iter().enumerate();
        loop {
            // Each worker has one call, and the queue holds one more serialised call for each
            // worker. A queued call is sent as soon as any worker is idle, before that worker's
            // answer is read. A queued call belongs to no worker yet, so it never waits behind a
            // long call while another worker idles. And the arguments of a long list are never all
            // in memory twice.
            while unfinished == 0 || workers.queue.len() < self.count.get() {
                let Some((index, item)) = items.next() else { break };
                match call(task, &item) {
                    Ok(call) => {
                        workers.submit(call);
                        submitted.push(index);
                        unfinished += 1;
                    }
                    Err(kind) => answers[index] = Some(Err(TaskError::new(index, Ran::No, kind))),
                }
            }
            if unfinished == 0 {
                let told = |answer: Option<_>| answer.expect("each call ends once");
                return answers.into_iter().map(told).collect();
            }
            for Ended { task, outcome } in workers.poll(None) {
                let Some(at) = task.checked_sub(first) else { continue };
                let index = submitted[at as usize];
                let answer = outcome.and_then(|answer| answer.answer());
                answers[index] =
                    Some(answer.map_err(|(ran, kind)| TaskError::new(index, ran, kind)));
                unfinished -= 1;
            }
        }
    }
    // ANCHOR_END: map_each

    fn workers(&self) -> NonZeroUsize {
        self.count
    }
}
