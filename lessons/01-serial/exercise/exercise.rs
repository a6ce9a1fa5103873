//! Exercise 1: the bound, by hand.
//!
//! You have ten items and may buy workers. Before you pay for workers, you want to know what they
//! can gain at most, whatever the schedule. Two facts decide the answer:
//!
//! - *W* workers do at most *W* steps at a time, so they are at most *W* times as fast as one;
//! - an item is run by one worker from its start to its end, so nothing is done sooner than the
//!   longest item.
//!
//! Write the four functions below: replace each `todo!`. Then type
//!
//! ```text
//! just exercise-1
//! ```
//!
//! The check calls your functions with the costs of the ten pairs, and with other costs. There is
//! always at least one item, and every item costs at least one step.

use std::process::ExitCode;

/// The steps of all items together: what one worker has to do.
fn total(costs: &[u64]) -> u64 {
    todo!("add up {costs:?}")
}

/// The steps of the longest item.
fn longest(costs: &[u64]) -> u64 {
    todo!("find the largest of {costs:?}")
}

/// The bound: how many times as fast as one worker `workers` of them can be at most.
fn bound(costs: &[u64], workers: u64) -> f64 {
    todo!("which of the two facts limits {workers} workers on {costs:?}?")
}

/// The smallest number of workers that reaches the highest bound: one more worker would gain
/// nothing, whatever the schedule.
fn enough_workers(costs: &[u64]) -> u64 {
    todo!("from how many workers on does the bound of {costs:?} stay as it is?")
}

// You need not change anything below this line. The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
