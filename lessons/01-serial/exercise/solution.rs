//! Exercise 1, solved. Try it yourself first: `just hint-1` gives three hints.

use std::process::ExitCode;

/// The steps of all items together: what one worker has to do.
fn total(costs: &[u64]) -> u64 {
    costs.iter().sum()
}

/// The steps of the longest item.
fn longest(costs: &[u64]) -> u64 {
    costs.iter().copied().max().unwrap_or(0)
}

/// The bound: how many times as fast as one worker `workers` of them can be at most.
fn bound(costs: &[u64], workers: u64) -> f64 {
    // Divide as floating point numbers, since 20 / 3 is 6 in whole numbers.
    let by_longest = total(costs) as f64 / longest(costs) as f64;
    by_longest.min(workers as f64)
}

/// The smallest number of workers that reaches the highest bound: one more worker would gain
/// nothing, whatever the schedule.
fn enough_workers(costs: &[u64]) -> u64 {
    // total / longest rounded up: with 5.39 the sixth worker still gains something, the seventh
    // nothing.
    total(costs).div_ceil(longest(costs))
}

// The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
