//! The pool of exercise 4 without its `start`: a shorter copy of step 3 of lesson 4.
//!
//! You need not change this file. Exercise, solution and wrong answers differ only in `start`.

use crate::start;
use kernel::{Death, Executor, Message, Ran, TaskError, TaskErrorKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::Pid;
use std::io::{self, Read, Write};
use std::num::NonZeroUsize;
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

/// Forks one child per worker and hands out the items one by one.
pub struct ForkQueue {
    /// The number of children.
    pub workers: NonZeroUsize,
}

/// A child, the parent's end of its socket, and the item that the child has.
pub struct Worker {
    pub number: usize,
    pub child: Pid,
    pub socket: UnixStream,
    pub item: Option<usize>,
}

/// The child's main loop: an item, an answer, until the socket is closed.
pub fn serve<A: Message, R: Message>(task: fn(A) -> R, mut socket: UnixStream) {
    while let Ok(bytes) = receive(&mut socket) {
        let item = postcard::from_bytes(&bytes).expect("the parent sends items");
        let answer = postcard::to_allocvec(&task(item)).expect("the answer serialises");
        if send(&mut socket, &answer).is_err() {
            break; // the parent is gone
        }
    }
}

impl Executor for ForkQueue {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let mut answers: Vec<Option<Result<R, TaskError>>> = items.iter().map(|_| None).collect();
        let count = self.workers.get().min(items.len());
        // If a worker cannot be started, there are no workers, and every item gets an error below.
        let mut workers = start(task, count).unwrap_or_default();
        let mut queue = items.into_iter().enumerate();
        loop {
            for worker in workers.iter_mut().filter(|worker| worker.item.is_none()) {
                let Some((index, item)) = queue.next() else { break };
                worker.item = Some(index);
                let bytes = postcard::to_allocvec(&item).expect("the item serialises");
                // A dead worker does not take the item; `poll` will report the death.
                let _ = send(&mut worker.socket, &bytes);
            }
            if workers.iter().all(|worker| worker.item.is_none()) {
                break; // no item is left, or no worker
            }
            // Go from the last worker to the first: a removal then moves no worker that is still to
            // come.
            for at in with_news(&workers).into_iter().rev() {
                let Some(index) = workers[at].item.take() else { continue };
                answers[index] = Some(match receive(&mut workers[at].socket) {
                    Ok(bytes) => Ok(postcard::from_bytes(&bytes).expect("the worker answers")),
                    // The end of file came in place of an answer, or in the middle of an answer.
                    Err(_) => {
                        let worker = workers.swap_remove(at);
                        let death = wait_for(worker.number, worker.child);
                        let kind = TaskErrorKind::WorkerDied(death);
                        Err(TaskError::new(index, Ran::Unknown, kind))
                    }
                });
            }
        }
        for worker in workers {
            // The end of file tells the child that the work is over.
            drop(worker.socket);
            wait_for(worker.number, worker.child);
        }
        let nobody = |index| {
            let kind = TaskErrorKind::Broken("no worker is left".to_owned());
            Err(TaskError::new(index, Ran::No, kind))
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

/// Waits for the child and returns how it ended.
fn wait_for(worker: usize, child: Pid) -> Death {
    let pid = child.as_raw() as u32;
    match waitpid(child, None) {
        Ok(WaitStatus::Exited(_, status)) => Death::Exited { worker, pid, status, why: None },
        Ok(WaitStatus::Signaled(_, signal, _)) => {
            let name = signal.as_str().to_owned();
            Death::Killed { worker, pid, signal: signal as i32, name, why: None }
        }
        _ => Death::Unknown { worker, pid: Some(pid) },
    }
}

/// A stream has no messages, only bytes, so each message is preceded by its length.
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
