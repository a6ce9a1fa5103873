//! What a task can do behind the worker's back: write to the worker's socket, and end the worker in
//! the middle of an answer.

use one_change_tests::own_process::inherited;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{IoSlice, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};
use std::{hint, process, ptr, thread, time::Duration};

use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::getpid;

/// How a worker ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Way {
    Panic,
    ExitZero,
    ExitThree,
    Abort,
    InvalidWrite,
    Sigkill,
}

impl Way {
    pub const ALL: [Self; 6] = [
        Self::Panic,
        Self::ExitZero,
        Self::ExitThree,
        Self::Abort,
        Self::InvalidWrite,
        Self::Sigkill,
    ];

    /// Ends this process.
    pub fn go(self) -> ! {
        match self {
            Self::Panic => panic!("as it was asked to"),
            Self::ExitZero => process::exit(0),
            Self::ExitThree => process::exit(3),
            Self::Abort => process::abort(),
            Self::InvalidWrite => {
                // SAFETY: none. The write is invalid on purpose: the process ends here, by the
                // hardware's signal. (Rust's handler would return from a signal that is sent.)
                unsafe { ptr::write_volatile(hint::black_box(8 as *mut u8), 1) }
            }
            Self::Sigkill => kill(getpid(), SIGKILL).unwrap(),
        }
        loop {
            thread::sleep(Duration::from_secs(1000)); // the process is about to end
        }
    }
}

/// This worker's end of its socket, found in `/proc`.
fn own_socket() -> RawFd {
    let is_it = |number: &RawFd| {
        let target = fs::read_link(format!("/proc/self/fd/{number}"));
        let target = target.map_or(String::new(), |target| target.display().to_string());
        target.starts_with("socket:") && !inherited().contains(&target)
    };
    let numbers = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let mut sockets = numbers.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    sockets.find(is_it).expect("a worker has a socket")
}

/// Writes to this worker's socket, and waits until the kernel has accepted all bytes.
pub fn write(bytes: &[u8]) {
    // SAFETY: the number is that of an open descriptor, and it is not closed here.
    let socket = unsafe { File::from_raw_fd(own_socket()) };
    ManuallyDrop::new(socket).write_all(bytes).expect("the program listens");
}

/// Writes the bytes with these descriptors beside them, which must fit in one system call.
pub fn write_with(bytes: &[u8], descriptors: &[File]) {
    let numbers: Vec<RawFd> = descriptors.iter().map(AsRawFd::as_raw_fd).collect();
    let rights = [ControlMessage::ScmRights(&numbers)];
    let part = [IoSlice::new(bytes)];
    let sent = sendmsg::<()>(own_socket(), &part, &rights, MsgFlags::empty(), None);
    assert_eq!(sent, Ok(bytes.len()));
}

/// The header of an answer, as the table in `frame.rs` says.
pub fn header(length: u32, kind: u8, task: u64) -> Vec<u8> {
    let mut header = length.to_le_bytes().to_vec();
    header.extend([kind, 0]);
    header.extend(task.to_le_bytes());
    header.extend([0; 16]);
    header
}

/// A whole frame: an answer to the task with this number.
pub fn answer(value: &impl Serialize, task: u64) -> Vec<u8> {
    let body = fork_server::codec::write(value, Vec::new(), usize::MAX).unwrap();
    [header(body.len() as u32, ANSWER, task), body].concat()
}

/// The kind of a frame that is an answer.
pub const ANSWER: u8 = 1;
