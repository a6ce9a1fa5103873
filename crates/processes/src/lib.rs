//! Stage 4: worker processes.

mod start_error;

#[cfg(target_os = "linux")]
mod call;
#[cfg(target_os = "linux")]
pub mod crew;
#[cfg(target_os = "linux")]
mod frame;
#[cfg(target_os = "linux")]
mod image;
#[cfg(target_os = "linux")]
mod inbox;
#[cfg(target_os = "linux")]
mod line;
#[cfg(target_os = "linux")]
mod pace;
#[cfg(target_os = "linux")]
mod pool;
#[cfg(target_os = "linux")]
mod seat;
#[cfg(target_os = "linux")]
mod server;
#[cfg(target_os = "linux")]
pub mod steps;
#[cfg(target_os = "linux")]
mod template;
#[cfg(target_os = "linux")]
mod wire;
#[cfg(target_os = "linux")]
mod worker;

#[cfg(not(target_os = "linux"))]
mod unsupported;

pub use start_error::StartError;
#[cfg(not(target_os = "linux"))]
pub use unsupported::{ForkServer, ProcessPool};
#[cfg(target_os = "linux")]
pub use {
    call::{Answer, Call},
    pool::ProcessPool,
    server::ForkServer,
};
