//! Exercise NUMBER, solved. Try it yourself first: `just hint-NUMBER` gives three hints.

use std::process::ExitCode;

/// todo: what it must do.
fn answer(number: u64) -> u64 {
    number * 2
}

// The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
