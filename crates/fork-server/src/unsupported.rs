//! The crate without Linux: the type's name, and an error.

use crate::StartError;
use std::convert::Infallible;

/// The fork server needs Linux, and this system is not Linux.
#[derive(Debug)]
pub struct ForkServer(Infallible);

impl ForkServer {
    /// Starts nothing.
    ///
    /// # Errors
    /// [`StartError::Unsupported`], always.
    pub fn start() -> Result<&'static Self, StartError> {
        Err(StartError::Unsupported)
    }

    /// Never called: without Linux there is no fork server to have a process id.
    pub fn pid(&self) -> u32 {
        match self.0 {}
    }
}
