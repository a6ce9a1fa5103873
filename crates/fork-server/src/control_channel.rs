//! The control channel: what a pool and the fork server send each other.
//!
//! Each pool has a channel of its own: no pool reads another pool's reports, so no pool needs a
//! lock. A channel is a socket pair that keeps messages apart (`SOCK_SEQPACKET`), so a message is
//! one system call, and no message has to be put together from parts.

use crate::last_words::ROOM;
use crate::wire;
use kernel::Death;
use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::socket::MsgFlags;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::IoSlice;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// The function that a worker runs from start to end, given the worker's end of its socket. The
/// function serves the pool until the pool closes the other end.
pub type WorkerLoop = fn(OwnedFd);

/// A pool's request. The pool gives each worker a number and never uses a number twice, so that no
/// request and no report can be taken for one about another worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Open a channel: the channel's other end comes with the message.
    Open,
    /// Fork a worker with this number, which runs the loop at this address. The worker's end of its
    /// socket comes with the message.
    Spawn(u64, u64),
    /// Kill the worker with this number, if it is still there. The pool does not kill a worker
    /// itself: only the process that reaps the workers knows that a process id still belongs to the
    /// worker that was meant.
    Kill(u64),
}

/// What the fork server reports about a worker.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkerReport {
    /// The worker's number.
    pub worker: u64,
    /// What has become of the worker.
    pub news: News,
}

/// What becomes of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum News {
    /// The worker is there, with this process id.
    Spawned(i32),
    /// The worker could not be forked; the number is the `errno`.
    Refused(i32),
    /// The worker has ended and is reaped. The fork server reports this without a request.
    Exited(WorkerEnd),
}

/// How a worker has ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct WorkerEnd {
    /// The worker's process id. It may belong to another process by now.
    pub pid: i32,
    /// The status of `wait(2)`.
    pub status: i32,
    /// The text of the panics that the worker could not report itself.
    pub last_words: String,
    /// Whether the fork server killed the worker, on request, while the worker lived.
    pub on_request: bool,
}

/// A pool's end of its channel to the fork server.
#[derive(Debug)]
pub struct ControlChannel(OwnedFd);

impl ControlChannel {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self(socket)
    }

    /// Asks for a worker. The worker's socket takes calls at once; a later [`WorkerReport`] says
    /// whether the worker could be forked.
    ///
    /// # Errors
    /// The system's, if the request cannot be sent.
    pub fn spawn(&self, worker: u64, entry: WorkerLoop, socket: OwnedFd) -> nix::Result<()> {
        let entry = (entry as *const ()).expose_provenance() as u64;
        self.request(&Request::Spawn(worker, entry), Some(socket))
    }

    /// Asks the fork server to kill a worker with SIGKILL. A worker that is reaped already is left
    /// alone.
    ///
    /// # Errors
    /// The system's, if the request cannot be sent.
    pub fn kill(&self, worker: u64) -> nix::Result<()> {
        self.request(&Request::Kill(worker), None)
    }

    /// The fork server always listens, so this does not block for long. A dead fork server is no
    /// error here: the end of the channel, which follows soon, reports the death.
    fn request(&self, request: &Request, socket: Option<OwnedFd>) -> nix::Result<()> {
        match send(&self.0, request, socket, MsgFlags::empty()) {
            Err(Errno::EPIPE | Errno::ECONNRESET) => Ok(()),
            result => result,
        }
    }

    /// The next report. `None` is the end of the channel: the fork server has died.
    ///
    /// # Errors
    /// The system's; `EAGAIN` if there is no report and the flags say not to wait for one.
    pub fn report(&self, flags: MsgFlags) -> nix::Result<Option<WorkerReport>> {
        Ok(receive(&self.0, flags)?.map(|(report, _)| report))
    }
}

impl AsFd for ControlChannel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// The length of the longest message in bytes: some numbers, and a worker's last words. (Bytes that
/// are not UTF-8 become three each.)
const LONGEST: usize = 3 * ROOM + 64;

/// Sends one message, with a descriptor or without. The sender keeps no copy of the descriptor.
pub fn send<T: Serialize>(
    channel: impl AsFd,
    message: &T,
    descriptor: Option<OwnedFd>,
    flags: MsgFlags,
) -> nix::Result<()> {
    let bytes = postcard::to_stdvec(message).expect("numbers serialise");
    let descriptor = Vec::from_iter(descriptor);
    let send = || wire::send(&channel, &[IoSlice::new(&bytes)], &descriptor, flags);
    wire::retry(send).map(drop)
}

/// Receives one message and the descriptor that came with it. `None` is the end of the channel.
pub fn receive<T: DeserializeOwned>(
    channel: impl AsFd,
    flags: MsgFlags,
) -> nix::Result<Option<(T, Option<OwnedFd>)>> {
    let (mut bytes, mut descriptors) = ([0; LONGEST], Vec::new());
    let length = wire::retry(|| wire::receive(&channel, &mut bytes, &mut descriptors, flags))?;
    // No message is empty, so zero bytes mean the end of the channel.
    let message = (length > 0).then(|| postcard::from_bytes(&bytes[..length]));
    let message = message.transpose().expect("both ends are this program");
    Ok(message.map(|message| (message, descriptors.pop())))
}

impl WorkerEnd {
    /// This end in words, for the worker with this letter. `cause` is the pool's reason for killing
    /// the worker, if it has done so.
    pub fn death(self, worker: usize, cause: Option<&str>) -> Death {
        let Self { pid, status, last_words, on_request } = self;
        let pid = pid as u32;
        if libc::WIFEXITED(status) {
            return Death::Exited { worker, pid, status: libc::WEXITSTATUS(status), why: None };
        }
        let signal = libc::WTERMSIG(status);
        // A worker may end by itself, between the request and the kill.
        let why = cause.filter(|_| on_request && signal == libc::SIGKILL).map(str::to_owned);
        let name = Signal::try_from(signal).map_or(format!("signal {signal}"), |s| s.to_string());
        // Only an abort is the end of a panic. A worker may have caught a panic by itself, and died
        // later from something else.
        let panicked = signal == libc::SIGABRT && !last_words.is_empty();
        let why = if panicked { Some(format!("it had panicked: {last_words}")) } else { why };
        Death::Killed { worker, pid, signal, name, why }
    }
}
