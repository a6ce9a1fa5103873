//! The template: the process that forks the workers, and does nothing else.
//!
//! It is a copy of the program from the moment when the fork server was started, with one thread.
//! Whatever the program has become since (threads, locks held, gigabytes), a worker forked here
//! sees none of it.
//!
//! The template never waits for anybody: it forks, reaps and reports, and what a pool does not
//! read at once is kept for it. A pool that is busy or stuck holds up no other pool's workers.

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

/// The template's end of a pool's control channel, and the reports that it has no room for yet.
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

/// What the template knows. Dropping it closes all its descriptors: that is what a worker does
/// first, and why no worker holds another's socket, or a channel.
///
/// Lists and no hash maps: a hash map would draw the random seed that all workers then share.
struct Template {
    root: OwnedFd,
    deaths: SignalFd,
    /// The program's signal mask, for the workers.
    mask: SigSet,
    channels: Vec<Channel>,
    opened: u64,
    children: Vec<Child>,
}

/// What a process of the fork server finds itself to be: a worker, by its loop and its socket; or
/// else the template.
type Role = Option<(WorkerLoop, OwnedFd)>;

/// Serves the program at the other end of `root` until that end is closed. Returns `None` then;
/// and, once in each worker, what the worker is to run.
// ANCHOR: template
pub fn serve(root: OwnedFd, program: Pid) -> nix::Result<Role> {
    end_with(program)?;
    // Ctrl-C goes to every process of the terminal. Whether the work ends is the program's to say.
    // Not ignored, but handled by nothing: what is ignored stays so in programs that tasks start.
    extern "C" fn nothing(_: libc::c_int) {}
    // SAFETY: the handler does nothing.
    unsafe { signal(Signal::SIGINT, SigHandler::Handler(nothing)) }?;
    // A program that ignores its children's deaths has them reaped by the kernel, unseen.
    // SAFETY: no handler is installed, so none can do anything unsafe.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    if let Ok(null) = File::open("/dev/null") {
        // The terminal's input is the program's. A worker that read it would take lines away.
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

/// Makes this process die when `parent` does, however that ends: nothing outlives the program.
///
/// The kernel minds the parent's thread, not its process. Both parents here have one thread.
fn end_with(parent: Pid) -> nix::Result<()> {
    set_pdeathsig(Signal::SIGKILL)?;
    // If the parent died before the line above, no signal will come.
    if getppid() == parent { Ok(()) } else { Err(Errno::ESRCH) }
}

impl Template {
    fn serve(mut self) -> nix::Result<Role> {
        loop {
            let news = self.wait()?;
            // Deaths first, so that a pool hears of one before it hears of the replacement.
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
            // From the last to the first, so that a removal moves no channel that is still to come.
            for at in (0..news.len() - 2).rev().filter(|at| news[at + 2]) {
                if let Some(worker) = self.attend(at)? {
                    return Ok(Some(worker));
                }
            }
        }
    }

    /// Waits for news, and says where there are any: deaths, the root, the channels in order.
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
            // The pool is gone without a word, or the channel is.
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
            News::Refused(Errno::EMFILE as i32) // its socket could not be opened here
        } else if !has_code_at(entry as usize) {
            News::Refused(Errno::ENOEXEC as i32) // the loop lies in no code that a worker has
        } else {
            // SAFETY: this process has one thread, so the child is a whole copy of it: no lock is
            // held by a thread that is not there, and the child may do what the template may.
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
        // `socket` is dropped here, before any other fork: the worker's end is now the worker's
        // alone, and when the worker dies there is an end of file.
        Ok(None)
    }
    // ANCHOR_END: spawn

    /// Reaps the workers that have ended, and reports their ends to the pools.
    // ANCHOR: reap
    fn reap(&mut self) {
        while let Ok(Some(_)) = self.deaths.read_signal() {}
        loop {
            let mut status = 0;
            // Not by nix, which makes an error of a death by a real-time signal.
            // SAFETY: `status` is a place for one status.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return; // nobody else has ended
            }
            if let Some(at) = self.children.iter().position(|child| child.pid.as_raw() == pid) {
                let Child { channel, worker, .. } = self.children.swap_remove(at);
                self.report(channel, WorkerReport { worker, news: News::Exited(status) });
            }
        }
    }
    // ANCHOR_END: reap

    /// Kills workers that have not been reaped: their process ids are still theirs.
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

    /// Sends the reports that the channel has room for. The others wait until there is room, or
    /// until the channel is closed.
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
