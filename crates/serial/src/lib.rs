//! Stage 1: a loop.
//!
//! The loop runs one item after the other, on the caller's thread. Every other stage is measured
//! against this stage, and gives the same answers in the same order.
//!
//! The loop is a stage, and not only the baseline: if the work is over within a millisecond or so,
//! starting and waking other threads tends to cost more than those threads save.

#![forbid(unsafe_code)]

use kernel::{Executor, Message, TaskError, catch_panic};
use std::num::NonZeroUsize;

/// Runs every item on the caller's thread, in order.
// ANCHOR: serial
#[derive(Clone, Copy, Debug, Default)]
pub struct Serial;

impl Executor for Serial {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let mut answers = Vec::with_capacity(items.len());
        for (index, item) in items.into_iter().enumerate() {
            answers.push(catch_panic(index, task, item));
        }
        answers
    }

    fn workers(&self) -> NonZeroUsize {
        NonZeroUsize::MIN
    }
}
// ANCHOR_END: serial
