//! Where there is no Linux, there are no worker processes and no trip to them.

use processes::ProcessPool;
use report::Run;
use std::error::Error;

/// Says so.
///
/// # Errors
/// Always: that there is no process pool here.
pub fn steps(run: &mut Run) -> Result<(), Box<dyn Error>> {
    ProcessPool::new(run.workers())?;
    Ok(())
}
