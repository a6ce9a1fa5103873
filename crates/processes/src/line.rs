//! What a pool and the fork server say to each other.
//!
//! Each pool has a line of its own: no pool reads another's news, so none of them needs a lock. A
//! line is a socket pair that keeps messages apart (`SOCK_SEQPACKET`), so a message is one system
//! call and there is nothing to put together.

use crate::wire::{receive, retry, send};
use nix::sys::socket::MsgFlags;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::IoSlice;
use std::os::fd::{AsFd, OwnedFd};

/// What a pool asks for. Workers have numbers, given by the pool and never used twice, so that no
/// request and no report can mean another worker than the one it was about.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Open a line: its other end comes with the message.
    Line,
    /// Fork a worker with this number: its end of its socket comes with the message.
    Spawn(u64),
    /// Kill the worker with this number, if it is still there.
    ///
    /// The pool does not do it itself. Only who reaps knows that a process id still belongs to the
    /// process that it meant.
    Kill(u64),
}

/// What the fork server tells about a worker.
#[derive(Debug, Serialize, Deserialize)]
pub struct Report {
    /// Which worker.
    pub worker: u64,
    /// What has become of it.
    pub news: News,
}

/// What becomes of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub enum News {
    /// It is there, with this process id.
    Spawned(i32),
    /// It could not be forked; the number is the system's reason.
    Refused(i32),
    /// It has ended and is reaped; the number is the status of `wait(2)`. Told unasked.
    Exited(i32),
}

/// Sends one message, with a descriptor or without. The sender keeps no copy of the descriptor.
pub fn say<T: Serialize>(
    line: impl AsFd,
    message: &T,
    descriptor: Option<OwnedFd>,
    flags: MsgFlags,
) -> nix::Result<()> {
    let bytes = postcard::to_stdvec(message).expect("numbers serialise");
    let descriptor = Vec::from_iter(descriptor);
    retry(|| send(&line, &[IoSlice::new(&bytes)], &descriptor, flags)).map(drop)
}

/// Receives one message and the descriptor that came with it. `None` is the end of the line.
pub fn hear<T: DeserializeOwned>(
    line: impl AsFd,
    flags: MsgFlags,
) -> nix::Result<Option<(T, Option<OwnedFd>)>> {
    let (mut bytes, mut descriptors) = ([0; 64], Vec::new());
    let length = retry(|| receive(&line, &mut bytes, &mut descriptors, flags))?;
    // No message is empty, so nothing is the end.
    let message = (length > 0).then(|| postcard::from_bytes(&bytes[..length]));
    let message = message.transpose().expect("both ends are this program");
    Ok(message.map(|message| (message, descriptors.pop())))
}
