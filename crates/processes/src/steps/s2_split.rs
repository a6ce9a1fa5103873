//! Step 2: a child for each worker, a chunk of the items for each child.
//!
//! Unlike step 1, this step forks once for each worker and not once for each item. The price is the
//! chunk: it is assigned before the cost of its items is known, and its items share one fate. The
//! child sends its answers when it has all of them, so a panic or a death loses the whole chunk.

use super::{Lack, flush, wait_for};
use kernel::{Death, Executor, Message, Ran, TaskError, TaskErrorKind};
use nix::unistd::{ForkResult, Pid, fork};
use std::io::{self, PipeReader, Read, Write};
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// The promises that this step does not keep yet.
pub const LACKS: &[Lack] = &[
    Lack::IdleTakesNext,
    Lack::PanicCostsOneItem,
    Lack::DeathCostsOneItem,
    Lack::PanicMessage,
    Lack::PanicLocation,
    Lack::NotSerialised,
    Lack::RightValues,
    Lack::KeptWorkers,
    Lack::SafeBesideThreads,
    Lack::DiesWithProgram,
    Lack::NoInheritedDescriptors,
];

/// Forks one child per worker and gives each a contiguous chunk of the items.
#[derive(Clone, Copy, Debug)]
pub struct ForkSplit {
    workers: NonZeroUsize,
}

impl ForkSplit {
    /// An executor with this many children for each map. Each map forks its children; none is
    /// forked here.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self { workers }
    }
}

impl Executor for ForkSplit {
    // ANCHOR: map_each
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let (count, workers) = (items.len(), self.workers.get());
        let mut items = items.into_iter();
        // The chunks' sizes differ by one at most. No child is forked for an empty chunk.
        let sizes =
            (0..workers.min(count)).map(|w| count / workers + usize::from(w < count % workers));
        let children: Vec<_> =
            sizes.map(|size| (size, start(task, items.by_ref().take(size).collect()))).collect();
        let mut answers = Vec::with_capacity(count);
        for (worker, (size, child)) in children.into_iter().enumerate() {
            let first = answers.len();
            let chunk = child
                .map_err(|error| (Ran::No, TaskErrorKind::Broken(format!("no child: {error}"))))
                .and_then(|(pid, pipe)| gather(worker, size, pid, pipe));
            match chunk {
                Ok(chunk) => answers.extend(chunk.into_iter().map(Ok)),
                // One fault gives every item of the chunk an error.
                Err((ran, kind)) => answers.extend(
                    (first..first + size)
                        .map(|index| Err(TaskError::new(index, ran, kind.clone()))),
                ),
            }
        }
        answers
    }
    // ANCHOR_END: map_each

    fn workers(&self) -> NonZeroUsize {
        self.workers
    }
}

// ANCHOR: fork
fn start<A, R: Message>(task: fn(A) -> R, chunk: Vec<A>) -> io::Result<(Pid, PipeReader)> {
    let (reader, mut writer) = io::pipe()?;
    // Text that waits in the buffer of standard output would be copied too, and printed twice.
    flush()?;
    // SAFETY: with one thread, the child is a plain copy that may do anything. With other threads
    // this fork is not safe: the child may find a lock held for ever (`Lack::SafeBesideThreads`).
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok((child, reader)),
        ForkResult::Child => {
            drop(reader);
            // No panic may unwind out of here: the child would go on running a second copy of the
            // caller.
            let done = catch_unwind(AssertUnwindSafe(|| {
                let answers: Vec<R> = chunk.into_iter().map(task).collect();
                let bytes = postcard::to_allocvec(&answers).expect("serialises");
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

// ANCHOR: gather
fn gather<R: Message>(
    worker: usize,
    size: usize,
    child: Pid,
    mut pipe: PipeReader,
) -> Result<Vec<R>, (Ran, TaskErrorKind)> {
    // Read to the end of the file first, then wait: a child with long answers cannot end before the
    // parent reads them. Meanwhile the other children work until their pipes are full.
    let mut bytes = Vec::new();
    let read = pipe.read_to_end(&mut bytes);
    let end = wait_for(worker, child);
    if read.is_err() || bytes.is_empty() || !matches!(end, Death::Exited { status: 0, .. }) {
        return Err((Ran::Unknown, TaskErrorKind::WorkerDied(end)));
    }
    match postcard::from_bytes::<Vec<R>>(&bytes) {
        Ok(answers) if answers.len() == size => Ok(answers),
        Ok(answers) => {
            let problem = format!("{} answers for {size} items", answers.len());
            Err((Ran::Yes, TaskErrorKind::NotDeserialised(problem)))
        }
        Err(error) => Err((Ran::Yes, TaskErrorKind::NotDeserialised(error.to_string()))),
    }
}
// ANCHOR_END: gather
