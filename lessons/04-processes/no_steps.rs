//! The steps on a system without Linux: there are no worker processes, and so no trip to them.

use processes::ProcessPool;
use report::Run;
use std::error::Error;

/// Prints that there are no steps here.
pub fn steps(run: &mut Run) -> Result<(), Box<dyn Error>> {
    ProcessPool::new(run.workers())?;
    Ok(())
}
