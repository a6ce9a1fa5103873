//! What a stage costs on this machine: three numbers, each a median of a few quick measurements.

use super::{ITEMS, Memory};
use crate::statistics::Summary;
use kernel::{Bytes, Executor, Message, Pair, TaskError, gcd};
use schedule::leverage::{Costs, Crew, overhead_from};
use std::error::Error;
use std::time::Instant;

/// How large the blocks are whose bandwidth is measured: much more than a round trip, and no more
/// than a cache holds.
const BLOCK: usize = 1 << 20;

/// A stage and what it costs.
#[derive(Clone, Copy, Debug)]
pub struct Stage {
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
    crew: Crew,
    rounds: usize,
    make: impl Fn() -> Result<E, Box<dyn Error>>,
) -> Result<Stage, Box<dyn Error>> {
    let one_step = Pair::new(1, 1).expect("one is not zero");
    let times = 2 * rounds + 1;
    let mut starts = Vec::new();
    for _ in 0..times {
        let begin = Instant::now();
        let fresh = make()?;
        fresh.map(gcd, vec![one_step; crew.workers.get()])?;
        starts.push(begin.elapsed().as_secs_f64());
        // What ends here ends after the clock has stopped.
        drop(fresh);
    }
    let start = Summary::of(&starts).median;
    // A stage that starts its workers in each call has its start in these times too.
    let each_call = if memory == Memory::Shared { start } else { 0.0 };
    let overhead = |seconds: f64| overhead_from((seconds - each_call).max(0.0), ITEMS, crew);
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
    Ok(Stage { name, measured, per_call })
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
