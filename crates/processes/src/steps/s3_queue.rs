//! Step 3: a socket for each worker; the next item goes to an idle worker.
//!
//! The cost of an item is unknown beforehand, so no chunk is assigned in advance: a worker gets its
//! next item when its answer is there. The items have to travel now, so each worker's channel goes
//! both ways (a socket pair), and the parent has to listen to many channels (`poll`). A worker that
//! dies loses one item.
//!
//! The workers are forked one after the other, and a child has copies of all descriptors. Without
//! care, worker B holds the parent's end of worker A's socket. Worker A then sees no end of file
//! when the parent closes its end, so A waits for items, and the parent waits for A. Look for each
//! `drop` and the comment beside it.

use super::{Lack, flush, wait_for};
use kernel::{Executor, Message, Ran, RemotePanic, TaskError, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::unistd::{ForkResult, Pid, fork};
use serde::{Deserialize, Serialize};
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The promises that this step does not keep yet.
pub const LACKS: &[Lack] = &[
    Lack::PanicLocation,
    Lack::Replacement,
    Lack::KeptWorkers,
    Lack::SafeBesideThreads,
    Lack::DiesWithProgram,
    Lack::RightValues,
];

/// Forks one child per worker and hands out the items one by one.
#[derive(Clone, Copy, Debug)]
pub struct ForkQueue {
    workers: NonZeroUsize,
}

impl ForkQueue {
    /// An executor with this many children for each map. Each map forks its children; none is
    /// forked here.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self { workers }
    }
}

/// A child, the parent's end of its socket, and the item that the child has.
struct Worker {
    number: usize,
    child: Pid,
    socket: UnixStream,
    item: Option<usize>,
}

/// The worker's report why there is no answer.
#[derive(Serialize, Deserialize)]
enum ItemFailure {
    Panicked(RemotePanic),
    ArgumentUnreadable(String),
    AnswerUnwritable(String),
}

impl Executor for ForkQueue {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let mut answers: Vec<Option<Result<R, TaskError>>> = items.iter().map(|_| None).collect();
        let mut workers = Vec::new();
        for number in 0..self.workers.get().min(items.len()) {
            // A refused fork leaves one worker fewer. If no worker is left, the code below gives an
            // error.
            let _ = start(task, number, &mut workers);
        }
        // ANCHOR: queue
        let mut queue = items.into_iter().enumerate();
        loop {
            for worker in workers.iter_mut().filter(|worker| worker.item.is_none()) {
                while worker.item.is_none() {
                    let Some((index, item)) = queue.next() else { break };
                    match postcard::to_allocvec(&item) {
                        Ok(bytes) => {
                            worker.item = Some(index);
                            // A dead worker does not take the item; `poll` will report the death.
                            let _ = send(&mut worker.socket, &bytes);
                        }
                        Err(error) => {
                            let kind = TaskErrorKind::NotSerialised(error.to_string());
                            answers[index] = Some(Err(TaskError::new(index, Ran::No, kind)));
                        }
                    }
                }
            }
            if workers.iter().all(|worker| worker.item.is_none()) {
                break; // no item is left, or no worker
            }
            // Go from the last worker to the first: a removal then moves no worker that is still to
            // come.
            for at in with_news(&workers).into_iter().rev() {
                let Some(index) = workers[at].item.take() else { continue };
                answers[index] = Some(match receive(&mut workers[at].socket) {
                    Ok(bytes) => read_reply(index, &bytes),
                    // The end of file came in place of an answer, or in the middle of an answer.
                    Err(_) => {
                        let worker = workers.swap_remove(at);
                        let death =
                            TaskErrorKind::WorkerDied(wait_for(worker.number, worker.child));
                        Err(TaskError::new(index, Ran::Unknown, death))
                    }
                });
            }
        }
        // ANCHOR_END: queue
        for worker in workers {
            // The end of file tells the child that the work is over.
            drop(worker.socket);
            wait_for(worker.number, worker.child);
        }
        let nobody = |index| {
            let why = "no worker is left".to_owned();
            Err(TaskError::new(index, Ran::No, TaskErrorKind::Broken(why)))
        };
        let answers = answers.into_iter().enumerate();
        answers.map(|(index, answer)| answer.unwrap_or_else(|| nobody(index))).collect()
    }

    fn workers(&self) -> NonZeroUsize {
        self.workers
    }
}

/// Waits until at least one busy worker has sent something or died. Returns the places of these
/// workers.
// ANCHOR: poll
fn with_news(workers: &[Worker]) -> Vec<usize> {
    let busy: Vec<usize> = (0..workers.len()).filter(|&at| workers[at].item.is_some()).collect();
    let mut sockets = Vec::new();
    for &at in &busy {
        sockets.push(PollFd::new(workers[at].socket.as_fd(), PollFlags::POLLIN));
    }
    // A signal interrupts the wait: wait again.
    while poll(&mut sockets, PollTimeout::NONE) == Err(Errno::EINTR) {}
    let news = busy.into_iter().zip(sockets).filter(|(_, socket)| socket.any() == Some(true));
    news.map(|(at, _)| at).collect()
}
// ANCHOR_END: poll

// ANCHOR: fork
fn start<A: Message, R: Message>(
    task: fn(A) -> R,
    number: usize,
    workers: &mut Vec<Worker>,
) -> io::Result<()> {
    let (ours, theirs) = UnixStream::pair()?;
    // Text that waits in the buffer of standard output would be copied too, and printed twice.
    flush()?;
    // SAFETY: with one thread, the child is a plain copy that may do anything. With other threads
    // this fork is not safe: the child may find a lock held for ever (`Lack::SafeBesideThreads`).
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            // Otherwise the parent would keep the child's end open, and see no end of file when the
            // child dies.
            drop(theirs);
            workers.push(Worker { number, child, socket: ours, item: None });
            Ok(())
        }
        ForkResult::Child => {
            // Otherwise this child would keep the parent's ends open, and neither this child nor
            // the older children would see an end of file when the parent closes them.
            drop(ours);
            workers.clear();
            // No panic may unwind out of here: the child would go on running a second copy of the
            // caller.
            let done = catch_unwind(AssertUnwindSafe(|| serve(task, theirs)));
            // SAFETY: `_exit` ends the process without running destructors and exit handlers. The
            // child has copies of them, but they belong to the parent.
            unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
        }
    }
}
// ANCHOR_END: fork

/// The child's main loop: an item, an answer, until the socket is closed.
// ANCHOR: serve
fn serve<A: Message, R: Message>(task: fn(A) -> R, mut socket: UnixStream) {
    while let Ok(bytes) = receive(&mut socket) {
        let reply = match postcard::from_bytes(&bytes) {
            Ok(item) => catch_unwind(AssertUnwindSafe(|| task(item)))
                .map_err(|payload| ItemFailure::Panicked(RemotePanic::from_payload(&*payload))),
            Err(error) => Err(ItemFailure::ArgumentUnreadable(error.to_string())),
        };
        let bytes = postcard::to_allocvec(&reply).unwrap_or_else(|error| {
            let failure: Result<R, _> = Err(ItemFailure::AnswerUnwritable(error.to_string()));
            postcard::to_allocvec(&failure).expect("text serialises")
        });
        let _ = flush();
        if send(&mut socket, &bytes).is_err() {
            break; // the parent is gone
        }
    }
}
// ANCHOR_END: serve

fn read_reply<R: Message>(index: usize, bytes: &[u8]) -> Result<R, TaskError> {
    let (ran, kind) = match postcard::from_bytes(bytes) {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(ItemFailure::Panicked(panic))) => (Ran::Yes, TaskErrorKind::Panicked(panic)),
        Ok(Err(ItemFailure::ArgumentUnreadable(why))) => {
            (Ran::No, TaskErrorKind::NotDeserialised(why))
        }
        Ok(Err(ItemFailure::AnswerUnwritable(why))) => {
            (Ran::Yes, TaskErrorKind::NotSerialised(why))
        }
        Err(error) => (Ran::Yes, TaskErrorKind::NotDeserialised(error.to_string())),
    };
    Err(TaskError::new(index, ran, kind))
}

/// A stream has no messages, only bytes, so each message is preceded by its length.
// ANCHOR: frames
fn send(socket: &mut UnixStream, body: &[u8]) -> io::Result<()> {
    socket.write_all(&(body.len() as u64).to_le_bytes())?;
    socket.write_all(body)
}

fn receive(socket: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    socket.read_exact(&mut length)?;
    // The buffer grows with the bytes that come. To reserve the whole length at once could ask for
    // more memory than there is, if the length is false.
    let (length, mut body) = (u64::from_le_bytes(length), Vec::new());
    if socket.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}
// ANCHOR_END: frames
