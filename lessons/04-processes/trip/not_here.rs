//! The steps on a system without Linux: there are no worker processes, and so no trip to them.

use processes::ProcessPool;
use report::Run;
use std::error::Error;

/// Makes no trip, because there is no process pool here.
///
/// # Errors
/// Always: that there is no process pool here.
pub fn steps(run: &mut Run) -> Result<(), Box<dyn Error>> {
    ProcessPool::new(run.workers())?;
    Ok(())
}
