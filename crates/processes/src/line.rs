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
    /// Fork a worker: its end of its socket comes with the message.
    Spawn {
        /// The number that it gets.
        worker: u64,
    },
    /// Kill a worker, if it is still there.
    ///
    /// The pool does not do it itself. Only who reaps knows that a process id still belongs to the
    /// process that it meant.
    Kill {
        /// Its number.
        worker: u64,
    },
}

/// What the fork server tells, unasked where it is a death.
#[derive(Debug, Serialize, Deserialize)]
pub enum Report {
    /// The worker is there.
    Spawned {
        /// Its number.
        worker: u64,
        /// Its process id.
        pid: i32,
    },
    /// The worker could not be forked.
    Refused {
        /// Its number.
        worker: u64,
        /// The system's reason.
        errno: i32,
    },
    /// The worker has ended and is reaped.
    Exited {
        /// Its number.
        worker: u64,
        /// How it ended, as `wait(2)` tells it.
        status: i32,
    },
}

/// Sends one message, with a descriptor or without.
pub fn say<T: Serialize>(
    line: impl AsFd,
    message: &T,
    descriptor: Option<OwnedFd>,
    flags: MsgFlags,
) -> nix::Result<()> {
    let bytes = crate::call::write(message, Vec::new()).expect("numbers serialise");
    // The copy that the message holds is the only one left when this returns.
    let descriptor: Vec<OwnedFd> = descriptor.into_iter().collect();
    retry(|| send(&line, &[IoSlice::new(&bytes)], &descriptor, flags)).map(drop)
}

/// Receives one message and the descriptor that came with it. `None` is the end of the line.
pub fn hear<T: DeserializeOwned>(
    line: impl AsFd,
    flags: MsgFlags,
) -> nix::Result<Option<(T, Option<OwnedFd>)>> {
    let (mut bytes, mut descriptors) = ([0; 64], Vec::new());
    let length = retry(|| receive(&line, &mut bytes, &mut descriptors, flags))?;
    if length == 0 {
        return Ok(None);
    }
    let message = crate::call::read(&bytes[..length]).expect("both ends are this program");
    Ok(Some((message, descriptors.pop())))
}
