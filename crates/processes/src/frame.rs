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
//! | 5 to 12 | the task's number |
//! | 13 to 28 | in a call: where the task is (two addresses) |
//!
//! The numbers have fixed sizes, unlike postcard's usual numbers, because the length is filled in
//! after the body is written.

use fork_server::wire::receive;
use nix::sys::socket::MsgFlags;
use postcard::Error::SerializeBufferFull;
use postcard::ser_flavors::Flavor;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::mem;
use std::os::fd::{AsFd, OwnedFd};

/// Length of the header, in bytes.
const HEADER: usize = 29;

/// The longest body, in bytes: 1 GiB. A longer length is a mistake or worse, and neither side
/// accepts it.
const MAX_BODY: usize = 1 << 30;

/// How many bytes are received at once, at least. Nearly every frame is shorter.
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
    /// What the frame is.
    pub kind: Kind,
    /// The task's number.
    #[serde(with = "postcard::fixint::le")]
    pub task: u64,
    #[serde(with = "postcard::fixint::le")]
    trampoline: u64,
    #[serde(with = "postcard::fixint::le")]
    function: u64,
}

impl Header {
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
            Ok(header) if header.frame() > HEADER + MAX_BODY => {
                Err(format!("a body of {} bytes", header.length))
            }
            header => header.map_err(|error| error.to_string()),
        }
    }
}

/// A header and its body.
#[derive(Debug)]
pub struct Frame {
    /// What the header says.
    pub header: Header,
    /// The header and the body in one piece: a body is written into the buffer from which it is
    /// sent.
    pub bytes: Vec<u8>,
}

impl Frame {
    /// A frame around what [`body`] wrote.
    pub fn new(kind: Kind, task: u64, address: [u64; 2], mut bytes: Vec<u8>) -> Self {
        let length = (bytes.len() - HEADER) as u32; // the limit fits
        let [trampoline, function] = address;
        let header = Header { length, kind, task, trampoline, function };
        header.write(&mut bytes);
        Self { header, bytes }
    }

    /// Gives the task another number.
    pub fn set_task(&mut self, task: u64) {
        self.header.task = task;
        self.header.write(&mut self.bytes);
    }
}

/// The body of this frame, as a value. The value must take up the whole body: bytes that are left
/// over mean that writer and reader use different types, and then the value is wrong. (Postcard
/// alone would accept it.) The error is text.
pub fn read_body<T: DeserializeOwned>(frame: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(&frame[HEADER..]) {
        Ok((value, [])) => Ok(value),
        Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// Serialises a value as a frame's body, with room for the header before it. The buffer's old
/// content is replaced. The error is text.
pub fn body<T: Serialize>(value: &T, mut buffer: Vec<u8>) -> Result<Vec<u8>, String> {
    buffer.clear();
    buffer.reserve(4 * HEADER); // one allocation serves most frames
    buffer.resize(HEADER, 0);
    postcard::serialize_with_flavor(value, Body(buffer)).map_err(|error| match error {
        SerializeBufferFull => format!("over the limit of {MAX_BODY} bytes for one frame"),
        error => error.to_string(),
    })
}

/// The output for postcard: a vector that does not grow over the limit.
struct Body(Vec<u8>);

impl Flavor for Body {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.0.len() - HEADER + bytes.len() > MAX_BODY {
            return Err(SerializeBufferFull);
        }
        self.0.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.0)
    }
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
    /// alone: a header with a false length costs the receiving side 64 KiB, and not a gigabyte.
    pub fn fill(&mut self, socket: impl AsFd, flags: MsgFlags) -> nix::Result<usize> {
        if self.bytes.len() - self.end < CHUNK {
            self.bytes.resize(self.end + self.end.max(CHUNK), 0);
        }
        // No descriptors are expected here. Descriptors that come all the same are closed again.
        let mut descriptors = Vec::<OwnedFd>::new();
        let received = receive(socket, &mut self.bytes[self.end..], &mut descriptors, flags)?;
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
            received[..length].to_vec()
        } else {
            // A large frame is not copied: its buffer becomes the frame.
            self.bytes.truncate(self.end);
            let rest = self.bytes.split_off(length);
            mem::replace(&mut self.bytes, rest)
        };
        if length < CHUNK {
            self.bytes.copy_within(length..self.end, 0);
        }
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
        let bytes = body(&Bytes::from(vec![task as u8; length]), Vec::new()).unwrap();
        Frame::new(Kind::Call, task, [task + 1, task + 2], bytes)
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
            prop_assert!(reader.bytes.capacity() <= 4 * CHUNK);
        }
    }

    #[test]
    fn a_header_that_promises_too_much_is_no_frame() {
        let mut bytes = frame(0, 0).bytes;
        bytes[..4].copy_from_slice(&(MAX_BODY as u32 + 1).to_ne_bytes());
        assert!(Header::read(&bytes[..HEADER]).unwrap_err().contains("body"));
    }
}
