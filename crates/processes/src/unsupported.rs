//! The stage without Linux: the pool's name, and an error.

use crate::StartError;
use kernel::{Executor, Message, TaskError};
use std::convert::Infallible;
use std::num::NonZeroUsize;

/// The process pool needs Linux, and this system is not Linux.
#[derive(Debug)]
pub struct ProcessPool(Infallible);

impl ProcessPool {
    /// Starts nothing.
    ///
    /// # Errors
    /// [`StartError::Unsupported`], always.
    pub fn new(_workers: NonZeroUsize) -> Result<Self, StartError> {
        Err(StartError::Unsupported)
    }

    /// Never called: without Linux there is no pool to have workers.
    pub fn worker_pids(&self) -> Vec<u32> {
        match self.0 {}
    }
}

impl Executor for ProcessPool {
    fn map_each<A: Message, R: Message>(
        &self,
        _task: fn(A) -> R,
        _items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        match self.0 {}
    }

    fn workers(&self) -> NonZeroUsize {
        match self.0 {}
    }
}
