//! Exercise NUMBER: todo, the name of it.
//!
//! todo: what the reader is to write, and why. Then type
//!
//! ```text
//! just exercise-NUMBER
//! ```

use std::process::ExitCode;

/// todo: what it must do.
fn answer(number: u64) -> u64 {
    todo!("double {number}")
}

// There is nothing to do below this line. The check is in check.rs, beside this file.
mod check;

fn main() -> ExitCode {
    check::run()
}
