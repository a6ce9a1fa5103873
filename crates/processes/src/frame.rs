//! Frames: what travels between the pool and a worker.
//!
//! A stream socket has no messages, only bytes, so each message begins with its length. Everything
//! that the pool itself has to know stands in a header of fixed form, outside the body: a body that
//! cannot be read costs only its own task.
//!
//! | bytes | content |
//! |---|---|
//! | 0 to 3 | length of the body |
//! | 4 | kind |
//! | 5 | zero (where `process-futures` says how many descriptors travel beside the frame) |
//! | 6 to 13 | the task's number |
//! | 14 to 29 | in a call: where the task is (two addresses) |
//!
//! The numbers have fixed sizes, unlike postcard's usual numbers, because the header is filled in
//! after the body is written.

use fork_server::{TaskFailure, codec};
use kernel::{Message, Ran, TaskErrorKind};
use nix::sys::socket::{MsgFlags, recv};
use serde::{Deserialize, Serialize};
use std::mem;
use std::os::fd::AsRawFd;

/// Length of the header, in bytes.
const HEADER: usize = 30;

/// The longest body, in bytes: 1 GiB. A longer length is a mistake or worse, and neither side
/// accepts it.
const MAX_BODY: usize = 1 << 30;

/// How many bytes are received at once. Nearly every frame is shorter.
const CHUNK: usize = 64 * 1024;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Kind {
    /// To the worker: run this call. The body is the argument.
    Call,
    /// From the worker: the body is the answer.
    Answer,
    /// From the worker: the body says why there is no answer.
    Failure,
}

/// The header of a frame: everything outside the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    #[serde(with = "postcard::fixint::le")]
    length: u32,
    kind: Kind,
    zero: u8,
    /// The task's number.
    #[serde(with = "postcard::fixint::le")]
    pub task: u64,
    #[serde(with = "postcard::fixint::le")]
    trampoline: u64,
    #[serde(with = "postcard::fixint::le")]
    function: u64,
}

impl Header {
    /// A header for a body that is not yet written: see [`write`].
    pub fn new(kind: Kind, task: u64, [trampoline, function]: [u64; 2]) -> Self {
        Self { length: 0, kind, zero: 0, task, trampoline, function }
    }

    /// Length of the whole frame, in bytes.
    fn frame(&self) -> usize {
        HEADER + self.length as usize
    }

    /// Where the task of a call is.
    pub fn address(&self) -> [u64; 2] {
        [self.trampoline, self.function]
    }

    fn write(&self, bytes: &mut [u8]) {
        postcard::to_slice(self, &mut bytes[..HEADER]).expect("a header has a fixed size");
    }

    /// Reads a header. The error says in words why the bytes are no header.
    fn read(bytes: &[u8]) -> Result<Self, String> {
        match postcard::from_bytes::<Self>(bytes) {
            Ok(header) if header.length as usize > MAX_BODY => {
                Err(format!("a body of {} bytes", header.length))
            }
            header => header.map_err(|error| error.to_string()),
        }
    }
}

/// A header and its body: a call, or a worker's answer as received.
#[derive(Debug)]
pub struct Frame {
    pub(crate) header: Header,
    /// The header and the body in one piece: a body is written into the buffer from which it is
    /// sent.
    pub(crate) bytes: Vec<u8>,
}

impl Frame {
    /// Gives the task another number.
    pub(crate) fn set_task(&mut self, task: u64) {
        self.header.task = task;
        self.header.write(&mut self.bytes);
    }

    /// How many bytes travel.
    pub fn length(&self) -> usize {
        self.bytes.len()
    }

    /// Reads an answer. `R` is the result type of the function that was called.
    ///
    /// # Errors
    /// The error that the worker reports, or [`TaskErrorKind::NotDeserialised`] if the bytes are
    /// not an `R`. Each error says whether the task ran.
    pub fn answer<R: Message>(&self) -> Result<R, TaskFailure> {
        let unreadable = |ran| move |why| (ran, TaskErrorKind::NotDeserialised(why));
        match self.header.kind {
            Kind::Answer => codec::caught("Deserialize", || read_body(&self.bytes))
                .map_err(unreadable(Ran::Yes)),
            // What the worker says of the failure is lost with the failure.
            _ => Err(codec::read(&self.bytes[HEADER..]).unwrap_or_else(unreadable(Ran::Unknown))),
        }
    }
}

/// The body of this frame, as a value. The error is text.
pub fn read_body<T: Message>(frame: &[u8]) -> Result<T, String> {
    codec::read_message(&frame[HEADER..])
}

/// Serialises a frame. The buffer's old content is replaced. The error is text.
pub fn write<T: Serialize>(header: Header, body: &T, mut buffer: Vec<u8>) -> Result<Frame, String> {
    buffer.clear();
    buffer.reserve(4 * HEADER); // one allocation serves most frames
    buffer.resize(HEADER, 0);
    let mut bytes = codec::write(body, buffer, MAX_BODY)?;
    let header = Header { length: (bytes.len() - HEADER) as u32, ..header }; // the limit fits
    header.write(&mut bytes);
    Ok(Frame { header, bytes })
}

/// Writes the answer to the call that the buffer holds, into that buffer: for a large answer, fresh
/// memory would cost more than serialising. The error is text.
pub fn write_answer<T: Serialize>(answer: &T, call: Vec<u8>) -> Result<Vec<u8>, String> {
    let header = Header::read(&call[..HEADER])?;
    Ok(write(Header { kind: Kind::Answer, ..header }, answer, call)?.bytes)
}

/// The receiving side of a socket: bytes in, frames out.
#[derive(Debug, Default)]
pub struct FrameReader {
    /// The buffer, filled with received bytes up to `end`. The bytes behind `end` are free room.
    bytes: Vec<u8>,
    end: usize,
}

impl FrameReader {
    /// Receives once. Returns the number of bytes; zero is the end of the stream.
    ///
    /// The buffer grows with the bytes that arrive, and never because of the length in a header
    /// alone: a header with a false length costs the receiving side some chunks, and not a
    /// gigabyte.
    pub fn fill(&mut self, socket: &impl AsRawFd, flags: MsgFlags) -> nix::Result<usize> {
        let frame = Header::read(&self.bytes[..self.end]).map_or(0, |header| header.frame());
        // Receive as much of a large frame at once as the kernel holds of a stream, but not beyond
        // its end: a buffer that grew for the last bytes would be copied, and twice as large.
        let room = if frame > CHUNK { frame.min(self.end + 4 * CHUNK) } else { self.end + CHUNK };
        if self.bytes.len() < room {
            // Reserve eight times what has come, so that little is copied on the way. Reserved
            // memory that is not yet touched takes only addresses.
            self.bytes.reserve(frame.min(8 * self.end).max(room) - self.bytes.len());
            self.bytes.resize(room, 0);
        }
        let room = &mut self.bytes[self.end..room];
        let received = recv(socket.as_raw_fd(), room, flags)?;
        self.end += received;
        Ok(received)
    }

    /// The next frame, if it is there to its last byte.
    ///
    /// # Errors
    /// What is wrong, as text, if the bytes are no frame. Nothing after such bytes can be trusted.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, String> {
        let received = &self.bytes[..self.end];
        if received.len() < HEADER {
            return Ok(None);
        }
        let header = Header::read(&received[..HEADER])?;
        let length = header.frame();
        if received.len() < length {
            return Ok(None);
        }
        let bytes = if length < CHUNK {
            let bytes = received[..length].to_vec();
            self.bytes.copy_within(length..self.end, 0);
            bytes
        } else {
            // A large frame is not copied: its buffer becomes the frame.
            self.bytes.truncate(self.end);
            let rest = self.bytes.split_off(length);
            mem::replace(&mut self.bytes, rest)
        };
        self.end -= length;
        Ok(Some(Frame { header, bytes }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Bytes;
    use proptest::prelude::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn frame(task: u64, length: usize) -> Frame {
        let header = Header::new(Kind::Call, task, [task + 1, task + 2]);
        write(header, &Bytes::from(vec![task as u8; length]), Vec::new()).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the bytes are split on their way, the frames come out unchanged and in order.
        #[test]
        fn frames_come_through(
            lengths in prop::collection::vec(prop_oneof![0..300usize, 65_400..65_600usize, 0..700_000usize], 1..8),
            cut in 1..100_000usize,
        ) {
            let (socket, mut writer) = UnixStream::pair().unwrap();
            let mut stream = Vec::new();
            for (task, &length) in lengths.iter().enumerate() {
                stream.extend_from_slice(&frame(task as u64, length).bytes);
            }
            let sender = std::thread::spawn(move || {
                stream.chunks(cut).for_each(|chunk| writer.write_all(chunk).unwrap());
            });
            let (mut reader, mut task) = (FrameReader::default(), 0);
            loop {
                while let Some(came) = reader.next_frame().unwrap() {
                    let sent = frame(task, lengths[task as usize]);
                    prop_assert!(came.bytes == sent.bytes && came.header == sent.header);
                    task += 1;
                }
                if reader.fill(&socket, MsgFlags::empty()).unwrap() == 0 {
                    break;
                }
            }
            sender.join().unwrap();
            prop_assert_eq!(task as usize, lengths.len());
        }

        /// Arbitrary bytes give a frame, no frame, or an error, and take no more memory than came.
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..5u8, length in any::<u32>()) {
            let (socket, mut writer) = UnixStream::pair().unwrap();
            let mut stream = length.to_ne_bytes().to_vec();
            stream.push(kind);
            stream.extend_from_slice(&bytes);
            writer.write_all(&stream).unwrap();
            drop(writer);
            let mut reader = FrameReader::default();
            while reader.fill(&socket, MsgFlags::empty()).unwrap() > 0 {
                match reader.next_frame() {
                    Ok(Some(frame)) => prop_assert!(frame.bytes.len() <= stream.len()),
                    Ok(None) => {}
                    Err(_) => break,
                }
            }
            prop_assert!(reader.bytes.capacity() <= 9 * CHUNK);
        }
    }

    #[test]
    fn a_header_that_promises_too_much_is_no_frame() {
        let mut bytes = frame(0, 0).bytes;
        bytes[..4].copy_from_slice(&(MAX_BODY as u32 + 1).to_ne_bytes());
        assert!(Header::read(&bytes[..HEADER]).unwrap_err().contains("body"));
    }
}
