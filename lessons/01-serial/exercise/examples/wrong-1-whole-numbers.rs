//! A wrong answer to exercise 1: it divides whole numbers, so 5.39 becomes 5.
//!
//! Refused on: many workers are limited by the longest item

use std::process::ExitCode;

fn total(costs: &[u64]) -> u64 {
    costs.iter().sum()
}

fn longest(costs: &[u64]) -> u64 {
    costs.iter().copied().max().unwrap_or(0)
}

fn bound(costs: &[u64], workers: u64) -> f64 {
    (total(costs) / longest(costs)).min(workers) as f64
}

fn enough_workers(costs: &[u64]) -> u64 {
    total(costs) / longest(costs)
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
