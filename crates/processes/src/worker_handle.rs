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
    /// Known once the fork server has reported.
    pub pid: Option<i32>,
    /// The pool's end of the worker's socket. The fork server never has it, so no process but this
    /// one can keep it open.
    pub socket: OwnedFd,
    /// No more can come from the worker. How it ended, the fork server will report.
    pub ended: bool,
    /// What the worker sent that was no frame, if it did.
    pub fault: Option<String>,
    /// The system has refused to send: the worker gets no more, finds that out, and goes.
    write_closed: bool,
    reader: FrameReader,
    /// The call without an answer. It is kept until it is answered: if the worker dies before it has
    /// got all of it, another worker gets it.
    call: Option<Frame>,
    /// How many bytes of the call are sent.
    sent: usize,
    /// The worker died with bytes of ours unread.
    unread: bool,
}

/// What a dead worker leaves behind.
#[derive(Debug)]
pub enum Unfinished {
    /// It had no call.
    Nothing,
    /// It was running this call, or may have been.
    Begun(Frame),
    /// It cannot have begun this call.
    NotBegun(Frame),
}

impl WorkerHandle {
    /// For a worker that is about to be forked. Its socket takes calls from now on.
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

    /// Whether it can be given a call.
    pub fn is_idle(&self) -> bool {
        !self.ended && !self.write_closed && self.call.is_none()
    }

    /// Gives the worker a call. It is sent by [`WorkerHandle::send`].
    pub fn give(&mut self, call: Frame) {
        (self.call, self.sent) = (Some(call), 0);
    }

    /// What is still to be sent.
    pub fn unsent(&self) -> &[u8] {
        match &self.call {
            Some(call) if !self.ended && !self.write_closed => &call.bytes[self.sent..],
            _ => &[],
        }
    }

    /// Sends what the socket takes: a large call piece by piece.
    // ANCHOR: send
    pub fn send(&mut self) {
        // A worker that is gone is an error and not a signal.
        let (socket, flags) =
            (self.socket.as_raw_fd(), MsgFlags::MSG_DONTWAIT | MsgFlags::MSG_NOSIGNAL);
        while !self.unsent().is_empty() {
            let part = [IoSlice::new(self.unsent())];
            match retry(|| sendmsg::<()>(socket, &part, &[], flags, None)) {
                Ok(bytes) => self.sent += bytes,
                // The worker is busy (the next poll tells when), or it is dead: what it had sent
                // before can still be read.
                Err(Errno::EAGAIN | Errno::EPIPE) => return,
                // The kernel's word for an end with bytes of ours unread. It says so once.
                Err(Errno::ECONNRESET) => return self.unread = true,
                // No memory, most likely. The worker finds that no more comes, and goes.
                Err(_) => {
                    self.write_closed = true;
                    let _ = shutdown(socket, Shutdown::Write);
                }
            }
        }
    }
    // ANCHOR_END: send

    /// Receives what is there: the answer, if it is complete.
    ///
    /// It reads once unless `to_the_end`, which is for a worker that is known to be dead.
    // ANCHOR: receive
    pub fn receive(&mut self, to_the_end: bool) -> Option<Frame> {
        let mut answer = None;
        while !self.ended {
            match retry(|| self.reader.fill(&self.socket, MsgFlags::MSG_DONTWAIT)) {
                Err(Errno::EAGAIN) => break,
                // The kernel's word for an end with bytes of ours unread.
                Err(Errno::ECONNRESET) => (self.ended, self.unread) = (true, true),
                Ok(0) | Err(_) => self.ended = true,
                Ok(_) => {}
            }
            while let Some(frame) = self.next_frame() {
                // A worker answers what was sent to it, and no other call.
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
            return None; // nothing after it can be trusted
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

    /// What the worker leaves behind. One that never lived was running nothing.
    pub fn unfinished(self, lived: bool) -> Unfinished {
        match self.call {
            None => Unfinished::Nothing,
            // Sent whole, and not left unread.
            Some(call) if lived && self.sent == call.bytes.len() && !self.unread => {
                Unfinished::Begun(call)
            }
            Some(call) => Unfinished::NotBegun(call),
        }
    }
}
