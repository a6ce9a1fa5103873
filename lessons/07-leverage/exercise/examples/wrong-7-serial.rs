//! A wrong answer to exercise 7: the caller counts, and no worker is asked.
//!
//! Refused on: a large file is cut into as many items as pieces

use kernel::Executor;
use std::fs;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

fn count_lines<E: Executor>(_pool: &E, file: &Path, _count: NonZeroUsize) -> Result<u64, String> {
    let bytes = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    Ok(bytes.iter().filter(|&&byte| byte == b'\n').count() as u64)
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
