//! The part that runs in a worker process.

pub mod run;
pub mod serve;
