//! The limits of a pool: how many calls a worker may have, how many workers may die.

use crate::wire::packet::Packet;

/// The number of an initializer's call. No other call gets this number, and an initializer's end is
/// no [`Event`](crate::caller::core::Event).
pub const INITIALIZER: u64 = u64::MAX;

/// What a pool asks of its workers. No lock guards the fields, because they are part of the pool
/// core. The builder writes them before the first call; only `stillborn` changes later, and the
/// driving thread writes it.
#[derive(Debug)]
pub struct Limits {
    /// The call that each worker runs first.
    pub initializer: Option<Packet>,
    /// How many calls a worker may have in its life.
    pub calls_per_worker: usize,
    /// How many workers may die, with no answer from any worker between, before the pool gives up.
    pub most_deaths: usize,
    /// How many workers have died in the initializer since a worker last completed it.
    pub stillborn: usize,
}

impl Limits {
    /// The default limits for a pool of this many workers.
    pub fn new(workers: usize) -> Self {
        // A pool with many workers may lose all of them twice: one shortage of memory can take
        // them all.
        let most_deaths = workers.saturating_mul(2).max(20);
        Self { initializer: None, calls_per_worker: usize::MAX, most_deaths, stillborn: 0 }
    }
}
