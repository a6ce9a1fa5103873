//! The template: the process that forks the workers, and does nothing else.
//!
//! The template is a copy of the program from the moment when the fork server was started, with one
//! thread. Threads, held locks and gigabytes of data that the program has gained since are not in a
//! worker that is forked here.
//!
//! The template never waits for a single pool: it forks, reaps and reports, and keeps the reports
//! that a pool does not read at once. So a pool that is busy or stuck does not delay another pool's
//! workers.

use crate::control_channel::{News, Request, WorkerLoop, WorkerReport, receive, send};
use crate::image::has_code_at;
use crate::wire::{retry, watch};
use nix::errno::Errno;
use nix::poll::{PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::MsgFlags;
use nix::unistd::{ForkResult, Pid, dup2_stdin, fork, getpid, getppid};
use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::OwnedFd;

/// The template's end of a pool's control channel, and the reports that the channel has no room for
/// yet.
struct Channel {
    id: u64,
    socket: OwnedFd,
    unsent: VecDeque<WorkerReport>,
}

/// A worker that has not been reaped.
struct Child {
    pid: Pid,
    channel: u64,
    worker: u64,
}

/// What the template knows. Dropping this value closes all of the template's descriptors. A new
/// worker drops it first, so no worker holds another worker's socket, or a channel.
///
/// The fields are lists, not hash maps: a hash map would draw a random seed, and all workers would
/// share that seed.
struct Template {
    root: OwnedFd,
    deaths: SignalFd,
    /// The program's signal mask, for the workers.
    mask: SigSet,
    channels: Vec<Channel>,
    opened: u64,
    children: Vec<Child>,
}

/// What a process is after a fork of the template: a worker, with its loop and its socket; or, as
/// `None`, the template.
type Role = Option<(WorkerLoop, OwnedFd)>;

/// Serves the program at the other end of `root` until that end is closed, and then returns `None`.
/// In each worker, it returns once, with what the worker is to run.
// ANCHOR: template
pub fn serve(root: OwnedFd, program: Pid) -> nix::Result<Role> {
    end_with(program)?;
    // Ctrl-C goes to every process of the terminal, and the program decides whether the work ends.
    // The handler does nothing. SIG_IGN would not do: a program that a task starts would inherit it
    // and ignore Ctrl-C too.
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: the handler does nothing.
    unsafe { signal(Signal::SIGINT, SigHandler::Handler(nothing)) }?;
    // If the program ignores SIGCHLD, the kernel reaps dead children before the template sees them.
    // SAFETY: no handler is installed, so none can do anything unsafe.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    if let Ok(null) = File::open("/dev/null") {
        // The terminal's input belongs to the program. A worker that read standard input would take
        // lines away.
        dup2_stdin(null)?;
    }
    let (child_signal, mut mask) = (SigSet::from(Signal::SIGCHLD), SigSet::empty());
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&child_signal), Some(&mut mask))?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let deaths = SignalFd::with_flags(&child_signal, flags)?;
    let (channels, children) = (Vec::new(), Vec::new());
    Template { root, deaths, mask, channels, opened: 0, children }.serve()
}
// ANCHOR_END: template

/// Makes this process die when `parent` dies, in whatever way: no process of the pool outlives the
/// program.
///
/// The kernel sends the signal when the parent's thread ends, not its process. `start` and the
/// template fork with one thread, so for both of them the two are the same.
fn end_with(parent: Pid) -> nix::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // If the parent died before the line above, no signal will come.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH) }
}

impl Template {
    fn serve(mut self) -> nix::Result<Role> {
        loop {
            let news = self.wait()?;
            // Report deaths first, so that a pool learns of a death before it learns of the
            // replacement.
            if news[0] {
                self.reap();
            }
            if news[1] {
                match receive(&self.root, MsgFlags::empty())? {
                    None => return Ok(None), // the program has ended
                    Some((Request::Open, Some(socket))) => {
                        let (id, unsent) = (self.opened, VecDeque::new());
                        self.channels.push(Channel { id, socket, unsent });
                        self.opened += 1;
                    }
                    Some(_) => {} // a channel whose end got lost: the pool sees it closed
                }
            }
            // Go from the last channel to the first: a removal then moves no channel that is still
            // to come.
            for at in (0..news.len() - 2).rev().filter(|at| news[at + 2]) {
                if let Some(worker) = self.attend(at)? {
                    return Ok(Some(worker));
                }
            }
        }
    }

    /// Waits for news, and returns for each source whether there are any: deaths, the root, then
    /// the channels in order.
    fn wait(&self) -> nix::Result<Vec<bool>> {
        let mut news = vec![watch(&self.deaths, false), watch(&self.root, false)];
        let channels = self.channels.iter();
        news.extend(channels.map(|channel| watch(&channel.socket, !channel.unsent.is_empty())));
        retry(|| poll(&mut news, PollTimeout::NONE))?;
        Ok(news.iter().map(|fd| fd.any() == Some(true)).collect())
    }

    /// Does what the pool on this channel asks for. In a new worker it returns what to run.
    fn attend(&mut self, at: usize) -> nix::Result<Role> {
        let channel = self.channels[at].id;
        match receive(&self.channels[at].socket, MsgFlags::MSG_DONTWAIT) {
            Ok(Some((Request::Spawn(worker, entry), socket))) => {
                return self.spawn(channel, worker, entry, socket);
            }
            Ok(Some((Request::Kill(worker), _))) => {
                self.kill(|child| child.channel == channel && child.worker == worker);
            }
            Err(Errno::EAGAIN) => self.send_reports(at), // no request, but room for reports
            // The pool is gone, or the channel is broken.
            Ok(None | Some((Request::Open, _))) | Err(_) => {
                self.channels.swap_remove(at);
                self.kill(|child| child.channel == channel);
            }
        }
        Ok(None)
    }

    /// Forks a worker. In the worker it returns the worker's loop and its socket.
    // ANCHOR: spawn
    fn spawn(
        &mut self,
        channel: u64,
        worker: u64,
        entry: u64,
        socket: Option<OwnedFd>,
    ) -> nix::Result<Role> {
        let template = getpid();
        let news = if socket.is_none() {
            News::Refused(Errno::EMFILE as i32) // the worker's socket could not be opened here
        } else if !has_code_at(entry as usize) {
            News::Refused(Errno::ENOEXEC as i32) // the loop lies in no code that a worker has
        } else {
            // SAFETY: this process has one thread, so the child is a whole copy of it: every lock
            // that is held is held by a thread that the child has, so the child may do what the
            // template may.
            match unsafe { fork() } {
                Err(errno) => News::Refused(errno as i32),
                Ok(ForkResult::Parent { child: pid }) => {
                    self.children.push(Child { pid, channel, worker });
                    News::Spawned(pid.as_raw())
                }
                Ok(ForkResult::Child) => {
                    end_with(template)?;
                    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None)?;
                    let entry = std::ptr::with_exposed_provenance::<()>(entry as usize);
                    // SAFETY: the number comes from `ControlChannel::spawn`, which takes a
                    // `WorkerLoop`, and lies in a segment of code that both processes have.
                    let entry = unsafe { std::mem::transmute::<*const (), WorkerLoop>(entry) };
                    return Ok(socket.map(|socket| (entry, socket)));
                }
            }
        };
        self.report(channel, WorkerReport { worker, news });
        // `socket` is dropped here, before any other fork: only the worker has its end of the
        // socket now, so the pool sees an end of file when the worker dies.
        Ok(None)
    }
    // ANCHOR_END: spawn

    /// Reaps the workers that have ended, and reports each end to the worker's pool.
    // ANCHOR: reap
    fn reap(&mut self) {
        while let Ok(Some(_)) = self.deaths.read_signal() {}
        loop {
            let mut status = 0;
            // Do not use nix here: it turns a death by a real-time signal into an error. SAFETY:
            // `status` has room for one status.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return; // no other worker has ended
            }
            if let Some(at) = self.children.iter().position(|child| child.pid.as_raw() == pid) {
                let Child { channel, worker, .. } = self.children.swap_remove(at);
                self.report(channel, WorkerReport { worker, news: News::Exited(status) });
            }
        }
    }
    // ANCHOR_END: reap

    /// Kills workers that have not been reaped: such a worker's process id is still its own.
    fn kill(&self, whom: impl Fn(&Child) -> bool) {
        for child in self.children.iter().filter(|&child| whom(child)) {
            let _ = kill(child.pid, Signal::SIGKILL);
        }
    }

    fn report(&mut self, channel: u64, report: WorkerReport) {
        if let Some(at) = self.channels.iter().position(|other| other.id == channel) {
            self.channels[at].unsent.push_back(report);
            self.send_reports(at);
        }
    }

    /// Sends the reports that the channel has room for. The other reports wait until there is room,
    /// or until the channel is closed.
    fn send_reports(&mut self, at: usize) {
        let Channel { socket, unsent, .. } = &mut self.channels[at];
        while let Some(report) = unsent.front() {
            if send(&*socket, report, None, MsgFlags::MSG_DONTWAIT).is_err() {
                return;
            }
            unsent.pop_front();
        }
    }
}
