//! The template: the process that forks the workers, and does nothing else.
//!
//! It is a copy of the program from the moment when the fork server was started, with one thread.
//! Whatever the program has become since (threads, locks held, gigabytes), a worker forked here
//! sees none of it.
//!
//! The template never waits for anybody: it forks, reaps and reports, and what a pool does not
//! read at once is kept for it. A pool that is busy or stuck holds up no other pool's workers.

use crate::line::{News, Report, Request, hear, say};
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

/// The template's end of a pool's line, and the reports that the pool has no room for yet.
struct Line {
    id: u64,
    socket: OwnedFd,
    unsaid: VecDeque<Report>,
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
    /// The program's signal mask, for the workers.
    mask: SigSet,
    lines: Vec<Line>,
    lines_opened: u64,
    children: Vec<Child>,
}

/// What a process of the fork server finds itself to be: a worker, by its socket; or else the
/// template.
type Role = Option<OwnedFd>;

/// Serves the program at the other end of `root` until that end is closed. Returns `None` then;
/// and, once in each worker, the worker's socket.
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
    let (lines, children) = (Vec::new(), Vec::new());
    Template { root, deaths, mask, lines, lines_opened: 0, children }.serve()
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
                match hear(&self.root, MsgFlags::empty())? {
                    None => return Ok(None), // the program has ended
                    Some((Request::Line, Some(socket))) => {
                        let (id, unsaid) = (self.lines_opened, VecDeque::new());
                        self.lines.push(Line { id, socket, unsaid });
                        self.lines_opened += 1;
                    }
                    Some(_) => {} // a line whose end got lost: the pool sees it closed
                }
            }
            // From the last to the first, so that a removal moves nobody who is still to come.
            for at in (0..news.len() - 2).rev().filter(|at| news[at + 2]) {
                if let Some(socket) = self.attend(at)? {
                    return Ok(Some(socket));
                }
            }
        }
    }

    /// Waits for news, and says where there are any: deaths, the root, the lines in order.
    fn wait(&self) -> nix::Result<Vec<bool>> {
        let mut news = vec![watch(&self.deaths, false), watch(&self.root, false)];
        news.extend(self.lines.iter().map(|line| watch(&line.socket, !line.unsaid.is_empty())));
        retry(|| poll(&mut news, PollTimeout::NONE))?;
        Ok(news.iter().map(|fd| fd.any() == Some(true)).collect())
    }

    /// Does what the pool on this line asks for. In a new worker it returns the worker's socket.
    fn attend(&mut self, at: usize) -> nix::Result<Role> {
        let line = self.lines[at].id;
        match hear(&self.lines[at].socket, MsgFlags::MSG_DONTWAIT) {
            Ok(Some((Request::Spawn(worker), socket))) => return self.spawn(line, worker, socket),
            Ok(Some((Request::Kill(worker), _))) => {
                self.kill(|child| child.line == line && child.worker == worker);
            }
            Err(Errno::EAGAIN) => self.tell(at), // no request, but room for reports
            // The pool is gone without a word, or the line is.
            Ok(None | Some((Request::Line, _))) | Err(_) => {
                self.lines.swap_remove(at);
                self.kill(|child| child.line == line);
            }
        }
        Ok(None)
    }

    /// Forks a worker. In the worker it returns the worker's socket.
    // ANCHOR: spawn
    fn spawn(&mut self, line: u64, worker: u64, socket: Option<OwnedFd>) -> nix::Result<Role> {
        let template = getpid();
        let news = if socket.is_none() {
            News::Refused(Errno::EMFILE as i32) // its socket could not be opened here
        } else {
            // SAFETY: this process has one thread, so the child is a whole copy of it: no lock is
            // held by a thread that is not there, and the child may do what the template may.
            match unsafe { fork() } {
                Err(errno) => News::Refused(errno as i32),
                Ok(ForkResult::Parent { child: pid }) => {
                    self.children.push(Child { pid, line, worker });
                    News::Spawned(pid.as_raw())
                }
                Ok(ForkResult::Child) => {
                    end_with(template)?;
                    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.mask), None)?;
                    return Ok(socket);
                }
            }
        };
        self.report(line, Report { worker, news });
        // `socket` is dropped here, before any other fork: the worker's end is now the worker's
        // alone, and when the worker dies there is an end of file.
        Ok(None)
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
                self.report(line, Report { worker, news: News::Exited(status) });
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
        if let Some(at) = self.lines.iter().position(|other| other.id == line) {
            self.lines[at].unsaid.push_back(report);
            self.tell(at);
        }
    }

    /// Says what the line has room for. What it has none for waits until there is some, or until
    /// the line is closed.
    fn tell(&mut self, at: usize) {
        let Line { socket, unsaid, .. } = &mut self.lines[at];
        while unsaid.front().is_some_and(|r| say(&*socket, r, None, MsgFlags::MSG_DONTWAIT).is_ok())
        {
            unsaid.pop_front();
        }
    }
}
