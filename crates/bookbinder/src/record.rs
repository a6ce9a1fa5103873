//! Records.
use crate::House;
use anyhow::Result;
/// Records.
///
/// # Errors
/// Always, for now.
pub fn record(house: &House, rounds: u32) -> Result<()> {
    let _ = crate::machine::describe(house.root(), rounds)?;
    anyhow::bail!("not yet")
}
