//! The ten steps of an item's trip, timed: what `--steps` and `--trace` run.
//!
//! This code is the pool's `map` with a reading of the clock after each step: the workers and the
//! frames are the same. One thing differs. No item is serialised ahead: a worker gets its next item
//! when its last answer is merged, so no trip waits for another, and each step's time is its own.

use kernel::{Pair, Ran, TaskError};
use processes::{Call, Workers};
use report::{Run, Trips};
use schedule::spans::{Gcd, Task, now_ns};
use schedule::trip::{Stamped, Traced, Trip, traced};
use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

/// The large item's task: the vector comes back unchanged.
struct GiveBack;

impl Task for GiveBack {
    type In = Vec<u8>;
    type Out = Vec<u8>;
    fn run(vector: Vec<u8>) -> Vec<u8> {
        vector
    }
}

pub fn steps(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let mut workers = Workers::new(run.workers())?;
    let rounds = run.rounds();
    // The item costs one division, so nearly all of its time is the trip.
    let pairs = one_by_one::<Gcd>(&mut workers, rounds, &Pair::new(1, 1)?)?;
    let vectors = one_by_one::<GiveBack>(&mut workers, rounds, &vec![7; 1 << 20])?;
    run.steps(&[
        Trips { name: "a pair", trips: pairs },
        Trips { name: "1 MiB, as Vec<u8>", trips: vectors },
    ])?;
    if run.is_traced() {
        let (_, trips) = there_and_back::<Gcd>(&mut workers, run.pairs())?;
        run.trace(workers.worker_pids(), trips);
    }
    Ok(())
}

/// `count` trips of one item, one after the other, after one trip to warm up.
fn one_by_one<T: Task<In: Clone>>(
    workers: &mut Workers,
    rounds: usize,
    item: &T::In,
) -> Result<Vec<Trip>, TaskError> {
    let mut trips = Vec::new();
    for _ in 0..=rounds {
        trips.extend(there_and_back::<T>(workers, vec![item.clone()])?.1);
    }
    trips.remove(0);
    Ok(trips)
}

/// Maps the items. Returns the answers, and a trip for each item, both in the order of the items.
fn there_and_back<T: Task>(
    workers: &mut Workers,
    items: Vec<T::In>,
) -> Result<(Vec<T::Out>, Vec<Trip>), TaskError> {
    let mut answers: Vec<Option<T::Out>> = items.iter().map(|_| None).collect();
    let mut trips = Vec::with_capacity(items.len());
    let (mut items, mut under_way) = (items.into_iter().enumerate(), HashMap::new());
    loop {
        let begin = now_ns();
        let is_one_free = under_way.len() < workers.count().get();
        if let Some((index, item)) = is_one_free.then(|| items.next()).flatten() {
            let taken = now_ns();
            let item = Traced::new(item);
            let call = Call::new(traced::<T>, &item);
            let written = now_ns();
            let call = call.map_err(|kind| TaskError::new(index, Ran::No, kind))?;
            let length = call.length();
            under_way.insert(workers.submit(call), (index, [begin, taken, written], length));
        }
        if under_way.is_empty() {
            trips.sort_by_key(|trip: &Trip| trip.item);
            return Ok((answers.into_iter().flatten().collect(), trips));
        }
        // Poll sends the item at once. While a worker is free and an item is left, do not wait for
        // an answer.
        let is_more = under_way.len() < workers.count().get() && items.len() > 0;
        for ended in workers.poll(is_more.then_some(Duration::ZERO)) {
            let Some((index, there, call)) = under_way.remove(&ended.task) else { continue };
            let failed = |(ran, kind)| TaskError::new(index, ran, kind);
            let arrived = now_ns();
            let answer = ended.outcome.map_err(failed)?;
            let Stamped { answer: value, stamps } = answer.read().map_err(failed)?;
            let read = now_ns();
            answers[index] = Some(value);
            let back = [arrived, read, now_ns()];
            trips.push(Trip::new(index, there, stamps, back, [call, answer.length()]));
        }
    }
}
