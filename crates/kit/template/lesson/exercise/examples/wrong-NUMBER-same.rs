//! A wrong answer to exercise NUMBER: todo, what is wrong with it.
//!
//! Refused on: todo, the sentence of the check

use std::process::ExitCode;

/// todo: what it must do.
fn answer(number: u64) -> u64 {
    number
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
