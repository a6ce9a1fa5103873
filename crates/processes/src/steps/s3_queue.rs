//! Step 3: a socket for each worker; the next item goes to an idle worker.
//!
//! Nobody knows beforehand what an item costs, so nobody deals: a worker gets its next item when
//! its answer is there. The items have to travel now, so the connection goes both ways (a socket pair),
//! and one process has to listen to many (`poll`). A worker that dies takes one item with it.
//!
//! The workers are forked one after the other, and a child has copies of all descriptors: without
//! care worker B holds the parent's end of worker A's socket. Then A sees no end of file when the
//! parent closes its end, waits on, and the parent waits for A. Look for `drop` and for what
//! stands beside each.

use super::{Lack, wait_for};
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

/// What this step cannot do yet.
pub const LACKS: &[Lack] = &[
    Lack::PanicLocation,
    Lack::Replacement,
    Lack::KeptWorkers,
    Lack::SafeBesideThreads,
    Lack::DiesWithProgram,
];

/// Forks one child per worker and hands out the items one by one.
#[derive(Clone, Copy, Debug)]
pub struct ForkQueue {
    workers: NonZeroUsize,
}

impl ForkQueue {
    /// This many children for each map. Nothing is started yet.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self { workers }
    }
}

/// A child, the parent's end of its socket, and the item in its hands.
struct Worker {
    number: usize,
    child: Pid,
    socket: UnixStream,
    item: Option<usize>,
}

/// Why there is no answer, as the worker tells it.
#[derive(Serialize, Deserialize)]
enum Failure {
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
            // A fork that is refused leaves fewer workers, and no workers is an error below.
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
                            // A worker that has died does not take it; `poll` will tell.
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
                break; // nothing is left to hand out, or nobody to hand it to
            }
            // From the last to the first, so that a removal moves no worker that is still to come.
            for at in with_news(&workers).into_iter().rev() {
                let Some(index) = workers[at].item.take() else { continue };
                answers[index] = Some(match receive(&mut workers[at].socket) {
                    Ok(bytes) => read_reply(index, &bytes),
                    // End of file in place of an answer, or in the middle of one.
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
            // End of file is how the child learns that the work is over.
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

/// Waits until a busy worker or more have sent something or died, and says which, by their places.
// ANCHOR: poll
fn with_news(workers: &[Worker]) -> Vec<usize> {
    let busy: Vec<usize> = (0..workers.len()).filter(|&at| workers[at].item.is_some()).collect();
    let mut sockets = Vec::new();
    for &at in &busy {
        sockets.push(PollFd::new(workers[at].socket.as_fd(), PollFlags::POLLIN));
    }
    // A signal interrupts the wait, and means nothing here.
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
    // What waits in the buffer of standard output would be copied too, and printed twice.
    io::stdout().flush()?;
    // SAFETY: nothing, if the program has other threads: the child may find a lock taken for ever
    // (`Lack::SafeBesideThreads`). With one thread the child is a plain copy that may do anything.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            // Or the child's death would be no end of file: its end would be open here.
            drop(theirs);
            workers.push(Worker { number, child, socket: ours, item: None });
            Ok(())
        }
        ForkResult::Child => {
            // Or the parent's going would be no end of file to this child, nor to the older ones.
            drop(ours);
            workers.clear();
            // Nothing may unwind out of here: it would run on in a second copy of the caller.
            let done = catch_unwind(AssertUnwindSafe(|| serve(task, theirs)));
            // SAFETY: `_exit` ends the process without the destructors and exit handlers that the
            // child has copies of and that belong to the parent.
            unsafe { libc::_exit(if done.is_ok() { 0 } else { 101 }) }
        }
    }
}
// ANCHOR_END: fork

/// The child's life: an item, an answer, until the socket is closed.
// ANCHOR: serve
fn serve<A: Message, R: Message>(task: fn(A) -> R, mut socket: UnixStream) {
    while let Ok(bytes) = receive(&mut socket) {
        let reply = match postcard::from_bytes(&bytes) {
            Ok(item) => catch_unwind(AssertUnwindSafe(|| task(item)))
                .map_err(|payload| Failure::Panicked(RemotePanic::from_payload(&*payload))),
            Err(error) => Err(Failure::ArgumentUnreadable(error.to_string())),
        };
        let bytes = postcard::to_allocvec(&reply).unwrap_or_else(|error| {
            let failure: Result<R, _> = Err(Failure::AnswerUnwritable(error.to_string()));
            postcard::to_allocvec(&failure).expect("text serialises")
        });
        let _ = io::stdout().flush();
        if send(&mut socket, &bytes).is_err() {
            break; // the parent is gone
        }
    }
}
// ANCHOR_END: serve

fn read_reply<R: Message>(index: usize, bytes: &[u8]) -> Result<R, TaskError> {
    let (ran, kind) = match postcard::from_bytes(bytes) {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(Failure::Panicked(panic))) => (Ran::Yes, TaskErrorKind::Panicked(panic)),
        Ok(Err(Failure::ArgumentUnreadable(why))) => (Ran::No, TaskErrorKind::NotDeserialised(why)),
        Ok(Err(Failure::AnswerUnwritable(why))) => (Ran::Yes, TaskErrorKind::NotSerialised(why)),
        Err(error) => (Ran::Yes, TaskErrorKind::NotDeserialised(error.to_string())),
    };
    Err(TaskError::new(index, ran, kind))
}

/// A stream has no messages, only bytes: each message is preceded by its length.
// ANCHOR: frames
fn send(socket: &mut UnixStream, body: &[u8]) -> io::Result<()> {
    socket.write_all(&(body.len() as u64).to_le_bytes())?;
    socket.write_all(body)
}

fn receive(socket: &mut UnixStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 8];
    socket.read_exact(&mut length)?;
    // The buffer grows with what comes. A length that lies asks for memory that nobody has.
    let (length, mut body) = (u64::from_le_bytes(length), Vec::new());
    if socket.take(length).read_to_end(&mut body)? as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(body)
}
// ANCHOR_END: frames
