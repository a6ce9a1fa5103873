//! The worker's main loop: a call, an answer, until the pool closes the socket.
//!
//! A worker has one thread, waits for nothing but its socket, and writes each answer before it
//! starts the next call. So a dead worker leaves the one call that was running and the calls that
//! had not begun; the pool tells the two apart by counting answers.

use crate::wire::inbox::Inbox;
use crate::wire::packet::{Packet, PacketKind, body};
use fork_server::panics::{catch, note_panics};
use fork_server::wire::{retry, send};
use fork_server::{TaskAddress, flush_output, is_bound_to_the_program};
use kernel::{Ran, TaskErrorKind};
use nix::sys::socket::MsgFlags;
use std::cell::Cell;
use std::io::IoSlice;
use std::os::fd::OwnedFd;
use std::time::Instant;

/// Serves the pool at the other end of the socket until that end is closed.
pub fn serve(socket: OwnedFd) {
    note_panics();
    let mut inbox = Inbox::default();
    loop {
        // Block when reading and when writing: a worker has nothing else to do. The pool never
        // blocks, so pool and worker cannot wait for each other.
        let Some(call) = inbox.take().expect("the pool sends packets") else {
            match retry(|| inbox.fill(&socket, MsgFlags::empty())) {
                Ok(0) | Err(_) => return, // the pool has no more calls
                Ok(_) => continue,
            }
        };
        if !is_bound_to_the_program() {
            return;
        }
        let answer = answer(call);
        // Send the task's printed text on its way before its answer.
        flush_output();
        let mut rest = &answer.bytes[..];
        while !rest.is_empty() {
            match retry(|| send(&socket, &[IoSlice::new(rest)], &[], MsgFlags::empty())) {
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return, // the pool is gone, and the answer is not needed
            }
        }
        inbox.use_buffer(answer.bytes);
    }
}

/// Runs the call. Unless the process ends, there is always an answer.
fn answer(call: Packet) -> Packet {
    let (start, task, ran) = (Instant::now(), call.header.task, Cell::new(Ran::No));
    let address = TaskAddress::received([call.header.first, call.header.second]);
    let outcome = catch(|| address.run(call.bytes, &ran))
        .unwrap_or_else(|panic| Err((ran.get(), TaskErrorKind::Panicked(panic))));
    let (kind, bytes) = match outcome {
        Ok(bytes) => (PacketKind::Answer, bytes),
        Err(failure) => {
            (PacketKind::Failure, body(&failure, Vec::new()).expect("words fit into a packet"))
        }
    };
    let nanoseconds = start.elapsed().as_nanos() as u64;
    Packet::new(kind, task, [nanoseconds, 0], bytes)
}
