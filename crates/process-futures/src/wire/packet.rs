//! Packets: what travels between a pool and a worker, a frame of bytes with descriptors beside it.
//!
//! A stream socket has no messages, only bytes, so each message begins with its length. Everything
//! that the pool itself has to know stands in a header of fixed form, outside the body: a body that
//! cannot be read costs only its own task.
//!
//! | bytes | content |
//! |---|---|
//! | 0 to 3 | length of the body |
//! | 4 | kind |
//! | 5 | how many descriptors travel beside the frame |
//! | 6 to 13 | the task's number |
//! | 14 to 21 | in a call: address of the trampoline; in an answer: nanoseconds that the call took |
//! | 22 to 29 | in a call: address of the function |
//!
//! The numbers have fixed sizes, unlike postcard's usual numbers, because the length is filled in
//! after the body is written.

use fork_server::TaskFailure;
use fork_server::codec::{self, caught};
use fork_server::wire::MAX_DESCRIPTORS;
use kernel::{Message, Ran, TaskErrorKind};
use serde::{Deserialize, Serialize};
use std::os::fd::OwnedFd;

/// Length of the header, in bytes.
pub const HEADER: usize = 30;

/// The longest body, in bytes: 1 GiB. A longer length is a mistake or worse, and neither side
/// accepts it.
pub const MAX_BODY: usize = 1 << 30;

/// What a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PacketKind {
    /// To the worker: run this call. The body is the argument.
    Call,
    /// From the worker: the body is the answer.
    Answer,
    /// From the worker: the body says why there is no answer.
    Failure,
}

/// The header of a packet: everything outside the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PacketHeader {
    #[serde(with = "postcard::fixint::le")]
    length: u32,
    /// What the packet is.
    pub kind: PacketKind,
    /// How many descriptors travel with the packet.
    pub descriptors: u8,
    /// The task's number.
    #[serde(with = "postcard::fixint::le")]
    pub task: u64,
    /// In a call the address of the trampoline, in an answer a time.
    #[serde(with = "postcard::fixint::le")]
    pub first: u64,
    /// In a call the address of the function.
    #[serde(with = "postcard::fixint::le")]
    pub second: u64,
}

impl PacketHeader {
    /// Length of the whole frame, in bytes.
    pub fn frame(&self) -> usize {
        HEADER + self.length as usize
    }

    fn write(&self, bytes: &mut [u8]) {
        postcard::to_slice(self, &mut bytes[..HEADER]).expect("a header has a fixed size");
    }

    /// Reads a header. The error says in words why the bytes are no header.
    pub fn read(bytes: &[u8; HEADER]) -> Result<Self, String> {
        match postcard::from_bytes::<Self>(bytes) {
            Ok(header) if header.frame() > HEADER + MAX_BODY => {
                Err(format!("a body of {} bytes", header.length))
            }
            header => header.map_err(|error| error.to_string()),
        }
    }
}

/// A header, its body, and the descriptors that travel beside them.
#[derive(Debug)]
pub struct Packet {
    /// What the header says.
    pub header: PacketHeader,
    /// The header and the body in one piece: a body is written into the buffer from which it is
    /// sent.
    pub bytes: Vec<u8>,
    /// The descriptors that travel beside the bytes (`SCM_RIGHTS`).
    pub descriptors: Vec<OwnedFd>,
}

impl Packet {
    /// A packet around what [`body`] wrote.
    pub fn new(kind: PacketKind, task: u64, [first, second]: [u64; 2], mut bytes: Vec<u8>) -> Self {
        let length = (bytes.len() - HEADER) as u32; // the limit fits
        let header = PacketHeader { length, kind, descriptors: 0, task, first, second };
        header.write(&mut bytes);
        Self { header, bytes, descriptors: Vec::new() }
    }

    /// Gives the task another number.
    pub fn set_task(&mut self, task: u64) {
        self.header.task = task;
        self.header.write(&mut self.bytes);
    }

    /// Adds a descriptor that travels beside the bytes.
    #[cfg_attr(
        not(test),
        expect(dead_code, reason = "shared memory will be the first to send any")
    )]
    pub fn add_descriptor(&mut self, descriptor: OwnedFd) {
        assert!(self.descriptors.len() < MAX_DESCRIPTORS, "16 for one frame");
        self.descriptors.push(descriptor);
        self.header.descriptors = self.descriptors.len() as u8;
        self.header.write(&mut self.bytes);
    }

    /// In a call: two numbers that are equal for calls of one function, and rarely for other calls.
    /// The numbers only decide whether one call's time predicts another's, and there a rare mistake
    /// is harmless: an address does not identify a function, since the linker may fold equal
    /// functions into one.
    pub fn alike(&self) -> [u64; 2] {
        [self.header.first, self.header.second]
    }

    /// In an answer: how long the worker took, from the argument's bytes to the answer's.
    pub fn nanoseconds(&self) -> u64 {
        self.header.first
    }

    /// Reads an answer. `R` is the result type of the function that was called. The error says what
    /// went wrong in the worker, or is `NotDeserialised` if the bytes are not an `R`; and it says
    /// whether the task ran.
    pub fn answer<R: Message>(&self) -> Result<R, TaskFailure> {
        let unreadable = |ran| move |why| (ran, TaskErrorKind::NotDeserialised(why));
        match self.header.kind {
            PacketKind::Answer => {
                caught("Deserialize", || read_body(&self.bytes)).map_err(unreadable(Ran::Yes))
            }
            PacketKind::Failure | PacketKind::Call => Err(self.failure()),
        }
    }

    /// What the worker says of the failure. If that is no sense, it is lost with the failure.
    pub fn failure(&self) -> TaskFailure {
        let unreadable = |why| (Ran::Unknown, TaskErrorKind::NotDeserialised(why));
        codec::read(&self.bytes[HEADER..]).unwrap_or_else(unreadable)
    }
}

/// The body of this packet, as a value. The error is text.
pub fn read_body<T: Message>(packet: &[u8]) -> Result<T, String> {
    codec::read_message(&packet[HEADER..])
}

/// Serialises a value as a packet's body, with room for the header before it. The buffer's old
/// content is replaced. The error is text.
pub fn body<T: Serialize>(value: &T, buffer: Vec<u8>) -> Result<Vec<u8>, String> {
    codec::write(value, cleared(buffer), MAX_BODY)
}

/// The buffer, with room for a header and no more in it.
pub fn cleared(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer.reserve(4 * HEADER); // one allocation serves most frames
    buffer.resize(HEADER, 0);
    buffer
}
