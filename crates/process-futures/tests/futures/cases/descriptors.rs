//! Descriptors beside frames, as a worker may send them behind the pool's back; and a system that
//! has no descriptors to give.

use super::*;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{self, Signal};
use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};
use nix::unistd::Pid;
use one_change_tests::own_process::inherited;
use std::fs::File;
use std::io::{IoSlice, Write};
use std::mem::ManuallyDrop;
use std::os::fd::{AsRawFd, FromRawFd, RawFd};

/// Sends an answer whose header says that descriptors travel with it.
fn answer_with(WithFiles { say, send, body, die }: WithFiles) -> u64 {
    let files: Vec<File> = (0..send).map(|_| File::open("/dev/null").unwrap()).collect();
    let whole = fork_server::codec::write(&7u64, Vec::new(), usize::MAX).unwrap();
    let mut bytes = header(body.unwrap_or(whole.len() as u32), ANSWER, say, 0);
    bytes.extend(whole);
    write_with(&bytes, &files);
    if die { end_here() } else { 8 }
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct WithFiles {
    say: u8,
    send: u8,
    /// The body's length, if it is not the answer's.
    body: Option<u32>,
    die: bool,
}

/// A worker dies half way through a frame, after its descriptors were sent: the pool closes the
/// descriptors.
pub fn a_frame_with_descriptors_half_way() {
    for send in [1, 2, 16] {
        let pool = pool(1);
        let item = WithFiles { say: send, send, body: Some(1000), die: true };
        let error = pool.submit(answer_with, item).result().unwrap_err();
        assert!(matches!(error.kind(), TaskErrorKind::WorkerDied(_)), "{error}");
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    }
}

/// The descriptors of a frame do not come, or more come than a frame may have. The pool closes the
/// descriptors that do come, as the case's footprint shows.
pub fn a_frame_without_its_descriptors() {
    for (say, send, why) in
        [(3, 2, "are lost"), (17, 17, "are lost"), (255, 20, "are lost"), (0, 1, "")]
    {
        let pool = pool(1);
        let item = WithFiles { say, send, body: None, die: true };
        match pool.submit(answer_with, item).result() {
            Ok(answer) => assert_eq!((answer, why), (7, "")),
            Err(error) => {
                assert!(error.to_string().contains(why) && !why.is_empty(), "{error}");
                assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
            }
        }
        assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    }
}

/// Descriptors come while this process may open no more files.
pub fn descriptors_that_nobody_can_take() {
    let pool = pool(1);
    let (before, filler) = leave_room_for(2);
    let item = WithFiles { say: 5, send: 5, body: None, die: false };
    let error = pool.submit(answer_with, item).result().unwrap_err();
    limit_files(before);
    assert!(error.to_string().contains("descriptors of a frame are lost"), "{error}");
    drop(filler);
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

/// A frame that does not end, with descriptors beside each of its bytes.
pub fn descriptors_without_an_end() {
    fn flood((): ()) -> u64 {
        write(&header(1_000, ANSWER, 0, 0));
        for _ in 0..900 {
            write_with(&[0], &[File::open("/dev/null").unwrap()]);
        }
        end_here()
    }
    let pool = pool(1);
    let error = pool.submit(flood, ()).result().unwrap_err();
    assert!(error.to_string().contains("too many descriptors"), "{error}");
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

/// A worker has had its last call, and there are no open files for the next one: waiting calls end,
/// in an answer if files can be opened again soon, else in an error.
pub fn none_for_a_successor() {
    for soon in [true, false] {
        let pool = builder(1).max_tasks_per_child(count(1)).build().unwrap();
        let server = Pid::from_raw(process_futures::ForkServer::start().unwrap().pid() as i32);
        let (before, filler) = leave_room_for(0);
        if soon {
            signal::kill(server, Signal::SIGSTOP).unwrap(); // so that no end is reported too early
        }
        let futures: Vec<_> = (0..3).map(|n| pool.submit(square, n)).collect();
        let mut outcomes = vec![futures[0].result()];
        if soon {
            limit_files(before);
            signal::kill(server, Signal::SIGCONT).unwrap();
        }
        outcomes.extend(futures[1..].iter().map(|future| future.result()));
        limit_files(before);
        drop(filler);
        assert!(outcomes[0].is_ok());
        for (n, outcome) in (0..).zip(outcomes) {
            match outcome {
                Ok(answer) => assert_eq!(answer, square(n)),
                Err(error) => {
                    assert!(!soon && error.ran() == kernel::Ran::No, "{error}");
                    assert!(matches!(error.kind(), TaskErrorKind::Broken(_)), "{error}");
                }
            }
        }
    }
}

/// Sets how many files this process may have open. Returns the old limit.
fn limit_files(count: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, count, hard).unwrap();
    soft
}

/// Lets this process open this many more files. The function first fills the gaps between the open
/// descriptors: the limit is on a descriptor's number, and without gaps it limits how many there
/// are.
fn leave_room_for(count: u64) -> (u64, Vec<File>) {
    let mut filler = vec![File::open("/dev/null").unwrap()];
    let highest = |filler: &[File]| filler.iter().map(number).max().unwrap();
    fn number(file: &File) -> u64 {
        file.as_raw_fd() as u64
    }
    let open = fs::read_dir("/proc/self/fd").unwrap().flatten();
    let top = open.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max();
    while highest(&filler) <= top.unwrap() {
        filler.push(File::open("/dev/null").unwrap());
    }
    let first = highest(&filler) + 1;
    (limit_files(first + count), filler)
}

fn end_here() -> ! {
    kill(process::id());
    loop {
        thread::sleep(Duration::from_secs(1000)); // the process is about to end
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

/// The header of an answer, as the table in `packet.rs` says.
pub fn header(length: u32, kind: u8, descriptors: u8, task: u64) -> Vec<u8> {
    let mut header = length.to_le_bytes().to_vec();
    header.extend([kind, descriptors]);
    header.extend(task.to_le_bytes());
    header.extend([0; 16]);
    header
}

/// The kind of a frame that is an answer.
pub const ANSWER: u8 = 1;
