//! Workers are forked, die, and are replaced.
//!
//! Everything here begins with a report of the fork server. Only the fork server, the workers'
//! parent, knows how a worker has ended; the end of file on a worker's socket says only that the
//! worker is gone.

use crate::StartError;
use crate::frame::Frame;
use crate::worker::serve;
use crate::worker_handle::{Unfinished, WorkerHandle};
use fork_server::{
    ControlChannel, ForkServer, News, TaskFailure, WorkerEnd, WorkerLoop, WorkerReport, wire,
};
use kernel::{Death, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, SockType, shutdown};
use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::os::fd::AsRawFd;

/// A call that has ended, with an answer or with an error.
#[derive(Debug)]
pub struct Ended {
    /// The number that [`Workers::submit`] gave the call.
    pub task: u64,
    /// The worker's answer, or the reason why there is no answer, and whether the task may have
    /// run.
    pub outcome: Result<Frame, TaskFailure>,
}

/// Some workers, the calls that the workers have, and the calls that wait.
///
/// Each call that is submitted ends in exactly one [`Ended`].
#[derive(Debug)]
pub struct Workers {
    pub(crate) server: &'static ForkServer,
    /// `None` once the fork server is dead.
    pub(crate) channel: Option<ControlChannel>,
    /// A worker for each letter. `None` where a fork was refused: the pool tries again after the
    /// next answer.
    pub(crate) handles: Vec<Option<WorkerHandle>>,
    /// Calls that no worker has.
    pub(crate) queue: VecDeque<Frame>,
    /// Calls that have ended, for the next [`Workers::poll`] to return.
    pub(crate) ended: Vec<Ended>,
    /// Why no call will be run any more, if the pool is broken.
    pub(crate) broken: Option<String>,
    pub(crate) next_task: u64,
    /// Deaths since the last answer, and how many there may be.
    deaths: usize,
    pub(crate) most_deaths: usize,
    /// Why the last attempt to start a worker failed.
    refused: Option<Errno>,
    next_worker: u64,
}

impl Workers {
    /// Starts this many workers, and the fork server if it is not running.
    ///
    /// # Errors
    /// [`StartError`] if the fork server or any worker cannot be started. No worker is left behind
    /// then.
    pub fn new(count: NonZeroUsize) -> Result<Self, StartError> {
        let server = ForkServer::start()?;
        let mut workers = Self {
            server,
            channel: Some(server.open_channel()?),
            handles: (0..count.get()).map(|_| None).collect(),
            queue: VecDeque::new(),
            ended: Vec::new(),
            broken: None,
            next_task: 0,
            deaths: 0,
            // A pool may lose all its workers twice: one shortage of memory can take them all.
            most_deaths: (2 * count.get()).max(20),
            refused: None,
            next_worker: 0,
        };
        workers.replace_missing();
        workers.settle();
        match workers.refused {
            _ if workers.channel.is_none() => Err(server.lost_channel()),
            Some(errno) => Err(StartError::System("starting a worker", errno.into())),
            None => Ok(workers),
        }
    }

    /// Waits until the fork server has reported on every worker that it was asked for.
    fn settle(&mut self) {
        let unknown = |handle: &WorkerHandle| handle.pid.is_none();
        while self.handles.iter().flatten().any(unknown) && self.take_report(MsgFlags::empty()) {}
    }

    /// The workers' process ids, in the order of their letters. Waiting reports of the fork server
    /// are received first.
    pub fn worker_pids(&mut self) -> Vec<u32> {
        while self.take_report(MsgFlags::MSG_DONTWAIT) {}
        self.settle();
        self.handles.iter().flatten().filter_map(|handle| Some(handle.pid? as u32)).collect()
    }

    /// How many workers there are, or were.
    pub fn count(&self) -> NonZeroUsize {
        NonZeroUsize::new(self.handles.len()).expect("there is one worker or more")
    }

    /// Receives one report of the fork server. Returns false if there is none.
    pub(crate) fn take_report(&mut self, flags: MsgFlags) -> bool {
        let channel = self.channel.as_ref().filter(|_| self.server.is_ours());
        let Some(channel) = channel else { return false };
        match channel.report(flags) {
            Ok(Some(WorkerReport { worker, news })) => {
                let is_it = |handle: &&mut WorkerHandle| handle.number == worker;
                let mut handles = self.handles.iter_mut().enumerate();
                let handle =
                    handles.find_map(|(at, handle)| Some((at, handle.as_mut().filter(is_it)?)));
                match (news, handle) {
                    (News::Spawned(pid), Some((_, handle))) => handle.pid = Some(pid),
                    (News::Refused(errno), Some((at, _))) => {
                        self.not_forked(at, Errno::from_raw(errno))
                    }
                    (News::Exited(end), Some((at, _))) => self.exited(at, end),
                    (_, None) => {}
                }
            }
            Err(Errno::EAGAIN) => return false,
            Ok(None) | Err(_) => self.channel_closed(),
        }
        true
    }

    /// A worker has answered. A fork that was refused before may be possible now.
    pub(crate) fn answered(&mut self) {
        self.deaths = 0;
        self.replace_missing();
    }

    /// A worker has died: its running call fails, and another worker takes its letter.
    // ANCHOR: death
    fn exited(&mut self, at: usize, end: WorkerEnd) {
        self.receive_rest(at);
        let death = end.death(at, Some("the pool killed it, because its socket was closed"));
        self.deaths += 1;
        self.bury(at, Some(TaskErrorKind::WorkerDied(death.clone())));
        if self.deaths > self.most_deaths {
            let why = format!("{} workers died without an answer between; {death}", self.deaths);
            self.broken.get_or_insert(why);
        }
        self.replace_missing();
    }

    /// Receives what a dead worker wrote before it died: its answer is valid. (An end of file need
    /// not follow: a process that the task has started may still have the socket.)
    fn receive_rest(&mut self, at: usize) {
        if let Some(answer) = self.handles[at].as_mut().and_then(|handle| handle.receive(true)) {
            self.ended.push(Ended { task: answer.header.task, outcome: Ok(answer) });
            self.answered();
        }
    }

    /// Forgets the worker. The call that the worker was running fails with this error; a call that
    /// the worker cannot have begun goes back into the queue. A worker without an error was never
    /// forked.
    fn bury(&mut self, at: usize, error: Option<TaskErrorKind>) {
        let Some(mut handle) = self.handles[at].take() else { return };
        let fault = handle.fault.take();
        match (handle.unfinished(error.is_some()), error) {
            (Unfinished::Begun(call), Some(error)) => {
                let kind = match fault {
                    Some(why) => TaskErrorKind::NotDeserialised(format!("no frame came: {why}")),
                    None => error,
                };
                let outcome = Err((Ran::Unknown, kind));
                self.ended.push(Ended { task: call.header.task, outcome });
            }
            (Unfinished::Begun(call) | Unfinished::NotBegun(call), _) => {
                self.queue.push_front(call);
            }
            (Unfinished::Nothing, _) => {}
        }
    }
    // ANCHOR_END: death

    /// The system has refused a fork. The other workers go on, and the place stays empty until one
    /// of them has answered: by then, the missing resource may be available again.
    fn not_forked(&mut self, at: usize, errno: Errno) {
        self.bury(at, None);
        self.refused = Some(errno);
        self.give_up_without_workers();
    }

    fn give_up_without_workers(&mut self) {
        let nobody = self.handles.iter().all(Option::is_none);
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
        (0..self.handles.len()).for_each(|at| self.receive_rest(at));
        let died = |worker, pid| TaskErrorKind::WorkerDied(Death::Unknown { worker, pid });
        self.close("its fork server has died", died);
    }

    /// Breaks the pool at once. The workers that are left are killed: the fork server does so when
    /// the channel is closed.
    pub(crate) fn lose_all(&mut self, why: &str) {
        self.close(why, |_, _| TaskErrorKind::Broken(why.to_owned()));
    }

    fn close(&mut self, why: &str, error: impl Fn(usize, Option<u32>) -> TaskErrorKind) {
        self.channel = None;
        self.broken = Some(why.to_owned());
        for at in 0..self.handles.len() {
            let pid = self.handles[at].as_ref().and_then(|handle| handle.pid);
            self.bury(at, Some(error(at, pid.map(|pid| pid as u32))));
        }
    }

    fn replace_missing(&mut self) {
        for at in 0..self.handles.len() {
            if self.handles[at].is_none() && self.broken.is_none() {
                self.spawn(at);
            }
        }
        self.give_up_without_workers();
    }

    /// Asks the fork server for a worker. The worker's socket takes calls at once; the fork server
    /// reports later.
    // ANCHOR: spawn
    fn spawn(&mut self, at: usize) {
        let Some(channel) = &self.channel else { return };
        let number = self.next_worker;
        let handle = wire::pair(SockType::Stream).and_then(|(ours, theirs)| {
            channel.spawn(number, serve as WorkerLoop, theirs)?;
            Ok(WorkerHandle::new(number, ours))
        });
        match handle {
            Ok(handle) => {
                self.next_worker += 1;
                self.handles[at] = Some(handle);
            }
            Err(errno) => self.refused = Some(errno),
        }
    }
    // ANCHOR_END: spawn
}

impl Drop for Workers {
    /// Waits for running tasks, cancels waiting calls, and leaves no child.
    // ANCHOR: drop
    fn drop(&mut self) {
        // In a fork of the program these are copies, and the fork must not end the program's
        // workers.
        if !self.server.is_ours() {
            return;
        }
        for handle in self.handles.iter().flatten() {
            // Shut the socket down instead of closing it: a fork of the program may have a copy,
            // which would stay open. Each worker finishes its running task, cannot send the answer,
            // and exits.
            let _ = shutdown(handle.socket.as_raw_fd(), Shutdown::Both);
        }
        self.broken = Some("it is dropped".to_owned()); // so that the dead are not replaced
        while self.handles.iter().any(Option::is_some) {
            self.take_report(MsgFlags::empty());
        }
    }
    // ANCHOR_END: drop
}
