//! The bare side: two processes and a pair of sockets, with blocking reads and writes, and nothing
//! else.
//!
//! The other process is this program, started again. The partner allocates nothing for small
//! frames, and one buffer for each block.

use crate::fresh;
use std::io::{self, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::str::FromStr;
use std::time::Instant;

/// How many frames are under way in a pipelined measurement.
const UNDER_WAY: usize = 16;

/// How many bytes a call and its answer have.
#[derive(Clone, Copy)]
pub struct Lengths {
    pub call: usize,
    pub answer: usize,
}

/// The near end of the pair; [`play`] is the far end.
pub struct Bare {
    socket: UnixStream,
    partner: Child,
    lengths: Lengths,
}

impl Bare {
    /// Starts the partner process.
    pub fn start(lengths: Lengths) -> io::Result<Self> {
        let (socket, theirs) = UnixStream::pair()?;
        let Lengths { call, answer } = lengths;
        let words = ["bare", &call.to_string(), &answer.to_string()];
        let partner = fresh::command(&words)?.stdin(OwnedFd::from(theirs)).spawn()?;
        Ok(Self { socket, partner, lengths })
    }

    /// One call there and its answer back, in seconds.
    pub fn trip(&mut self) -> io::Result<f64> {
        let (call, mut answer) = (vec![1; self.lengths.call], vec![0; self.lengths.answer]);
        let start = Instant::now();
        self.socket.write_all(&call)?;
        self.socket.read_exact(&mut answer)?;
        Ok(start.elapsed().as_secs_f64())
    }

    /// This many calls and answers, 16 under way, in seconds for each.
    pub fn pipelined(&mut self, count: usize) -> io::Result<f64> {
        let (call, mut answer) = (vec![1; self.lengths.call], vec![0; self.lengths.answer]);
        let start = Instant::now();
        for answered in 0..count + UNDER_WAY {
            if answered >= UNDER_WAY {
                self.socket.read_exact(&mut answer)?;
            }
            if answered < count {
                self.socket.write_all(&call)?;
            }
        }
        Ok(start.elapsed().as_secs_f64() / count as f64)
    }

    /// A block there and back, in seconds. Both processes allocate a buffer for what they receive.
    pub fn exchange(&mut self, block: &[u8]) -> io::Result<f64> {
        let start = Instant::now();
        // No frame is empty, so the block's length can stand in a frame's place.
        let mut head = vec![BLOCK; self.lengths.call];
        head[1..9].copy_from_slice(&block.len().to_ne_bytes());
        self.socket.write_all(&head)?;
        self.socket.write_all(block)?;
        // The kernel gives zeroed pages when they are first touched. Here that is when bytes
        // arrive, so nothing is written twice.
        let mut back = vec![0; block.len()];
        self.socket.read_exact(&mut back)?;
        let time = start.elapsed().as_secs_f64();
        assert!(back == block, "the partner sends back what it got");
        Ok(time)
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        let _ = self.socket.shutdown(std::net::Shutdown::Both);
        let _ = self.partner.wait();
    }
}

/// The first byte of a frame that announces a block. Other frames begin with a 1.
const BLOCK: u8 = 2;

/// The partner process: its socket is its standard input. The partner ends when the other end is
/// closed.
pub fn play(lengths: &[String]) -> io::Result<()> {
    let lengths: Vec<_> = lengths.iter().filter_map(|word| usize::from_str(word).ok()).collect();
    let [call, answer] = lengths[..] else { return Err(io::ErrorKind::InvalidInput.into()) };
    let mut socket = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let (mut call, answer) = (vec![0; call], vec![0; answer]);
    loop {
        socket.read_exact(&mut call)?;
        if call[0] == BLOCK {
            let length = call[1..9].try_into().expect("eight bytes");
            let mut block = vec![0; usize::from_ne_bytes(length)];
            socket.read_exact(&mut block)?;
            socket.write_all(&block)?;
        } else {
            socket.write_all(&answer)?;
        }
    }
}
