//! The worker's main loop: a call, an answer, until the pool closes the socket.
//!
//! A worker has one thread, waits for nothing but its socket, and writes each answer before it
//! starts the next call. So a dead worker leaves exactly one call unanswered: the call that it had.

use crate::frame::{Frame, FrameReader, Header, Kind, write};
use fork_server::panics::{catch, note_panics};
use fork_server::wire::retry;
use fork_server::{TaskAddress, flush_output, is_bound_to_the_program};
use kernel::{Ran, TaskErrorKind};
use nix::sys::socket::{MsgFlags, sendmsg};
use std::cell::Cell;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};

/// Serves the pool at the other end of the socket until that end is closed.
// ANCHOR: worker_loop
pub fn serve(socket: OwnedFd) {
    note_panics();
    let mut reader = FrameReader::default();
    loop {
        // Block when reading and when writing: a worker has nothing else to do. The pool never
        // blocks, so pool and worker cannot wait for each other.
        let Some(call) = reader.next_frame().expect("the pool sends frames") else {
            match retry(|| reader.fill(&socket, MsgFlags::empty())) {
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
        let mut rest = &answer[..];
        while !rest.is_empty() {
            // MSG_NOSIGNAL: a send to a pool that is gone is an error and not a signal.
            let (part, flags) = ([IoSlice::new(rest)], MsgFlags::MSG_NOSIGNAL);
            match retry(|| sendmsg::<()>(socket.as_raw_fd(), &part, &[], flags, None)) {
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return, // the pool is gone, and the answer is not needed
            }
        }
    }
}
// ANCHOR_END: worker_loop

/// Runs the call. Unless the process ends, there is always an answer.
// ANCHOR: answer
fn answer(call: Frame) -> Vec<u8> {
    let ran = Cell::new(Ran::No);
    let address = TaskAddress::received(call.header.address());
    let outcome = catch(|| address.run(call.bytes, &ran))
        .unwrap_or_else(|panic| Err((ran.get(), TaskErrorKind::Panicked(panic))));
    outcome.unwrap_or_else(|failure| {
        let header = Header::new(Kind::Failure, call.header.task, [0; 2]);
        write(header, &failure, Vec::new()).expect("words fit into a frame").bytes
    })
}
// ANCHOR_END: answer
