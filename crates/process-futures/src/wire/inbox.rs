//! The receiving side of a socket: bytes and descriptors in, packets out.

use crate::wire::packet::{Packet, PacketHeader};
use fork_server::large;
use fork_server::wire::{MAX_DESCRIPTORS, receive};
use nix::sys::socket::MsgFlags;
use std::collections::VecDeque;
use std::os::fd::{AsFd, OwnedFd};

/// How many bytes are received at once: many small frames come with one system call. A frame over
/// this size is *large*, and has the buffer for itself.
const CHUNK: usize = 64 * 1024;

/// How far a large frame's buffer grows ahead of what has arrived. The kernel holds about this much
/// of a stream, so more would not be filled by one call.
const STEP: usize = 256 * 1024;

/// Bytes and descriptors that have arrived and are not yet taken. One thread owns an inbox, so no
/// lock guards the fields: in the pool the thread that has the core, in a worker its only thread.
#[derive(Debug, Default)]
pub struct Inbox {
    /// The buffer, filled from `start` to `end`. Beyond `end` lie zeros or old bytes, to be
    /// overwritten.
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Descriptors that have arrived, in the frames' order. A frame's descriptors arrive with its
    /// first byte, or at least before its last.
    descriptors: VecDeque<OwnedFd>,
}

impl Inbox {
    /// Receives once. Returns the number of bytes; zero is the end of the stream.
    ///
    /// The buffer grows with what arrives and never by a header's word alone: a header that lies
    /// about its length costs the side that believes it [`STEP`] bytes, and not a gigabyte.
    pub fn fill(&mut self, socket: impl AsFd, flags: MsgFlags) -> nix::Result<usize> {
        if self.start > 0 {
            // The remaining bytes are part of one small frame: all frames before it have been
            // taken.
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        let frame = self.header().ok().flatten().map_or(0, |header| header.frame());
        // Receive a large frame exactly to its end, so that the buffer can be given away as the
        // frame.
        let room = if frame > CHUNK { frame.min(self.end + STEP) } else { CHUNK.max(self.end) };
        if self.bytes.len() < room {
            // Reserve eight times what has come, so that little is copied on the way, but no more
            // than the frame. Reserved memory that is not yet touched takes only addresses.
            let more = frame.min(8 * room).max(room) - self.bytes.len();
            large::reserve(&mut self.bytes, more);
            self.bytes.resize(room, 0);
        }
        let room = &mut self.bytes[self.end..room];
        let received = receive(socket, room, &mut self.descriptors, flags)?;
        self.end += received;
        Ok(received)
    }

    /// Whether a large frame has begun in a buffer that is too small for it.
    pub fn wants_more(&self) -> bool {
        let length = self.header().ok().flatten().map_or(0, |header| header.frame());
        length > CHUNK.max(self.bytes.len())
    }

    /// Goes on in a buffer that is not needed elsewhere any more, if that buffer is larger. The
    /// buffer's memory is in use already, and for a large frame fresh memory costs more than
    /// receiving.
    pub fn use_buffer(&mut self, mut buffer: Vec<u8>) {
        if buffer.len() > self.bytes.len().max(CHUNK) {
            let unread = self.start..self.end;
            (self.start, self.end) = (0, unread.len());
            buffer[..unread.len()].copy_from_slice(&self.bytes[unread]);
            self.bytes = buffer;
        }
    }

    /// The next frame, if it is there to its last byte.
    ///
    /// # Errors
    /// What is wrong, as text, if the bytes are no frame. Nothing after such bytes can be trusted.
    pub fn take(&mut self) -> Result<Option<Packet>, String> {
        let header = self.header()?;
        let Some(header) = header.filter(|header| self.end - self.start >= header.frame()) else {
            // These descriptors belong to a frame that is on its way. Limit their number, or a
            // worker could send descriptors without an end.
            let too_many = self.descriptors.len() > MAX_DESCRIPTORS;
            return if too_many { Err("too many descriptors".to_owned()) } else { Ok(None) };
        };
        let length = header.frame();
        if self.descriptors.len() < header.descriptors.into() {
            return Err("descriptors of a frame are lost".to_owned());
        }
        let descriptors = self.descriptors.drain(..usize::from(header.descriptors)).collect();
        let (start, end) = (self.start, self.start + length);
        let bytes = if length > CHUNK {
            // A large frame is not copied: its buffer becomes the frame.
            debug_assert!(start == 0 && self.end == end);
            self.end = 0;
            self.bytes.truncate(end);
            std::mem::take(&mut self.bytes)
        } else {
            self.start = end;
            let bytes = self.bytes[start..end].to_vec();
            if self.bytes.len() > CHUNK {
                // The buffer of a large frame is kept for the next large frame, until a small frame
                // comes.
                self.bytes.truncate(self.end);
                self.bytes.shrink_to(CHUNK);
            }
            bytes
        };
        Ok(Some(Packet { header, bytes, descriptors }))
    }

    /// The header of the next frame, if it is there.
    fn header(&self) -> Result<Option<PacketHeader>, String> {
        match self.bytes[self.start..self.end].first_chunk() {
            Some(bytes) => PacketHeader::read(bytes).map(Some),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::packet::{MAX_BODY, PacketKind, body};
    use kernel::Bytes;
    use proptest::prelude::*;
    use std::io::Write;
    use std::os::unix::net::UnixStream;

    fn frame(task: u64, length: usize) -> Packet {
        let bytes = body(&Bytes::from(vec![task as u8; length]), Vec::new()).unwrap();
        Packet::new(PacketKind::Call, task, [task + 1, task + 2], bytes)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// However the bytes are split on their way, the frames come out unchanged and in order.
        #[test]
        fn frames_come_through(
            lengths in prop::collection::vec(prop_oneof![0..300usize, 65_400..65_600usize, 0..700_000usize], 1..8),
            cut in 1..100_000usize,
            keep in any::<bool>(),
        ) {
            let (reader, mut writer) = UnixStream::pair().unwrap();
            let mut stream = Vec::new();
            for (task, &length) in lengths.iter().enumerate() {
                stream.extend_from_slice(&frame(task as u64, length).bytes);
            }
            let sender = std::thread::spawn(move || {
                stream.chunks(cut).for_each(|chunk| writer.write_all(chunk).unwrap());
            });
            let (mut inbox, mut task) = (Inbox::default(), 0);
            loop {
                while let Some(came) = inbox.take().unwrap() {
                    let sent = frame(task, lengths[task as usize]);
                    prop_assert!(came.bytes == sent.bytes && came.header == sent.header);
                    task += 1;
                    if keep {
                        inbox.use_buffer(came.bytes);
                    }
                }
                if inbox.fill(&reader, MsgFlags::empty()).unwrap() == 0 {
                    break;
                }
            }
            sender.join().unwrap();
            prop_assert_eq!(task as usize, lengths.len());
        }

        /// Arbitrary bytes give a frame, no frame, or an error, and take no more memory than came.
        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200), kind in 0..5u8, length in any::<u32>()) {
            let (reader, mut writer) = UnixStream::pair().unwrap();
            let mut stream = length.to_ne_bytes().to_vec();
            stream.push(kind);
            stream.extend_from_slice(&bytes);
            writer.write_all(&stream).unwrap();
            drop(writer);
            let mut inbox = Inbox::default();
            while inbox.fill(&reader, MsgFlags::empty()).unwrap() > 0 {
                match inbox.take() {
                    Ok(Some(frame)) => prop_assert!(frame.bytes.len() <= stream.len()),
                    Ok(None) => {}
                    Err(_) => break,
                }
            }
            // Only touched bytes take memory. Beyond them only addresses are reserved, and few of
            // these, too.
            prop_assert!(inbox.bytes.len() <= CHUNK + STEP);
            prop_assert!(inbox.bytes.capacity() <= 8 * (CHUNK + STEP));
        }
    }

    #[test]
    fn a_header_that_promises_too_much_is_no_frame() {
        let mut bytes = frame(0, 0).bytes;
        bytes[..4].copy_from_slice(&(MAX_BODY as u32 + 1).to_ne_bytes());
        assert!(PacketHeader::read(bytes.first_chunk().unwrap()).unwrap_err().contains("body"));
    }
}
