//! The part that runs in the program: the pool's handle and its futures, the core that moves the
//! bytes, and the threads that drive it.

mod batching;
pub mod builder;
mod call;
mod call_state;
mod completions;
mod core;
mod driver;
mod end;
pub mod future;
mod lifecycle;
mod limits;
mod manager;
pub mod map;
#[cfg(feature = "mutations")]
mod mutation;
mod orders;
pub mod pool;
mod shared;
mod state;
pub mod wait;
mod wake;
mod worker_handle;

#[cfg(fuzzing)]
pub use worker_handle::WorkerHandle;
