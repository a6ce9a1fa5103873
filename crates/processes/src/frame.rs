//! Frames: what travels between a pool and a worker.
//!
//! A stream socket has no messages, only bytes, so each message says how long it is. Everything
//! that the pool itself has to know stands in a header of fixed form, outside the body: a body that
//! cannot be read costs the one task that it belongs to.
//!
//! | bytes | content |
//! |---|---|
//! | 0 to 3 | length of the body |
//! | 4 | kind |
//! | 5 | descriptors that travel with the frame |
//! | 6 | in an answer: 1 if the task was called |
//! | 7 | nothing yet |
//! | 8 to 15 | the task's number |
//! | 16 to 23 | in a call: address of the trampoline; in an answer: nanoseconds that it took |
//! | 24 to 31 | in a call: address of the function |
//!
//! Numbers are in the machine's own byte order: both ends are the same program.

use std::os::fd::OwnedFd;

/// Length of the header, in bytes.
pub const HEADER: usize = 32;

/// The longest body, in bytes: 1 GiB. A length over it is a mistake or worse, and is believed by
/// neither side.
pub const MAX_BODY: usize = 1 << 30;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// To the worker: run this. The body is the argument.
    Call = 1,
    /// From the worker, as all that follow: the body is the answer.
    Answer,
    /// The body is a `RemotePanic`.
    Panicked,
    /// The body is text: why the answer could not be written as bytes.
    NotSerialised,
    /// The body is text: why the argument could not be read from its bytes.
    NotDeserialised,
}

/// What stands outside the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Length of the body, in bytes.
    pub length: usize,
    /// What the frame is.
    pub kind: Kind,
    /// How many descriptors travel with it.
    pub descriptors: usize,
    /// In an answer: whether the task was called.
    pub ran: bool,
    /// Which task.
    pub task: u64,
    /// Two numbers whose meaning the kind decides; see the module.
    pub words: [u64; 2],
}

impl Header {
    fn write(&self, to: &mut [u8]) {
        to[..4].copy_from_slice(&(self.length as u32).to_ne_bytes());
        to[4..8].copy_from_slice(&[self.kind as u8, self.descriptors as u8, self.ran.into(), 0]);
        to[8..16].copy_from_slice(&self.task.to_ne_bytes());
        to[16..24].copy_from_slice(&self.words[0].to_ne_bytes());
        to[24..32].copy_from_slice(&self.words[1].to_ne_bytes());
    }

    /// Reads a header, and believes none of it unseen.
    ///
    /// # Errors
    /// What is wrong, as text.
    pub fn read(bytes: &[u8; HEADER]) -> Result<Self, String> {
        let word = |at: usize| {
            let mut word = [0; 8];
            word.copy_from_slice(&bytes[at..at + 8]);
            u64::from_ne_bytes(word)
        };
        let length = u32::from_ne_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) as usize;
        let kinds =
            [Kind::Call, Kind::Answer, Kind::Panicked, Kind::NotSerialised, Kind::NotDeserialised];
        let kind = kinds.into_iter().find(|&kind| kind as u8 == bytes[4]);
        let kind = kind.ok_or_else(|| format!("{} is no kind of frame", bytes[4]))?;
        if length > MAX_BODY {
            return Err(over_limit(length));
        }
        let (descriptors, ran) = (bytes[5].into(), bytes[6] != 0);
        Ok(Self { length, kind, descriptors, ran, task: word(8), words: [word(16), word(24)] })
    }
}

/// The sentence for a body that is too long.
pub fn over_limit(length: usize) -> String {
    format!("{length} bytes are over the limit of {MAX_BODY} bytes for one frame")
}

/// A header, its body and the descriptors that travel with them.
#[derive(Debug)]
pub struct Frame {
    /// The header and the body in one piece, so that they leave in one system call and a body is
    /// written where it will be sent from.
    pub bytes: Vec<u8>,
    /// What the header says.
    pub header: Header,
    /// Travel beside the bytes, by `SCM_RIGHTS`. Nothing sends any yet: shared memory will.
    pub descriptors: Vec<OwnedFd>,
}

impl Frame {
    /// The beginning of a frame's bytes: room for the header, to be followed by the body.
    pub fn room() -> Vec<u8> {
        // One allocation serves most frames.
        let mut bytes = Vec::with_capacity(4 * HEADER);
        bytes.resize(HEADER, 0);
        bytes
    }

    /// Makes a frame of bytes that begin with [`Frame::room`].
    ///
    /// # Errors
    /// A body over [`MAX_BODY`], as text.
    pub fn new(
        kind: Kind,
        task: u64,
        ran: bool,
        words: [u64; 2],
        mut bytes: Vec<u8>,
    ) -> Result<Self, String> {
        let length = bytes.len() - HEADER;
        if length > MAX_BODY {
            return Err(over_limit(length));
        }
        let header = Header { length, kind, descriptors: 0, ran, task, words };
        header.write(&mut bytes);
        Ok(Self { bytes, header, descriptors: Vec::new() })
    }

    /// The body.
    pub fn body(&self) -> &[u8] {
        &self.bytes[HEADER..]
    }

    /// Gives the task another number, in the header and in the bytes.
    pub fn set_task(&mut self, task: u64) {
        self.header.task = task;
        self.header.write(&mut self.bytes);
    }
}
