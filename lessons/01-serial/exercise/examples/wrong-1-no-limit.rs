//! A wrong answer to exercise 1: two workers are promised more than twice the speed.
//!
//! Refused on: few workers are limited by their number

use std::process::ExitCode;

fn total(costs: &[u64]) -> u64 {
    costs.iter().sum()
}

fn longest(costs: &[u64]) -> u64 {
    costs.iter().copied().max().unwrap_or(0)
}

fn bound(costs: &[u64], _workers: u64) -> f64 {
    total(costs) as f64 / longest(costs) as f64
}

fn enough_workers(costs: &[u64]) -> u64 {
    total(costs).div_ceil(longest(costs))
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
