//! A worker as the pool sees it: its socket, and the calls that it has been given.
//!
//! A worker handle is part of the pool core, so no lock guards its fields: the thread that has the
//! core reads and writes them.

use crate::wire::inbox::Inbox;
use crate::wire::packet::Packet;
use fork_server::wire::{retry, send};
use nix::errno::Errno;
use nix::sys::socket::{MsgFlags, Shutdown, shutdown};
use std::collections::VecDeque;
use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};

/// One worker, from the pool's side.
#[derive(Debug)]
pub struct WorkerHandle {
    /// The worker's number for the fork server.
    pub number: u64,
    /// The worker's process id, known once the fork server has reported.
    pub pid: Option<i32>,
    /// The pool's end of the worker's socket. The fork server never has it, so no other process can
    /// keep it open, except a fork of the program.
    pub socket: OwnedFd,
    /// Whether nothing more can come from the worker. The fork server will report how the worker
    /// ended.
    pub ended: bool,
    /// Whether the pool has closed its side for writing, because the system refused to send. The
    /// worker then reads an end of file, and exits.
    write_closed: bool,
    /// What was wrong with the worker's bytes, if they were no frame.
    pub fault: Option<String>,
    /// Why the pool has had the worker killed, if it has.
    pub cause: Option<&'static str>,
    /// Whether the pool has had the worker killed, to end a call that was given up.
    pub dismissed: bool,
    /// How many more calls the worker may be given.
    pub left: usize,
    /// Whether the worker has an initializer to run. The worker gets no call before the initializer
    /// has ended.
    initializing: bool,
    inbox: Inbox,
    /// The worker's calls without an answer, in the order in which the worker runs them: the first
    /// call is running. A call is kept until its answer comes: if the worker dies, the calls behind
    /// the running call have to be sent to another worker.
    calls: VecDeque<Packet>,
    /// How many of `calls` are sent whole, and how many bytes of the next call.
    sent: (usize, usize),
    /// Whether the worker died before it had read all bytes from the pool.
    unread: bool,
}

impl WorkerHandle {
    /// Makes the handle of a worker that is about to be forked. The worker's socket takes calls
    /// from now on.
    pub fn new(number: u64, socket: OwnedFd, left: usize) -> Self {
        Self {
            number,
            pid: None,
            socket,
            ended: false,
            write_closed: false,
            fault: None,
            cause: None,
            dismissed: false,
            left,
            initializing: false,
            inbox: Inbox::default(),
            calls: VecDeque::new(),
            sent: (0, 0),
            unread: false,
        }
    }

    /// How many calls the worker has.
    pub fn load(&self) -> usize {
        self.calls.len()
    }

    /// How many more calls the worker may have now, if `depth` calls at a time are allowed.
    pub fn room(&self, depth: usize) -> usize {
        if self.initializing || self.write_closed {
            0
        } else {
            depth.saturating_sub(self.load()).min(self.left)
        }
    }

    /// The call that the worker is running, or will run first.
    pub fn first(&self) -> Option<u64> {
        self.calls.front().map(|call| call.header.task)
    }

    /// Whether there is something to send.
    pub fn has_unsent(&self) -> bool {
        !self.ended && !self.write_closed && self.sent.0 < self.calls.len()
    }

    /// Gives the worker a call. [`WorkerHandle::send`] sends the call.
    pub fn give(&mut self, call: Packet) {
        self.left -= 1;
        self.calls.push_back(call);
    }

    /// Gives the worker its initializer, of which each worker needs a copy.
    pub fn give_first(&mut self, initializer: &Packet) {
        self.initializing = true;
        let (bytes, header) = (initializer.bytes.clone(), initializer.header);
        self.calls.push_back(Packet { bytes, header, descriptors: Vec::new() });
    }

    /// Sends what the socket takes: many small calls in one system call, a large call piece by
    /// piece.
    pub fn send(&mut self) {
        while self.has_unsent() {
            let (whole, offset) = self.sent;
            // Descriptors go with the first byte of a call, so such a call begins a batch.
            let first = &self.calls[whole];
            let descriptors = if offset == 0 { &first.descriptors[..] } else { &[] };
            let batch =
                self.calls.range(whole + 1..).take_while(|call| call.descriptors.is_empty());
            let mut parts = vec![IoSlice::new(&first.bytes[offset..])];
            parts.extend(batch.map(|call| IoSlice::new(&call.bytes)));
            let flags = MsgFlags::MSG_DONTWAIT;
            let length: usize = parts.iter().map(|part| part.len()).sum();
            match retry(|| send(&self.socket, &parts, descriptors, flags)) {
                Ok(bytes) => {
                    self.note_sent(bytes);
                    if bytes < length {
                        return; // the socket is full
                    }
                }
                // The worker is busy (the next poll tells when), or dead, and then the bytes that
                // it had sent before can still be read.
                Err(Errno::EAGAIN | Errno::EPIPE) => return,
                // The kernel reports, once, that the worker ended before it had read all bytes from
                // the pool.
                Err(Errno::ECONNRESET) => return self.unread = true,
                // Most likely, the system is out of memory. The worker answers the calls that it
                // has got, reads an end of file, and exits.
                Err(_) => {
                    self.write_closed = true;
                    let _ = shutdown(self.socket.as_raw_fd(), Shutdown::Write);
                }
            }
        }
    }

    fn note_sent(&mut self, bytes: usize) {
        let (mut whole, mut offset) = self.sent;
        offset += bytes;
        while let Some(call) = self.calls.get(whole).filter(|call| call.bytes.len() <= offset) {
            offset -= call.bytes.len();
            whole += 1;
        }
        self.sent = (whole, offset);
    }

    /// Receives the bytes that are there, and passes each answer to `tell`.
    ///
    /// This reads once unless `to_the_end` is set, which is for a worker that is known to be dead.
    pub fn receive(&mut self, to_the_end: bool, mut tell: impl FnMut(Packet)) {
        while !self.ended {
            if self.sent.0 > 0 && self.inbox.wants_more() {
                // A large answer has begun, so the bytes of its call are not needed any more.
                self.inbox.use_buffer(std::mem::take(&mut self.calls[0].bytes));
            }
            match retry(|| self.inbox.fill(&self.socket, MsgFlags::MSG_DONTWAIT)) {
                Err(Errno::EAGAIN) => return,
                Ok(0) => self.ended = true,
                // The kernel reports that the worker ended before it had read all bytes from the
                // pool.
                Err(Errno::ECONNRESET) => (self.ended, self.unread) = (true, true),
                Err(_) => self.ended = true,
                Ok(_) => {}
            }
            if let Err(why) = self.answers(&mut tell) {
                (self.ended, self.fault) = (true, Some(why));
            }
            if !to_the_end {
                return;
            }
        }
    }

    fn answers(&mut self, tell: &mut impl FnMut(Packet)) -> Result<(), String> {
        while let Some(answer) = self.inbox.take()? {
            // A worker answers in order, and only calls that were sent to it.
            let expected = self.calls.front().filter(|_| self.sent.0 > 0);
            if expected.map(|call| call.header.task) != Some(answer.header.task) {
                return Err(format!("an answer to task {}", answer.header.task));
            }
            self.calls.pop_front();
            self.sent.0 -= 1;
            self.initializing = false; // the initializer's answer comes first
            tell(answer);
        }
        Ok(())
    }

    /// Divides what a dead worker leaves behind: the call that the worker was running, or may have
    /// been running, and the calls that cannot have begun, in order. A worker that was never forked
    /// was running no call.
    pub fn unfinished_calls(self, lived: bool) -> (Option<Packet>, VecDeque<Packet>) {
        let mut waiting = self.calls;
        // A call that was sent whole may have begun, unless the worker died before it had read the
        // call. The pool can tell this only if the call was alone. If an answer uses the call's
        // buffer, nothing is left to send again.
        let used = waiting.front().is_some_and(|call| call.bytes.is_empty());
        let begun = lived && self.sent.0 > 0 && (used || !(self.unread && self.sent == (1, 0)));
        (if begun { waiting.pop_front() } else { None }, waiting)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::packet::{PacketKind, body};
    use fork_server::wire::pair;
    use nix::sys::socket::SockType;
    use std::fs::File;
    use std::io::{Read, Write};

    /// This crate sends no descriptors yet, but the code for sending them is there.
    #[test]
    fn descriptors_travel_with_their_frames() {
        let (ours, theirs) = pair(SockType::Stream).unwrap();
        let mut worker = WorkerHandle::new(0, ours, usize::MAX);
        for (task, count) in [2, 0, 1, 0].into_iter().enumerate() {
            let bytes = body(&kernel::Bytes::from(vec![task as u8; 100]), Vec::new()).unwrap();
            let mut call = Packet::new(PacketKind::Call, task as u64, [1, 2], bytes);
            for number in 0..count {
                let (read, mut write) = std::io::pipe().unwrap();
                write.write_all(&[task as u8, number]).unwrap();
                call.add_descriptor(read.into());
            }
            worker.give(call);
        }
        worker.send();
        let (mut inbox, mut packets) = (Inbox::default(), Vec::new());
        while packets.len() < 4 {
            match inbox.take().unwrap() {
                Some(packet) => packets.push(packet),
                None => assert!(inbox.fill(&theirs, MsgFlags::empty()).unwrap() > 0),
            }
        }
        for (task, packet) in packets.into_iter().enumerate() {
            assert_eq!(
                (packet.header.task, packet.descriptors.len()),
                (task as u64, [2, 0, 1, 0][task])
            );
            for (number, descriptor) in packet.descriptors.into_iter().enumerate() {
                let mut bytes = Vec::new();
                File::from(descriptor).read_to_end(&mut bytes).unwrap();
                assert_eq!(bytes, [task as u8, number as u8]);
            }
        }
    }
}
