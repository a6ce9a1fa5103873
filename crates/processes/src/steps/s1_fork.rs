//! Step 1: a child process for each item; its answer comes back through a pipe.
//!
//! `fork` copies the process, so the item and the function are in the child already: nothing has to
//! be sent to the child. The answer is in the child's memory, which no other process can see: the
//! answer has to be serialised, sent and read again. This asymmetry is the core of programming with
//! processes.
//!
//! Each child has one item, so a child that dies loses no other item. [`LACKS`] lists what the step
//! lacks. Above all, this step is expensive: each item costs a fork.

use super::{Lack, flush, wait_for};
use kernel::{Death, Executor, Message, Ran, TaskError, TaskErrorKind};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{self, PipeReader, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The promises that this step does not keep yet.
pub const LACKS: &[Lack] = &[
    Lack::CheapItems,
    Lack::IdleTakesNext,
    Lack::PanicMessage,
    Lack::PanicLocation,
    Lack::NotSerialised,
    Lack::RightValues,
    Lack::KeptWorkers,
    Lack::SafeBesideThreads,
    Lack::DiesWithProgram,
    Lack::NoInheritedDescriptors,
];

/// Forks one child per item, as many at a time as there are workers.
#[derive(Clone, Copy, Debug)]
pub struct ForkPerItem {
    workers: NonZeroUsize,
}

impl ForkPerItem {
    /// An executor with this many children at a time. Each call forks its children; none is forked
    /// here.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self { workers }
    }
}

impl Executor for ForkPerItem {
    // ANCHOR: map_each
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let mut items = items.into_iter();
        let mut answers = Vec::with_capacity(items.len());
        loop {
            // Make all forks first, then read all answers: in between, the children run side by
            // side.
            let batch = items.by_ref().take(self.workers.get());
            let children: Vec<_> = batch.map(|item| start(task, item)).collect();
            if children.is_empty() {
                return answers;
            }
            for (worker, child) in children.into_iter().enumerate() {
                let index = answers.len();
                answers.push(match child {
                    Ok((pid, pipe)) => answer(index, worker, pid, pipe),
                    Err(error) => {
                        let why = format!("no child: {error}");
                        Err(TaskError::new(index, Ran::No, TaskErrorKind::Broken(why)))
                    }
                });
            }
        }
    }
    // ANCHOR_END: map_each

    fn workers(&self) -> NonZeroUsize {
        self.workers
    }
}

// ANCHOR: fork
fn start<A, R: Message>(task: fn(A) -> R, item: A) -> io::Result<(Pid, PipeReader)> {
    let (reader, mut writer) = io::pipe()?;
    // Text that waits in the buffer of standard output would be copied too, and printed twice.
    flush()?;
    // SAFETY: with one thread, the child is a plain copy that may do anything. With other threads
    // this fork is not safe: the child may find a lock held for ever (`Lack::SafeBesideThreads`).
    match unsafe { fork() }? {
        // The parent's copy of the writer is dropped here. As long as the parent held it, no end of
        // file would come.
        ForkResult::Parent { child } => Ok((child, reader)),
        ForkResult::Child => {
            drop(reader);
            // No panic may unwind out of here: the child would go on running a second copy of the
            // caller.
            let done = catch_unwind(AssertUnwindSafe(|| {
                // `Some` takes a byte, so that no answer at all differs from an answer without bytes.
                let bytes = postcard::to_allocvec(&Some(task(item))).expect("serialises");
                writer.write_all(&bytes).and_then(|()| flush())
            }));
            let status = if matches!(done, Ok(Ok(()))) { 0 } else { 101 };
            // SAFETY: `_exit` ends the process without running destructors and exit handlers. The
            // child has copies of them, but they belong to the parent.
            unsafe { libc::_exit(status) }
        }
    }
}
// ANCHOR_END: fork

// ANCHOR: answer
fn answer<R: Message>(
    index: usize,
    worker: usize,
    child: Pid,
    mut pipe: PipeReader,
) -> Result<R, TaskError> {
    // Read to the end of the file first, then wait: a child with a long answer cannot end before
    // the parent reads the answer.
    let mut bytes = Vec::new();
    let read = pipe.read_to_end(&mut bytes);
    let end = wait_for(worker, child);
    if read.is_err() || bytes.is_empty() || !matches!(end, Death::Exited { status: 0, .. }) {
        return Err(TaskError::new(index, Ran::Unknown, TaskErrorKind::WorkerDied(end)));
    }
    let answer: Result<Option<R>, _> = postcard::from_bytes(&bytes);
    let problem = match answer {
        Ok(Some(answer)) => return Ok(answer),
        Ok(None) => "no answer".to_owned(),
        Err(error) => error.to_string(),
    };
    Err(TaskError::new(index, Ran::Yes, TaskErrorKind::NotDeserialised(problem)))
}
// ANCHOR_END: answer
