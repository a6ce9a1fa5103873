//! Stage 4: worker processes.

mod start_error;
#[cfg(target_os = "linux")]
pub mod steps;

pub use start_error::StartError;

use kernel::{Executor, Message, TaskError};
use std::num::NonZeroUsize;

/// A template of the program as it was at one moment, from which workers are forked at any later
/// time.
#[derive(Debug)]
pub struct ForkServer(());

impl ForkServer {
    /// Starts the fork server, or gives the running one.
    ///
    /// # Errors
    /// [`StartError::Threads`] if the process has more than one thread.
    pub fn start() -> Result<&'static Self, StartError> {
        static SERVER: ForkServer = ForkServer(());
        Ok(&SERVER)
    }
}

/// Runs items in worker processes that are started once and kept.
///
/// TEMPORARY inside: serves every map by step 1 until the pool is in.
#[derive(Debug)]
pub struct ProcessPool(steps::ForkPerItem);

impl ProcessPool {
    /// Starts this many workers.
    ///
    /// # Errors
    /// [`StartError`] says why there is no pool.
    pub fn new(workers: NonZeroUsize) -> Result<Self, StartError> {
        Ok(Self(steps::ForkPerItem::new(workers)))
    }

    /// The workers' process ids, in the order of the workers.
    pub fn worker_pids(&self) -> Vec<u32> {
        Vec::new()
    }
}

impl Executor for ProcessPool {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        self.0.map_each(task, items)
    }

    fn workers(&self) -> NonZeroUsize {
        self.0.workers()
    }
}
