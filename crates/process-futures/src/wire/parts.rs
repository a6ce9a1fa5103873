//! Several values in one body, each by itself: a value that cannot be written or read costs no other.
//!
//! Each part is its length (four bytes) and its bytes. A part that holds an item's outcome begins
//! with a byte that says what the rest is.

use crate::wire::packet::{HEADER, MAX_BODY};
use fork_server::TaskFailure;
use fork_server::codec::{self, caught, read_message};
use kernel::{Message, Ran, TaskErrorKind};
use serde::Serialize;

/// The parts of a body that is being written.
#[derive(Debug)]
pub struct Parts {
    packet: Vec<u8>,
    /// The buffer in which each part is written, before it is known that it can be.
    part: Vec<u8>,
    /// Whether an outcome had no room. Then no later one is added: it would take the other's place.
    full: bool,
}

/// What a part is, where it is an outcome.
const ANSWER: u8 = 0;
const FAILURE: u8 = 1;

impl Parts {
    /// No parts yet, in a buffer that has room for a packet's header and nothing else.
    pub fn new(packet: Vec<u8>) -> Self {
        Self { packet, part: Vec::new(), full: false }
    }

    /// Adds a value. The error is text: then nothing is added.
    ///
    /// # Panics
    /// If the value's `Serialize` panics; nothing is added then, too.
    pub fn push<T: Serialize>(&mut self, value: &T) -> Result<(), String> {
        self.add(&[], value)
    }

    /// Adds an item's outcome. An answer that cannot be written becomes its item's failure.
    pub fn push_outcome<R: Message>(&mut self, outcome: Result<R, TaskFailure>) {
        if self.full {
            return;
        }
        let start = self.packet.len();
        let not_written = |why| (Ran::Yes, TaskErrorKind::NotSerialised(why));
        let written = outcome.and_then(|answer| {
            let write = || {
                self.add(&[ANSWER], &answer)?;
                drop(answer); // here, where a panic of its destructor is caught
                Ok(())
            };
            caught("Serialize", write).map_err(not_written)
        });
        if let Err(failure) = written {
            self.packet.truncate(start);
            // If there is no room even for this, the outcome is missing, and the reader sees it.
            self.full = self.add(&[FAILURE], &failure).is_err();
        }
    }

    fn add<T: Serialize>(&mut self, kind: &[u8], value: &T) -> Result<(), String> {
        let taken = self.packet.len() - HEADER + size_of::<u32>() + kind.len();
        let mut part = std::mem::take(&mut self.part);
        part.clear();
        self.part = codec::write(value, part, MAX_BODY.saturating_sub(taken))?;
        if taken + self.part.len() > MAX_BODY {
            return Err(format!("over the limit of {MAX_BODY} bytes for one frame"));
        }
        let length = (kind.len() + self.part.len()) as u32; // the limit fits
        self.packet.extend(length.to_le_bytes());
        self.packet.extend(kind);
        self.packet.extend(&self.part);
        Ok(())
    }

    /// The packet's bytes, with all parts.
    pub fn finish(self) -> Vec<u8> {
        self.packet
    }
}

/// The parts of this packet, in order. They end early if the rest is not a part.
pub fn parts(packet: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = &packet[HEADER..];
    std::iter::from_fn(move || {
        let (length, behind) = rest.split_first_chunk()?;
        let (part, others) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
        rest = others;
        Some(part)
    })
}

/// Reads an outcome: see [`Parts::push_outcome`].
pub fn read_outcome<R: Message>(part: &[u8]) -> Result<R, TaskFailure> {
    let unreadable = |ran| move |why| (ran, TaskErrorKind::NotDeserialised(why));
    match part {
        [ANSWER, answer @ ..] => {
            caught("Deserialize", || read_message(answer)).map_err(unreadable(Ran::Yes))
        }
        [_, failure @ ..] => Err(codec::read(failure).unwrap_or_else(unreadable(Ran::Unknown))),
        [] => Err(unreadable(Ran::Unknown)("an empty part".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::packet::cleared;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn outcomes_come_back(texts in prop::collection::vec(any::<Option<String>>(), 0..20)) {
            let outcome = |text: Option<String>| text.ok_or((Ran::Yes, TaskErrorKind::Cancelled));
            let mut written = Parts::new(cleared(Vec::new()));
            texts.iter().for_each(|text| written.push_outcome(outcome(text.clone())));
            let packet = written.finish();
            let read: Vec<_> = parts(&packet).map(|part| read_outcome::<String>(part).ok()).collect();
            prop_assert_eq!(read, texts);
        }

        #[test]
        fn any_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let packet = [cleared(Vec::new()), bytes].concat();
            parts(&packet).for_each(|part| _ = read_outcome::<(u64, String)>(part));
        }
    }
}
