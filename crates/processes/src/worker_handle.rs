//! A worker as the pool sees it: its socket, and the one call that it has been given.

use crate::frame::{Frame, FrameReader};
use fork_server::wire::retry;
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, sendmsg, shutdown};
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};

/// One worker, from the pool's side.
#[derive(Debug)]
pub struct WorkerHandle {
    /// The worker's number for the fork server.
    pub number: u64,
    /// The worker's process id, known once the fork server has reported.
    pub pid: Option<i32>,
    /// The pool's end of the worker's socket. The fork server never has this end, so no other
    /// process can keep it open, except a fork of the program.
    pub socket: OwnedFd,
    /// Whether nothing more can come from the worker. The fork server will report how the worker
    /// ended.
    pub ended: bool,
    /// What was wrong with the worker's bytes, if they were no frame.
    pub fault: Option<String>,
    /// Whether the pool has closed its side for writing, because the system refused to send. The
    /// worker then reads an end of file, and exits.
    write_closed: bool,
    reader: FrameReader,
    /// The worker's call, kept until its answer comes: if the worker dies before it has received
    /// the whole call, another worker gets the call.
    call: Option<Frame>,
    /// How many bytes of the call are sent.
    sent: usize,
    /// Whether the worker died before it had read all bytes from the pool.
    unread: bool,
}

/// What a dead worker leaves behind.
#[derive(Debug)]
pub enum Unfinished {
    /// The worker had no call.
    Nothing,
    /// The worker was running this call, or may have been running it.
    Begun(Frame),
    /// The worker cannot have begun this call.
    NotBegun(Frame),
}

impl WorkerHandle {
    /// Makes the handle of a worker that is about to be forked. The worker's socket takes calls
    /// from now on.
    pub fn new(number: u64, socket: OwnedFd) -> Self {
        Self {
            number,
            pid: None,
            socket,
            ended: false,
            fault: None,
            write_closed: false,
            reader: FrameReader::default(),
            call: None,
            sent: 0,
            unread: false,
        }
    }

    /// Whether the worker can be given a call.
    pub fn is_idle(&self) -> bool {
        !self.ended && !self.write_closed && self.call.is_none()
    }

    /// Gives the worker a call. [`WorkerHandle::send`] sends the call.
    pub fn give(&mut self, call: Frame) {
        (self.call, self.sent) = (Some(call), 0);
    }

    /// The bytes of the call that are still to be sent.
    pub fn unsent(&self) -> &[u8] {
        match &self.call {
            Some(call) if !self.ended && !self.write_closed => &call.bytes[self.sent..],
            _ => &[],
        }
    }

    /// Sends what the socket takes: a large call piece by piece.
    // ANCHOR: send
    pub fn send(&mut self) {
        // MSG_NOSIGNAL: a send to a dead worker is an error and not a signal.
        let (socket, flags) =
            (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        while !self.unsent().is_empty() {
            let part = [IoSlice::new(self.unsent())];
            match retry(|| sendmsg::<()>(socket, &part, &[], flags, None)) {
                Ok(bytes) => self.sent += bytes,
                // The worker is busy (the next poll tells when), or dead, and then the bytes that
                // it had sent before can still be read.
                Err(Errno::EAGAIN | Errno::EPIPE) => return,
                // The kernel reports, once, that the worker ended before it had read all bytes from
                // the pool.
                Err(Errno::ECONNRESET) => return self.unread = true,
                // Most likely, the system is out of memory. The worker reads an end of file, and
                // exits.
                Err(_) => {
                    self.write_closed = true;
                    let _ = shutdown(socket, Shutdown::Write);
                }
            }
        }
    }
    // ANCHOR_END: send

    /// Receives the bytes that are there. Returns the answer, if it is complete.
    ///
    /// This reads once unless `to_the_end` is set, which is for a worker that is known to be dead.
    // ANCHOR: receive
    pub fn receive(&mut self, to_the_end: bool) -> Option<Frame> {
        let mut answer = None;
        while !self.ended {
            match retry(|| self.reader.fill(&self.socket, MsgFlags::MSG_DONTWAIT)) {
                Err(Errno::EAGAIN) => break,
                // The kernel reports that the worker ended before it had read all bytes from the
                // pool.
                Err(Errno::ECONNRESET) => (self.ended, self.unread) = (true, true),
                Ok(0) | Err(_) => self.ended = true,
                Ok(_) => {}
            }
            while let Some(frame) = self.next_frame() {
                // A worker answers the call that was sent to it, and no other call.
                if self.is_awaited(&frame) {
                    self.call = None;
                    answer = Some(frame);
                } else {
                    self.fail(format!("an answer to task {}", frame.header.task));
                }
            }
            if !to_the_end {
                break;
            }
        }
        answer
    }
    // ANCHOR_END: receive

    fn next_frame(&mut self) -> Option<Frame> {
        if self.fault.is_some() {
            return None; // nothing after a fault can be trusted
        }
        self.reader.next_frame().unwrap_or_else(|why| {
            self.fail(why);
            None
        })
    }

    fn is_awaited(&self, answer: &Frame) -> bool {
        self.call.as_ref().is_some_and(|call| {
            call.header.task == answer.header.task && call.bytes.len() == self.sent
        })
    }

    fn fail(&mut self, why: String) {
        (self.ended, self.fault) = (true, Some(why));
    }

    /// What the worker leaves behind. A worker that was never forked was running no call.
    pub fn unfinished(self, lived: bool) -> Unfinished {
        match self.call {
            None => Unfinished::Nothing,
            // The call has begun if it was sent whole and not left unread.
            Some(call) if lived && self.sent == call.bytes.len() && !self.unread => {
                Unfinished::Begun(call)
            }
            Some(call) => Unfinished::NotBegun(call),
        }
    }
}
