//! What the template and its workers change of what they have inherited from the program.
//!
//! A fork copies everything: also the program's signal handlers, its exit handlers, and the text
//! that it has printed but not yet written. All these are the program's. A handler that runs once
//! more in each worker tells the program of one signal several times, and an exit handler that runs
//! in a worker deletes a file that the program still needs.

use crate::wire::STANDARD;
use libc::{c_int, c_void};
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl, open};
use nix::sys::prctl::{get_pdeathsig, set_pdeathsig};
use nix::sys::signal::{SigHandler, SigSet, SigmaskHow, Signal, signal, sigprocmask};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, getppid, setpgid};
use std::io::{self, Write};
use std::os::fd::{BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::{mem, ptr};

/// Gives every signal that the program handles its default action. What the program ignores stays
/// ignored, as after `exec`.
///
/// SIGSEGV and SIGBUS are left: the Rust runtime handles them to put a stack overflow into words,
/// and they come from the process's own fault, not from outside.
pub fn reset_handlers() {
    for number in 1..=libc::SIGRTMAX() {
        // SAFETY: all zeros are a valid `sigaction`.
        let mut action: libc::sigaction = unsafe { mem::zeroed() };
        // SAFETY: the call changes no action, and fills `action` in.
        let known = unsafe { libc::sigaction(number, ptr::null(), &mut action) } == 0;
        let fault = matches!(number, libc::SIGSEGV | libc::SIGBUS);
        if known && !fault && ![libc::SIG_DFL, libc::SIG_IGN].contains(&action.sa_sigaction) {
            // SAFETY: the default action runs no code of this program.
            unsafe { libc::signal(number, libc::SIG_DFL) };
        }
    }
}

/// Ignores a signal, or gives it its default action. Returns whether it was ignored before.
pub fn ignore(which: Signal, ignored: bool) -> nix::Result<bool> {
    let action = if ignored { SigHandler::SigIgn } else { SigHandler::SigDfl };
    // SAFETY: neither action runs any code of this program.
    Ok(matches!(unsafe { signal(which, action) }?, SigHandler::SigIgn))
}

/// Opens `/dev/null` in the place of each standard descriptor that is closed. (Rust does so when a
/// program starts, but a program may close them later.) Otherwise the next file that a task opens
/// would take the number, and the next `println!` would write into that file.
pub fn open_standard_descriptors() -> nix::Result<()> {
    for number in 0..STANDARD {
        // SAFETY: the number is used for one question, to which a closed descriptor is an answer.
        let descriptor = unsafe { BorrowedFd::borrow_raw(number) };
        if fcntl(descriptor, FcntlArg::F_GETFD) == Err(Errno::EBADF) {
            // The lowest free number is taken, and the numbers below are in use.
            let opened = open("/dev/null", OFlag::O_RDWR, Mode::empty())?.into_raw_fd();
            debug_assert_eq!(opened, number);
        }
    }
    Ok(())
}

/// Makes this process get `signal` when `parent` dies. Returns the parent's process id as this
/// process sees it: it is 0 if the parent is in another namespace of process ids.
///
/// The kernel sends the signal when the parent's thread ends, not its process. `start` and the
/// template fork with one thread, so for both of them the two are the same.
pub fn end_with(parent: Pid, signal: Signal) -> nix::Result<Pid> {
    set_pdeathsig(signal)?;
    // If the parent died before the line above, no signal will come.
    let seen = getppid();
    if seen == parent || seen.as_raw() == 0 { Ok(seen) } else { Err(Errno::ESRCH) }
}

/// A descriptor that can be read once the process has ended (`pidfd_open(2)`). `None` where the
/// system has no such descriptors.
pub fn watch_process(pid: Pid) -> Option<OwnedFd> {
    // SAFETY: the call takes two numbers.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.as_raw(), 0) };
    // SAFETY: the kernel has just opened this number for this call.
    (number >= 0).then(|| unsafe { OwnedFd::from_raw_fd(number as RawFd) })
}

/// In a worker: the process id of its template.
static TEMPLATE: AtomicI32 = AtomicI32::new(0);

/// Makes this process, which was just forked by the template, a worker.
///
/// The worker is the first of a process group of its own, so that the programs that its tasks start
/// can be killed with it. Then a terminal counts the worker as a background process: input is not
/// for it, and without the two lines below, an attempt to read the terminal would stop the worker
/// for ever (and so would an attempt to write, where `stty tostop` is set).
pub fn become_a_worker(template: Pid) -> nix::Result<()> {
    TEMPLATE.store(template.as_raw(), Relaxed);
    setpgid(Pid::from_raw(0), Pid::from_raw(0))?;
    end_with(template, Signal::SIGKILL)?;
    ignore(Signal::SIGTTIN, true)?;
    ignore(Signal::SIGTTOU, true)?;
    end_without_the_programs_handlers();
    sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)
}

/// Sees to it, in a worker, that the worker still dies with the template, and so with the program.
/// Returns false if the template is gone: then the worker is to end.
///
/// The kernel forgets the parent-death signal when a process changes its user, as a task may do
/// (`setuid`). So a worker calls this before each call.
pub fn is_bound_to_the_program() -> bool {
    get_pdeathsig() == Ok(Some(Signal::SIGKILL))
        || end_with(Pid::from_raw(TEMPLATE.load(Relaxed)), Signal::SIGKILL).is_ok()
}

/// Writes what this process has printed: the text in Rust's buffer, and in the buffers of C's
/// streams. (A library in C prints through those. They keep their text if standard output is a
/// pipe.)
pub fn flush_output() {
    let _ = io::stdout().flush();
    // SAFETY: a null pointer stands for all of C's output streams.
    unsafe { libc::fflush(ptr::null_mut()) };
}

/// Ends this process. Nothing of the program's runs here: no exit handlers, no destructors.
pub fn end(status: c_int) -> ! {
    flush_output();
    // SAFETY: `_exit` runs nothing and does not return.
    unsafe { libc::_exit(status) }
}

/// Makes `exit` end this worker before the exit handlers that the worker has inherited.
///
/// Exit handlers run from the newest to the oldest, so this one comes after the handlers of the
/// task and before those of the program. Only glibc has handlers that know the status: with another
/// C library the handlers of the program run. The destructors of the main thread's thread-locals
/// run in any case, because `exit` runs them first of all.
fn end_without_the_programs_handlers() {
    #[cfg(target_env = "gnu")]
    {
        unsafe extern "C" {
            fn on_exit(handler: extern "C" fn(c_int, *mut c_void), argument: *mut c_void) -> c_int;
        }
        extern "C" fn leave(status: c_int, _: *mut c_void) {
            // SAFETY: a null pointer stands for all of C's output streams.
            unsafe { libc::fflush(ptr::null_mut()) };
            // SAFETY: `_exit` runs nothing and does not return.
            unsafe { libc::_exit(status) }
        }
        // SAFETY: the handler is a function of this signature, and ignores its argument.
        unsafe { on_exit(leave, ptr::null_mut()) };
    }
}
