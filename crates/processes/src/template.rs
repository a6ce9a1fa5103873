//! The template: the process that forks the workers, and does nothing else.
//!
//! It is a copy of the program from the moment when the fork server was started, with one thread.
//! Whatever the program has become since (threads, locks held, gigabytes), a worker forked here
//! sees none of it.
//!
//! The template never waits for anybody: it forks, reaps and reports, and what a pool does not
//! read at once is kept for it. A pool that is busy or stuck holds up no other pool's workers.

use crate::line::{Report, Request, hear, say};
use crate::wire::retry;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, kill, signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::MsgFlags;
use nix::unistd::{ForkResult, Pid, dup2_stdin, fork, getpid, getppid};
use std::collections::VecDeque;
use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};

/// The template's end of a pool's line.
struct Line {
    number: u64,
    socket: OwnedFd,
    /// Reports that the pool has not had room for yet.
    unsaid: VecDeque<Report>,
    open: bool,
}

/// A worker that has not been reaped.
struct Child {
    pid: Pid,
    line: u64,
    worker: u64,
}

/// What the template knows. Dropping it closes all its descriptors: that is what a worker does
/// first, and why no worker holds another's socket, or a line.
///
/// Lists and no hash maps: a hash map would draw the random seed that all workers then share.
struct Template {
    root: OwnedFd,
    deaths: SignalFd,
    mask: SigSet,
    lines: Vec<Line>,
    opened: u64,
    children: Vec<Child>,
}

/// Serves the program at the other end of `root` until that end is closed. Returns `None` then;
/// and, once in each worker, the worker's socket.
// ANCHOR: template
pub fn serve(root: OwnedFd, program: Pid) -> nix::Result<Option<OwnedFd>> {
    end_with(program)?;
    // Ctrl-C goes to every process of the terminal. Whether the work ends is the program's to say.
    // SAFETY: no handler is installed, so none can do anything unsafe.
    unsafe { signal(Signal::SIGINT, SigHandler::SigIgn) }?;
    // A program that ignores its children's deaths has them reaped by the kernel, unseen.
    // SAFETY: as above.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    if let Ok(null) = File::open("/dev/null") {
        // The terminal's input is the program's. A worker that read it would take lines away.
        dup2_stdin(null)?;
    }
    let child_signal = SigSet::from(Signal::SIGCHLD);
    let mut mask = SigSet::empty();
    sigprocmask(SigmaskHow::SIG_BLOCK, Some(&child_signal), Some(&mut mask))?;
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let deaths = SignalFd::with_flags(&child_signal, flags)?;
    let (lines, children) = (Vec::new(), Vec::new());
    Template { root, deaths, mask, lines, opened: 0, children }.serve()
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
    fn serve(mut self) -> nix::Result<Option<OwnedFd>> {
        loop {
            let (root, deaths) = (self.root.as_fd(), self.deaths.as_fd());
            let mut news: Vec<PollFd> =
                [root, deaths].map(|fd| PollFd::new(fd, PollFlags::POLLIN)).into();
            for line in &self.lines {
                let mut events = PollFlags::POLLIN;
                events.set(PollFlags::POLLOUT, !line.unsaid.is_empty());
                news.push(PollFd::new(line.socket.as_fd(), events));
            }
            retry(|| poll(&mut news, PollTimeout::NONE))?;
            let news: Vec<bool> = news.iter().map(|fd| fd.any() == Some(true)).collect();
            // Deaths first, so that a pool hears of one before it hears of the replacement.
            if news[1] {
                self.reap();
            }
            if news[0] {
                match hear(&self.root, MsgFlags::empty())? {
                    None => return Ok(None), // the program has ended
                    Some((Request::Line, Some(socket))) => self.open(socket),
                    Some(_) => {} // a line whose end got lost: the pool sees it closed
                }
            }
            for at in (0..self.lines.len()).filter(|&at| news.get(at + 2) == Some(&true)) {
                if let Some(worker) = self.attend(at)? {
                    return Ok(Some(worker));
                }
            }
            self.lines.retain(|line| line.open);
        }
    }

    fn open(&mut self, socket: OwnedFd) {
        self.opened += 1;
        self.lines.push(Line { number: self.opened, socket, unsaid: VecDeque::new(), open: true });
    }

    /// Does what the pool on this line asks for. In a new worker it returns the worker's socket.
    fn attend(&mut self, at: usize) -> nix::Result<Option<OwnedFd>> {
        let line = self.lines[at].number;
        match hear(&self.lines[at].socket, MsgFlags::MSG_DONTWAIT) {
            Err(Errno::EAGAIN) => {} // only room for reports
            Ok(Some((Request::Spawn { worker }, socket))) => {
                // Without its socket, this process has no descriptor left to give.
                match socket.map_or(Err(Errno::EMFILE), |socket| self.spawn(line, worker, socket)) {
                    Ok(Ok(pid)) => self.report(line, Report::Spawned { worker, pid: pid.as_raw() }),
                    Ok(Err(socket)) => return Ok(Some(socket)),
                    Err(errno) => {
                        self.report(line, Report::Refused { worker, errno: errno as i32 })
                    }
                }
            }
            Ok(Some((Request::Kill { worker }, _))) => {
                self.kill(|child| child.line == line && child.worker == worker);
            }
            // The pool is gone without a word, or the line is.
            Ok(None | Some((Request::Line, _))) | Err(_) => {
                self.lines[at].open = false;
                self.kill(|child| child.line == line);
            }
        }
        self.tell(at);
        Ok(None)
    }

    /// Forks a worker: its process id here, its socket there.
    // ANCHOR: spawn
    fn spawn(
        &mut self,
        line: u64,
        worker: u64,
        socket: OwnedFd,
    ) -> nix::Result<Result<Pid, OwnedFd>> {
        let template = getpid();
        // SAFETY: this process has one thread, so the child is a whole copy of it: no lock is held
        // by anybody who is not there, and the child may do anything that the template may.
        match unsafe { fork() }? {
            ForkResult::Parent { child: pid } => {
                // `socket` is dropped here, before any other fork: the worker's end is now the
                // worker's alone, and its death is the end of the file.
                self.children.push(Child { pid, line, worker });
                Ok(Ok(pid))
            }
            ForkResult::Child => {
                end_with(template)?;
                sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None)?;
                Ok(Err(socket))
            }
        }
    }
    // ANCHOR_END: spawn

    /// Reaps whoever has ended, and tells the pools.
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
                let Child { line, worker, .. } = self.children.swap_remove(at);
                self.report(line, Report::Exited { worker, status });
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

    fn report(&mut self, line: u64, report: Report) {
        if let Some(at) = self.lines.iter().position(|other| other.number == line) {
            self.lines[at].unsaid.push_back(report);
            self.tell(at);
        }
    }

    /// Says what the line has room for.
    fn tell(&mut self, at: usize) {
        let line = &mut self.lines[at];
        while let Some(report) = line.unsaid.front() {
            if say(&line.socket, report, None, MsgFlags::MSG_DONTWAIT).is_err() {
                return; // no room, or nobody there: the next poll tells which
            }
            line.unsaid.pop_front();
        }
    }
}
