//! What a stage costs on this machine: three numbers, each a median of a few quick measurements.

use crate::format::{bytes, time};
use crate::statistics::Summary;
use kernel::{Bytes, Executor, Message, Pair, TaskError, gcd};
use schedule::leverage::{Capacity, Costs, overhead_from};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Instant;

/// How large the blocks are whose bandwidth is measured: much more than a round trip, and no more
/// than a cache holds.
const BLOCK: usize = 1 << 20;

/// How many items each map of a measurement has: few enough for large blocks, and a multiple of
/// two, three, four and six workers.
pub const ITEMS: NonZeroUsize = NonZeroUsize::new(12).expect("twelve is not zero");

/// How a block of bytes gets to a worker, and whether the workers are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// As a pointer. The workers are started in each call.
    Shared,
    /// As a copy. The workers were started before.
    Copied,
}

/// A stage and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Probed {
    /// Its name in tables.
    pub name: &'static str,
    /// What was measured.
    pub measured: Costs,
    /// What a call costs: a pool whose workers are there has no start.
    pub per_call: Costs,
}

/// Measures what a stage costs: the start with `make`, the others on an executor that is there.
/// Each number is the median of twice the rounds and one.
///
/// # Errors
/// A task's error, or what `make` says when the stage cannot start.
pub fn probe<E: Executor>(
    name: &'static str,
    executor: &E,
    memory: Memory,
    capacity: Capacity,
    rounds: usize,
    make: impl Fn() -> Result<E, Box<dyn Error>>,
) -> Result<Probed, Box<dyn Error>> {
    let one_step = Pair::new(1, 1).expect("one is not zero");
    let times = 2 * rounds + 1;
    let mut starts = Vec::new();
    for _ in 0..times {
        let begin = Instant::now();
        let fresh = make()?;
        fresh.map(gcd, vec![one_step; capacity.workers.get()])?;
        starts.push(begin.elapsed().as_secs_f64());
        // What ends here ends after the clock has stopped.
        drop(fresh);
    }
    let start = Summary::of(&starts).median;
    // A stage that starts its workers in each call has its start in these times too.
    let each_call = if memory == Memory::Shared { start } else { 0.0 };
    let overhead = |seconds: f64| overhead_from((seconds - each_call).max(0.0), ITEMS, capacity);
    // Never nothing: what is too small to be seen beside the clock is a nanosecond.
    let items = vec![one_step; ITEMS.get()];
    let round_trip = overhead(median(executor, gcd, &items, times)?).max(1e-9);
    let seconds_per_byte = match memory {
        Memory::Shared => 0.0,
        Memory::Copied => {
            let blocks = vec![Bytes::from(vec![7; BLOCK]); ITEMS.get()];
            let block = overhead(median(executor, |block: Bytes| block, &blocks, times)?);
            // There and back.
            ((block - round_trip) / (2 * BLOCK) as f64).max(0.0)
        }
    };
    let measured = Costs { start, round_trip, seconds_per_byte };
    let per_call = if memory == Memory::Shared { measured } else { measured.started() };
    Ok(Probed { name, measured, per_call })
}

/// The median seconds of a map over copies of these items, after one that warms up.
fn median<A: Message + Clone, R: Message>(
    executor: &impl Executor,
    task: fn(A) -> R,
    items: &[A],
    times: usize,
) -> Result<f64, TaskError> {
    let mut seconds = Vec::new();
    for _ in 0..=times {
        let items = items.to_vec();
        let begin = Instant::now();
        let answers = executor.map(task, items)?;
        seconds.push(begin.elapsed().as_secs_f64());
        drop(answers);
    }
    Ok(Summary::of(&seconds[1..]).median)
}

/// What a stage costs, in words: start, round trip, bandwidth.
pub fn costs_in_words(costs: Costs) -> String {
    let bytes = if costs.seconds_per_byte > 0.0 {
        format!("{} a second", bytes(1.0 / costs.seconds_per_byte))
    } else {
        "bytes cost nothing".to_owned()
    };
    format!("start {}, a round trip {}, {bytes}", time(costs.start), time(costs.round_trip))
}
