//! The fork server, as the program sees it.

use crate::StartError;
use crate::control_channel::{ControlChannel, Request, send};
use crate::image::has_code_at;
use crate::inherited::{end, flush_output};
use crate::{template, wire};
use nix::errno::Errno;
use nix::poll::{PollTimeout, poll};
use nix::sys::socket::{MsgFlags, SockType};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, Pid, fork, getpid};
use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// A template of the program as it was at one moment, from which workers are forked at any later
/// time.
///
/// # Why a template
/// A fork copies the memory and one thread, the thread that forks. A lock that any other thread
/// holds at that moment stays locked in the child, and the thread that would release it is missing:
/// the next line that is logged may wait for ever. So a program with threads must not fork; yet a
/// pool has to start workers late, if only to replace dead ones. The solution is to fork once,
/// early, and to let that copy, which never has a second thread, do all the forking. CPython's
/// `forkserver` is the same idea; here nothing is imported again, since the template is the program
/// itself.
///
/// # What workers have, and have not
/// A worker is a copy of the program as it was at the moment of the start. What the program changes
/// or opens later is not in the workers: pass it as an argument.
///
/// | of the program, at the start | in the workers |
/// |---|---|
/// | statics, memory, the main thread's thread-locals | a copy |
/// | environment, working folder, umask | as they were |
/// | user, groups, resource limits, niceness, cores (affinity) | as they were |
/// | standard output and error | the same; if closed, `/dev/null` |
/// | standard input | `/dev/null`: the terminal's lines are the program's |
/// | other open files | the same, with one position in common; a `flock` is held by all |
/// | signals that the program handles | the default action (SIGSEGV and SIGBUS stay as they are) |
/// | signals that the program ignores | ignored; SIGTTIN and SIGTTOU too |
/// | blocked signals | none is blocked |
/// | process group | one for the fork server, and one for each worker |
/// | exit handlers (`atexit`) | not run (with glibc); if a task calls `exit`, its own are, and the main thread's thread-locals are dropped |
/// | timers, memory locks, locks of `fcntl` | none, as after every `fork` |
///
/// To change any of this in the workers, do so before the start, in an initializer
/// (`process-futures` has one), or in the task: `umask`, `chdir`, `setuid` and the rest work as
/// usual.
///
/// # Signals, and the end
/// A signal to the program's process group (Ctrl-C, `SIGTERM` from `timeout`) reaches the program
/// alone, and the program decides what happens. Ctrl-Z stops the program; the workers finish the
/// calls that they have, and wait.
///
/// No worker outlives the program, in whatever way the program ends. All processes of a worker's
/// group are killed when the worker is killed and when it ends: so what a task has started ends
/// with its worker. (Only the fork server does this. If somebody kills the fork server itself, its
/// workers die, but not what they have started, and not a worker that has changed its user and is
/// busy.) A program that a task starts and that is to live on leaves the group on
/// purpose: with `setsid` (the command or the system call), or with
/// [`CommandExt::process_group`](std::os::unix::process::CommandExt::process_group).
///
/// # Output
/// What a task prints is flushed when its call ends. Each `write` of each worker stands alone:
/// standard error has no buffer, so `eprintln!("{a} {b}")` is several writes, and lines of several
/// workers tear each other apart in a pipe or a file. Make one `String` first, and write it with
/// one `write_all`.
///
/// # In tests
/// The usual harness of `#[test]` runs each test on a thread of its own, so a test cannot start the
/// fork server, and it has no `main` to do so. Give the test target `harness = false` in
/// `Cargo.toml`, and a `main` that calls [`start`](Self::start) and then a harness that is a
/// library (`libtest-mimic`). The crate `pool-in-tests` of this workspace is such a target, to copy.
///
/// # In a native module
/// Only functions in the program's own file can travel to a worker. In a shared library, such as a
/// Python extension, no pool can run anything
/// ([`NotInTemplate`](kernel::TaskErrorKind::NotInTemplate)); and the host is likely to have
/// threads. Run the work in a program of its own, which the module starts.
///
/// # Before the start
/// A lock that is held, a borrow or a lazy initialisation that is in progress at the start stays in
/// progress in every worker. So call [`start`](Self::start) before the first use of a pool in a
/// `static LazyLock`. Otherwise the workers are forked in the middle of that initialisation, and a
/// task that touches the `static` waits for its end for ever.
///
/// Each worker draws random seeds of its own, for hash maps too, if the program's main thread has
/// drawn none before the start. The standard library draws one seed for a thread and counts on from
/// that seed: if the main thread has a seed already, all workers count on from the same seed. A
/// `HashMap` made before the start is enough to draw one.
#[derive(Debug)]
pub struct ForkServer {
    root: OwnedFd,
    /// The process that started the server. A fork of that process has a copy of this value too,
    /// but must not use the server.
    owner: Pid,
    pid: Pid,
    /// Whether the dead server has been reaped: its process id may belong to another process then.
    reaped: AtomicBool,
}

/// The running server. The server is never dropped: it ends with the program.
static SERVER: Mutex<Option<&'static ForkServer>> = Mutex::new(None);

/// True in workers.
static IN_WORKER: AtomicBool = AtomicBool::new(false);

/// Whether this process is a worker (or the template).
pub fn in_worker() -> bool {
    IN_WORKER.load(Relaxed)
}

/// How many milliseconds a dying fork server may take to close its descriptors.
const ENDING: u16 = 200;

/// How long to wait for threads that have been joined to leave `/proc/self/task`.
const LINGER: Duration = Duration::from_millis(100);

impl ForkServer {
    /// Starts the fork server, or gives the one that is running.
    ///
    /// Call `start` first in `main`, before the program has threads, if pools are to be made later.
    /// Making a pool calls `start` too, which is enough if the pool is made before any thread.
    ///
    /// # Errors
    /// [`StartError::Threads`] if no server was started and the process has other threads;
    /// [`StartError::ServerDied`] if the server has died and the process has other threads by now;
    /// [`StartError::InWorker`] in a worker; [`StartError::System`] if the system refuses.
    pub fn start() -> Result<&'static Self, StartError> {
        if in_worker() {
            return Err(StartError::InWorker);
        }
        let mut running = SERVER.lock().unwrap_or_else(PoisonError::into_inner);
        match *running {
            Some(server) if server.is_ours() && server.is_alive(PollTimeout::ZERO) => Ok(server),
            dead => {
                let dead = dead.filter(|server| server.is_ours());
                dead.inspect(|server| _ = server.has_died());
                let server = Self::fork().map_err(|error| match (error, dead) {
                    (StartError::Threads(threads), Some(_)) => StartError::ServerDied(threads),
                    (error, _) => error,
                })?;
                Ok(running.insert(Box::leak(Box::new(server))))
            }
        }
    }

    /// The process id of the fork server.
    pub fn pid(&self) -> u32 {
        self.pid.as_raw() as u32
    }

    // ANCHOR: fork_server
    fn fork() -> Result<Self, StartError> {
        only_thread()?;
        let _ = has_code_at(0); // looks up where the code lies, for the workers too
        let (ours, theirs) = wire::pair(SockType::SeqPacket).map_err(no("a socket pair"))?;
        let owner = getpid();
        // Text that waits in a buffer would be in every worker, and printed again.
        flush_output();
        // SAFETY: this process has one thread, as counted above, so the child is a whole copy:
        // every lock that is held is held by a thread that the child has.
        match unsafe { fork() }.map_err(no("a fork"))? {
            ForkResult::Parent { child } => {
                Ok(Self { root: ours, owner, pid: child, reaped: AtomicBool::new(false) })
            }
            ForkResult::Child => {
                IN_WORKER.store(true, Relaxed);
                drop(ours);
                // The template and every worker end here. Nothing may unwind further: the caller's
                // own frames would then run in a second copy of the program.
                let life = AssertUnwindSafe(|| {
                    // Anything else than a worker's loop means that the program has ended.
                    template::serve(theirs, owner)
                        .map(|role| role.map(|(entry, socket)| entry(socket)))
                });
                // Kept to the end: a panic's payload may panic again when it is dropped.
                let done = catch_unwind(life);
                end(match done {
                    Ok(Ok(_)) => 0,
                    Ok(Err(_)) => 1,
                    Err(_) => 101,
                })
            }
        }
    }
    // ANCHOR_END: fork_server

    /// Whether this process may use the server. A fork of the program may not.
    pub fn is_ours(&self) -> bool {
        self.owner == getpid()
    }

    /// Whether the fork server has died, for a pool whose channel was closed. A dead server is
    /// reaped.
    pub fn has_died(&self) -> bool {
        // A dying process closes its descriptors one after the other, so wait a little.
        let has_died = self.is_ours() && !self.is_alive(ENDING.into());
        if has_died && !self.reaped.swap(true, Relaxed) {
            let _ = wire::retry(|| waitpid(self.pid, None));
        }
        has_died
    }

    /// Why a channel was closed before it was used: the server has died, or could not open its end.
    pub fn lost_channel(&self) -> StartError {
        if self.has_died() {
            StartError::ServerGone
        } else {
            // Only a descriptor that cannot be opened is lost on its way.
            no("a channel, in the fork server")(Errno::EMFILE)
        }
    }

    fn is_alive(&self, patience: PollTimeout) -> bool {
        // The template says nothing on this socket, so any news is the template's end. (If `poll`
        // fails, there is no news.)
        let mut news = [wire::watch(&self.root, false)];
        !wire::retry(|| poll(&mut news, patience)).is_ok_and(|news| news > 0)
    }

    /// Opens a control channel for a pool.
    ///
    /// # Errors
    /// [`StartError::System`] if the system refuses.
    pub fn open_channel(&self) -> Result<ControlChannel, StartError> {
        let (ours, theirs) = wire::pair(SockType::SeqPacket).map_err(no("a socket pair"))?;
        send(&self.root, &Request::Open, Some(theirs), MsgFlags::empty())
            .map_err(no("a channel to the fork server"))?;
        Ok(ControlChannel::new(ours))
    }
}

/// Refuses to go on unless this is the process's only thread.
fn only_thread() -> Result<(), StartError> {
    let deadline = Instant::now() + LINGER;
    loop {
        // Without /proc there is no count, and without a count a fork may be unsafe.
        let tasks = fs::read_dir("/proc/self/task")
            .map_err(|error| StartError::System("counting threads in /proc/self/task", error))?;
        match tasks.count() {
            1 => return Ok(()),
            // A thread that has been joined is gone for the program, but perhaps not yet for the
            // kernel.
            _ if Instant::now() < deadline => thread::sleep(Duration::from_millis(1)),
            count => return Err(StartError::Threads(count)),
        }
    }
}

/// An error of the system, with the action that failed.
fn no(what: &'static str) -> impl Fn(nix::Error) -> StartError {
    move |errno| StartError::System(what, errno.into())
}
