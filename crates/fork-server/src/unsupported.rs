//! What is left of the crate where there is no Linux: the name, and an error.

use crate::StartError;
use std::convert::Infallible;

/// The fork server needs Linux: there is none here.
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

    /// There is no fork server, so nobody can ask for its process id.
    pub fn pid(&self) -> u32 {
        match self.0 {}
    }
}
