//! The pool: a crew behind the contract.

use crate::StartError;
use crate::crew::Crew;
use kernel::{Executor, Message, TaskError};
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Runs items in worker processes that are started once and kept.
///
/// ```
/// use kernel::Executor;
/// # fn double(n: u64) -> u64 { n * 2 }
/// # fn main() {
/// # let two = std::num::NonZeroUsize::new(2).unwrap();
/// let pool = processes::ProcessPool::new(two).expect("first in main, before any thread");
/// assert_eq!(pool.map(double, vec![1, 2, 3]).unwrap(), [2, 4, 6]);
/// # }
/// ```
///
/// A program that keeps its pool in a `static LazyLock` calls
/// [`ForkServer::start`](crate::ForkServer::start) first in `main`:
/// a worker that is forked in the middle of the initialisation has a pool that is never ready.
///
/// Two threads may share a pool; their maps take turns. Dropping it waits for the workers' running
/// tasks, and leaves no child.
#[derive(Debug)]
pub struct ProcessPool {
    /// A mutex and no cell, so that a program may keep its pool in a `static`.
    crew: Mutex<Crew>,
    workers: NonZeroUsize,
}

impl ProcessPool {
    /// Starts this many workers, and the fork server if it is not running.
    ///
    /// # Errors
    /// [`StartError`]: the process has other threads and no fork server, or the system refuses.
    pub fn new(workers: NonZeroUsize) -> Result<Self, StartError> {
        let crew = Crew::new(workers)?;
        Ok(Self { crew: Mutex::new(crew), workers })
    }

    /// The workers' process ids, in the order of their letters. It waits for a map that runs: to kill
    /// a worker in the middle of one, ask for the numbers before.
    pub fn worker_pids(&self) -> Vec<u32> {
        self.crew().worker_pids()
    }

    fn crew(&self) -> MutexGuard<'_, Crew> {
        // A map that panicked half way left calls with the workers. Their numbers are below those
        // of any later map, which therefore does not mistake their answers for its own.
        self.crew.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Executor for ProcessPool {
    // ANCHOR: map_each
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let mut crew = self.crew();
        crew.forget_pace();
        let mut answers: Vec<Option<Result<R, TaskError>>> = items.iter().map(|_| None).collect();
        // Which item a task's number belongs to, from the map's first number on.
        let (first, mut dispatched, mut under_way) = (crew.next_task(), Vec::new(), 0);
        let mut items = items.into_iter().enumerate();
        loop {
            // An item is written down when a worker has room for it, and not before: the arguments
            // of a long list are never all in memory twice.
            while under_way == 0 || crew.room() > 0 {
                let Some((index, item)) = items.next() else { break };
                match crew.call(task, &item) {
                    Ok(call) => {
                        crew.dispatch(call);
                        dispatched.push(index);
                        under_way += 1;
                    }
                    Err(kind) => {
                        answers[index] = Some(Err(TaskError::new(index, kernel::Ran::No, kind)));
                    }
                }
            }
            if under_way == 0 {
                let told = |answer: Option<_>| answer.expect("each call ends in one event");
                return answers.into_iter().map(told).collect();
            }
            for event in crew.poll(None) {
                let Some(place) = event.task.checked_sub(first) else { continue };
                let index = dispatched[place as usize];
                let answer = event.outcome.and_then(|answer| answer.read());
                answers[index] =
                    Some(answer.map_err(|(ran, kind)| TaskError::new(index, ran, kind)));
                under_way -= 1;
            }
        }
    }
    // ANCHOR_END: map_each

    fn workers(&self) -> NonZeroUsize {
        self.workers
    }
}
