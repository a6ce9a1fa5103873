//! Step 1: a child process for each item; its answer comes back through a pipe.
//!
//! `fork` copies the process, so the item and the function are in the child already: nothing has
//! to be sent there. The answer is in the child's memory, which nobody else can see: it has to be
//! written down, sent, and read again. That asymmetry is the whole of process programming.
//!
//! One child is one item, so a child that dies takes nothing with it. What the step lacks is in
//! [`LACKS`], and first of all thrift: an item costs a fork.

use super::{Lack, wait_for};
use kernel::{Death, Executor, Message, Ran, TaskError, TaskErrorKind};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{self, PipeReader, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What this step cannot do yet.
pub const LACKS: &[Lack] = &[
    Lack::CheapItems,
    Lack::IdleTakesNext,
    Lack::PanicMessage,
    Lack::PanicLocation,
    Lack::NotSerialised,
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
    /// This many children at a time. Nothing is started yet.
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
            // First all forks, then all answers: in between, the children run side by side.
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
    // What waits in the buffer of standard output would be copied too, and printed twice.
    io::stdout().flush()?;
    // SAFETY: nothing, if the program has other threads: the child may find a lock taken for ever
    // (`Lack::SafeBesideThreads`). With one thread the child is a plain copy that may do anything.
    match unsafe { fork() }? {
        // Our copy of the writer is dropped here. As long as we held it, no end of file would come.
        ForkResult::Parent { child } => Ok((child, reader)),
        ForkResult::Child => {
            drop(reader);
            // Nothing may unwind out of here: it would run on in a second copy of the caller.
            let done = catch_unwind(AssertUnwindSafe(|| {
                // `Some` takes a byte, so that no answer at all differs from an answer without bytes.
                let bytes = postcard::to_allocvec(&Some(task(item))).expect("serialises");
                writer.write_all(&bytes).and_then(|()| io::stdout().flush())
            }));
            let status = if matches!(done, Ok(Ok(()))) { 0 } else { 101 };
            // SAFETY: `_exit` ends the process without the destructors and exit handlers that the
            // child has copies of and that belong to the parent.
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
    // To the end of the file first, then the wait: a child with a long answer cannot end before
    // somebody reads it.
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
