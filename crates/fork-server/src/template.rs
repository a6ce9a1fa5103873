//! The template: the process that forks the workers, and does nothing else.
//!
//! The template is a copy of the program from the moment when the fork server was started, with one
//! thread. Threads, held locks and gigabytes of data that the program has gained since are not in a
//! worker that is forked here.
//!
//! The template never waits for a single pool: it forks, reaps and reports, and keeps the reports
//! that a pool does not read at once. So a pool that is busy or stuck does not delay another pool's
//! workers.

use crate::control_channel::{News, Request, WorkerEnd, WorkerLoop, WorkerReport, receive, send};
use crate::image::has_code_at;
use crate::inherited::{
    become_a_worker, end_with, ignore, open_standard_descriptors, reset_handlers, watch_process,
};
use crate::last_words::LastWords;
use crate::wire::{retry, watch};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, killpg, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::socket::MsgFlags;
use nix::unistd::{ForkResult, Pid, dup2_stdin, fork, getpid, getppid, setpgid};
use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::slice::from_mut;
use std::thread;
use std::time::Duration;

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
    last_words: LastWords,
    /// Whether the template has killed the worker while it lived.
    on_request: bool,
}

/// What the template knows. Dropping this value closes all of the template's descriptors. A new
/// worker drops it first, so no worker holds another worker's socket, or a channel.
///
/// The fields are lists, not hash maps: a hash map would draw a random seed, and all workers would
/// share that seed.
struct Template {
    root: OwnedFd,
    /// The program's process id, as the template sees it.
    program: Pid,
    /// Can be read when the program has died.
    end_of_program: Option<OwnedFd>,
    /// Says that a worker or the program has died.
    signals: SignalFd,
    /// Whether the program ignores SIGCHLD. The workers then do so, too.
    ignores_children: bool,
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
    // A signal to the program's process group is for the program, which decides what it means: the
    // template has a group of its own, and so has each worker.
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    reset_handlers();
    open_standard_descriptors()?;
    // The terminal's input belongs to the program. A worker that read standard input would take
    // lines away.
    dup2_stdin(File::open("/dev/null").map_err(|_| Errno::ENOENT)?)?;
    // If SIGCHLD is ignored, the kernel reaps dead children before the template sees them.
    let ignores_children = ignore(Signal::SIGCHLD, false)?;
    // No signal ends or stops the template: a log rotation's SIGHUP to all processes of this name,
    // or SIGTTOU when it prints on a terminal. Two signals are read from a descriptor; the second
    // is the death of the program.
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::all()), None)?;
    let signals = SigSet::from_iter([Signal::SIGCHLD, PROGRAM_DIED]);
    let flags = SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK;
    let signals = SignalFd::with_flags(&signals, flags)?;
    let end_of_program = watch_process(program);
    let program = end_with(program, PROGRAM_DIED)?;
    let (channels, children, opened) = (Vec::new(), Vec::new(), 0);
    let template = Template {
        root,
        program,
        end_of_program,
        signals,
        ignores_children,
        channels,
        opened,
        children,
    };
    template.serve()
}
// ANCHOR_END: template

/// The signal by which the template learns that the program has died. The kernel could kill the
/// template instead; but then the template could not kill a worker that has changed its user, for
/// whom the kernel has forgotten that it is to die with the template. (No signal comes from a
/// program that has given up being root. So the template also watches the program by a
/// descriptor, where the kernel has such descriptors.)
const PROGRAM_DIED: Signal = Signal::SIGUSR1;

impl Template {
    fn serve(mut self) -> nix::Result<Role> {
        loop {
            let news = self.wait()?;
            // Report deaths first, so that a pool learns of a death before it learns of the
            // replacement.
            if news[0] {
                while let Ok(Some(_)) = self.signals.read_signal() {}
                self.reap();
            }
            // (A fork of the program may keep the root's other end open.)
            if getppid() != self.program {
                self.kill(|_| true);
                return Ok(None);
            }
            if news[1] {
                match receive(&self.root, MsgFlags::empty())? {
                    None => {
                        self.kill(|_| true);
                        return Ok(None); // the program has ended
                    }
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
            for at in (0..self.channels.len()).rev().filter(|at| news[at + 2]) {
                if let Some(worker) = self.attend(at)? {
                    return Ok(Some(worker));
                }
            }
        }
    }

    /// Waits for news, and returns for each source whether there are any: signals, the root, then
    /// the channels in order.
    fn wait(&self) -> nix::Result<Vec<bool>> {
        let mut news = vec![watch(&self.signals, false), watch(&self.root, false)];
        let channels = self.channels.iter();
        news.extend(channels.map(|channel| watch(&channel.socket, !channel.unsent.is_empty())));
        news.extend(self.end_of_program.as_ref().map(|end| watch(end, false)));
        match retry(|| poll(&mut news, PollTimeout::NONE)) {
            // Somebody has lowered this process's limit of open files below what it has. A `poll`
            // of one descriptor still works, so look at each alone, now and then.
            Err(Errno::EINVAL) => {
                while !news.iter_mut().any(|it| poll(from_mut(it), PollTimeout::ZERO) == Ok(1)) {
                    thread::sleep(Duration::from_millis(10));
                }
            }
            polled => _ = polled?,
        }
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
        let refused = |errno: Errno| News::Refused(errno as i32);
        let news = match (socket.is_some(), LastWords::new()) {
            (false, _) => refused(Errno::EMFILE), // the worker's socket could not be opened here
            (_, Err(errno)) => refused(errno),
            // The loop lies in no code that a worker has.
            _ if !has_code_at(entry as usize) => refused(Errno::ENOEXEC),
            // SAFETY: this process has one thread, so the child is a whole copy of it: every lock
            // that is held is held by a thread that the child has, so the child may do what the
            // template may.
            (_, Ok(last_words)) => match unsafe { fork() } {
                Err(errno) => refused(errno),
                Ok(ForkResult::Parent { child: pid }) => {
                    // The worker does so too. Whichever is first, the group is there from now on.
                    let _ = setpgid(pid, pid);
                    let on_request = false;
                    self.children.push(Child { pid, channel, worker, last_words, on_request });
                    News::Spawned(pid.as_raw())
                }
                Ok(ForkResult::Child) => {
                    last_words.keep();
                    become_a_worker(template)?;
                    ignore(Signal::SIGCHLD, self.ignores_children)?;
                    let entry = std::ptr::with_exposed_provenance::<()>(entry as usize);
                    // SAFETY: the number comes from `ControlChannel::spawn`, which takes a
                    // `WorkerLoop`, and lies in a segment of code that both processes have.
                    let entry = unsafe { std::mem::transmute::<*const (), WorkerLoop>(entry) };
                    return Ok(socket.map(|socket| (entry, socket)));
                }
            },
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
        // Until a dead worker is reaped, no other process has its process id: that is the time to
        // kill what it has left in its process group.
        while let Some(pid) = next_dead() {
            let _ = killpg(pid, Signal::SIGKILL);
            let mut status = 0;
            // Do not use nix here: it turns a death by a real-time signal into an error. SAFETY:
            // `status` has room for one status.
            unsafe { libc::waitpid(pid.as_raw(), &mut status, 0) };
            if let Some(at) = self.children.iter().position(|child| child.pid == pid) {
                let Child { channel, worker, last_words, on_request, .. } =
                    self.children.swap_remove(at);
                let (pid, last_words) = (pid.as_raw(), last_words.read());
                if libc::WIFSIGNALED(status) && libc::WTERMSIG(status) == libc::SIGABRT {
                    print_last_words(pid, &last_words);
                }
                let end = WorkerEnd { pid, status, last_words, on_request };
                self.report(channel, WorkerReport { worker, news: News::Exited(end) });
            }
        }
    }
    // ANCHOR_END: reap

    /// Kills workers that have not been reaped: such a worker's process id is still its own. All
    /// processes of the worker's group are killed: the programs that its tasks have started, too.
    fn kill(&mut self, whom: impl Fn(&Child) -> bool) {
        for child in self.children.iter_mut().filter(|child| whom(child)) {
            child.on_request |= lives(child.pid);
            // A task may have led the worker into another group.
            let _ = (killpg(child.pid, Signal::SIGKILL), kill(child.pid, Signal::SIGKILL));
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

/// A worker that has ended and is not reaped.
fn next_dead() -> Option<Pid> {
    let how = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    // SAFETY: all zeros are a valid `siginfo_t`.
    let mut who: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: the call fills `who` in, and leaves it as it is if there is no such worker.
    let found = unsafe { libc::waitid(libc::P_ALL, 0, &mut who, how) } == 0;
    // SAFETY: what the call has filled in tells of a child; in zeros, the number is zero.
    let pid = if found { unsafe { who.si_pid() } } else { 0 };
    (pid > 0).then(|| Pid::from_raw(pid))
}

/// Prints a panic that has ended its worker, as the panic hook would in a program. A standard error
/// that has no room is left alone: the template never waits, and the pool gets the text in any case.
fn print_last_words(pid: i32, last_words: &str) {
    let stderr = io::stderr();
    let mut room = [PollFd::new(stderr.as_fd(), PollFlags::POLLOUT)];
    if !last_words.is_empty() && poll(&mut room, PollTimeout::ZERO) == Ok(1) {
        let text = format!("the worker with pid {pid} panicked, and aborted: {last_words}\n");
        // A pipe with room takes one page at least.
        let _ = stderr.lock().write_all(&text.as_bytes()[..text.len().min(4096)]);
    }
}

/// Whether this process is not yet on its way to its end. A dying process closes its socket some
/// time before it can be reaped, so a pool may ask for the death of a worker that has just been
/// killed by somebody else. (Without `/proc` nobody knows, and the answer is no.)
fn lives(pid: Pid) -> bool {
    let Ok(stat) = fs::read_to_string(format!("/proc/{pid}/stat")) else { return false };
    // The name, in brackets, may contain anything. Seven fields follow up to the flags.
    let flags = stat.rsplit(") ").next().and_then(|rest| rest.split(' ').nth(6)?.parse().ok());
    flags.is_some_and(|flags: u32| flags & PF_EXITING == 0)
}

/// The kernel's flag of a process that is ending (`include/linux/sched.h`).
const PF_EXITING: u32 = 4;
