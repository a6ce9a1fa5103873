//! Workers are forked, run their initializer, die, go after their last call, and are replaced.
//!
//! Nearly everything here begins with a report of the fork server. Only the fork server, the
//! workers' parent, knows how a worker has ended; the end of file on a worker's socket says only
//! that the worker is gone.

use crate::caller::core::{Event, PoolCore};
use crate::caller::limits::INITIALIZER;
#[cfg(feature = "mutations")]
use crate::caller::mutation;
use crate::caller::worker_handle::WorkerHandle;
use crate::wire::packet::Packet;
use crate::worker::serve::serve;
use fork_server::{News, WorkerEnd, WorkerLoop, WorkerReport, wire};
use kernel::{Death, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, SockType, shutdown};
use std::os::fd::AsRawFd;

/// What has become of a worker.
enum Lost {
    Died(Death),
    /// The pool cannot hear of the worker any more, for this reason.
    GivenUp(String),
}

impl PoolCore {
    /// Receives one report of the fork server. Returns false if there is none.
    pub(super) fn take_report(&mut self, flags: MsgFlags) -> bool {
        let channel = self.channel.as_ref().filter(|_| self.server.is_ours());
        let Some(channel) = channel else { return false };
        match channel.report(flags) {
            Ok(Some(WorkerReport { worker: number, news })) => {
                let workers = &mut self.workers;
                let is_it = |worker: &Option<WorkerHandle>| {
                    worker.as_ref().is_some_and(|worker| worker.number == number)
                };
                match (workers.iter().position(is_it), news) {
                    (Some(at), News::Spawned(pid)) => {
                        workers[at].as_mut().expect("it is there").pid = Some(pid);
                    }
                    (Some(at), News::Refused(errno)) => self.not_forked(at, Errno::from_raw(errno)),
                    (Some(at), News::Exited(end)) => self.exited(at, end),
                    (None, News::Exited(_)) => {
                        self.leaving.retain(|&leaving| leaving != number);
                        self.replace_missing(); // a fork may work now that this worker is gone
                    }
                    (None, _) => {}
                }
            }
            Err(Errno::EAGAIN) => return false,
            Ok(None) | Err(_) => self.channel_closed(),
        }
        true
    }

    /// A worker has died: its running call fails, the calls behind that call wait for another
    /// worker, and another worker takes its letter.
    fn exited(&mut self, at: usize, end: WorkerEnd) {
        // An answer that the worker wrote before it died is valid. (An end of file need not follow:
        // a process that the task has started may still have the socket.)
        self.receive(at, true);
        let worker = self.workers[at].as_ref();
        let death = end.death(at, worker.and_then(|worker| worker.cause));
        self.deaths += usize::from(worker.is_some_and(|worker| !worker.dismissed));
        self.bury(at, Some(Lost::Died(death.clone())));
        if self.deaths > self.limits.most_deaths {
            let why = format!("{} workers died without an answer between; {death}", self.deaths);
            self.broken.get_or_insert(if self.deaths > 1 { why } else { death.to_string() });
        }
        self.replace_missing();
    }

    /// Forgets the worker, fails the call that was running and puts the others back in the queue.
    fn bury(&mut self, at: usize, lost: Option<Lost>) {
        let Some(mut worker) = self.workers[at].take() else { return };
        let fault = worker.fault.take();
        let (running, waiting) = worker.unfinished_calls(lost.is_some());
        #[cfg(feature = "mutations")]
        let (running, waiting) = mutation::bury(running, waiting, |task, outcome| {
            self.events.push(Event { task, outcome })
        });
        for call in waiting.into_iter().rev() {
            // Drop the initializer: the worker that takes the letter gets one of its own.
            if call.header.task != INITIALIZER {
                self.queue.push_front(call);
            }
        }
        if let (Some(call), Some(lost)) = (running, lost) {
            if call.header.task == INITIALIZER {
                return self.not_initialized(lost);
            }
            let kind = match (fault, lost) {
                (Some(why), _) => TaskErrorKind::NotDeserialised(format!("no frame came: {why}")),
                (None, Lost::Died(death)) => TaskErrorKind::WorkerDied(death),
                (None, Lost::GivenUp(why)) => TaskErrorKind::Broken(why),
            };
            self.events.push(Event { task: call.header.task, outcome: Err((Ran::Unknown, kind)) });
        }
    }

    /// The system has refused a fork. The other workers go on, and the place stays empty until one
    /// of them has answered: by then, the missing resource may be available again.
    fn not_forked(&mut self, at: usize, errno: Errno) {
        self.bury(at, None);
        self.refused = Some(errno);
        self.give_up_without_workers();
    }

    fn give_up_without_workers(&mut self) {
        // If a worker is leaving, wait for the report of its end: its end may free the missing
        // resource.
        let nobody = self.leaving.is_empty() && self.workers.iter().all(Option::is_none);
        if let (true, Some(errno)) = (nobody, self.refused) {
            let why = format!("no worker is left, and none can be started: {}", errno.desc());
            self.broken.get_or_insert(why);
        }
    }

    /// When the fork server dies, its workers die too, and no process can start others.
    fn channel_closed(&mut self) {
        if !self.server.has_died() {
            return self.lose_all("its channel to the fork server is closed");
        }
        (0..self.workers.len()).for_each(|at| self.receive(at, true));
        self.close("its fork server has died", |worker, pid| {
            Lost::Died(Death::Unknown { worker, pid })
        });
    }

    /// Breaks the pool at once. The workers that are left are killed: the fork server does so when
    /// the channel is closed.
    pub(super) fn lose_all(&mut self, why: &str) {
        self.close(why, |_, _| Lost::GivenUp(why.to_owned()));
    }

    fn close(&mut self, why: &str, lost: impl Fn(usize, Option<u32>) -> Lost) {
        self.channel = None;
        self.leaving.clear(); // no process is left that could report them
        self.broken = Some(why.to_owned());
        for at in 0..self.workers.len() {
            let pid = self.workers[at].as_ref().and_then(|worker| worker.pid);
            self.bury(at, Some(lost(at, pid.map(|pid| pid as u32))));
        }
    }

    pub(super) fn replace_missing(&mut self) {
        (0..self.workers.len()).for_each(|at| self.spawn(at));
        self.give_up_without_workers();
    }

    /// Asks the fork server for a worker where one is missing. The worker's socket takes calls at
    /// once; the fork server reports later.
    pub(super) fn spawn(&mut self, at: usize) {
        if self.workers[at].is_some() || self.broken.is_some() {
            return;
        }
        #[cfg(feature = "mutations")]
        if mutation::has_struck("unreplaced") {
            return;
        }
        let Some(channel) = &self.channel else { return };
        let number = self.next_worker;
        let worker = wire::pair(SockType::Stream).and_then(|(ours, theirs)| {
            channel.spawn(number, serve as WorkerLoop, theirs)?;
            Ok(WorkerHandle::new(number, ours, self.limits.calls_per_worker))
        });
        match worker {
            Ok(mut worker) => {
                self.next_worker += 1;
                if let Some(initializer) = &self.limits.initializer {
                    worker.give_first(initializer);
                }
                self.workers[at] = Some(worker);
            }
            Err(errno) => self.refused = Some(errno),
        }
    }

    /// A worker's initializer has ended.
    pub(super) fn initialized(&mut self, at: usize, answer: &Packet) {
        match answer.answer::<()>() {
            Ok(()) => self.limits.stillborn = 0,
            Err((_, kind)) => {
                let worker = kernel::worker_name(at);
                self.broken
                    .get_or_insert(format!("the initializer failed in worker {worker}: {kind}"));
            }
        }
    }

    /// A worker has died in its initializer. An initializer that exits would exit in every new
    /// worker, so the pool breaks at once. A signal may have come from outside, so further workers
    /// are started, but not without limit.
    fn not_initialized(&mut self, lost: Lost) {
        let Lost::Died(death) = lost else { return };
        self.limits.stillborn += 1;
        let exited = matches!(death, Death::Exited { .. });
        if exited || self.limits.stillborn > self.limits.most_deaths {
            self.broken.get_or_insert(format!("{death} in its initializer"));
        }
    }

    /// Lets a worker go that has had its last call. The worker's letter is free at once; `leaving`
    /// counts the worker until the fork server has reaped it.
    pub(super) fn retire(&mut self, at: usize) {
        let spent =
            |worker: &&WorkerHandle| !worker.ended && worker.left == 0 && worker.load() == 0;
        if let Some(worker) = self.workers[at].as_ref().filter(spent) {
            // Shut the socket down instead of closing it, for the same reason as when the core is
            // dropped.
            let _ = shutdown(worker.socket.as_raw_fd(), Shutdown::Both);
            self.leaving.push(worker.number);
            self.workers[at] = None;
        }
    }
}
