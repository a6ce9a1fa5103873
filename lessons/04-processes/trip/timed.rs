//! The ten steps of an item's trip, timed: what `--steps` and `--trace` run.
//!
//! This code is the pool's `map` with a reading of the clock after each step: the workers and the
//! frames are the same. One thing differs. No item is serialised ahead: a worker gets its next item
//! when its last answer is merged, so no trip waits for another, and each step's time is its own.

use crate::drawing::trip_svg;
use crate::table::{Steps, StepsDocument, Trips, table};
use crate::trace::trace_events;
use crate::{Stamped, Traced, Trip, traced};
use kernel::{Pair, Ran, TaskError};
use processes::{Workers, call};
use report::{Lesson, OutputFile, Run, counted, time};
use spans::{Gcd, Task, now_ns};
use std::collections::HashMap;
use std::error::Error;
use std::num::NonZeroUsize;
use std::path::PathBuf;
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

/// Times the trips, prints their steps side by side, and gives drawing, document and trace.
///
/// # Errors
/// If the pool cannot start, a task fails, or something cannot be written.
pub fn steps(run: &mut Run) -> Result<(), Box<dyn Error>> {
    // An answer has the time of its writing in it, so two writings are never the same.
    processes::read_back(false);
    let mut workers = Workers::new(run.workers())?;
    let rounds = run.rounds();
    // The item costs one division, so nearly all of its time is the trip.
    let pairs = one_by_one::<Gcd>(&mut workers, rounds, &Pair::new(1, 1)?)?;
    let vectors = one_by_one::<GiveBack>(&mut workers, rounds, &vec![7; 1 << 20])?;
    let items = [
        Steps::new(&Trips { name: "a pair", trips: pairs }),
        Steps::new(&Trips { name: "1 MiB, as Vec<u8>", trips: vectors }),
    ];
    let clock = clock();
    print(run, &items, clock)?;

    let Lesson { number, name, .. } = run.lesson().clone();
    if let Some(path) = run.extra("trace").map(PathBuf::from) {
        let (_, trips) = there_and_back::<Gcd>(&mut workers, run.pairs())?;
        let text =
            trace_events(&format!("lesson {number}, {name}"), &workers.worker_pids(), &trips);
        OutputFile::named(&path, "trace")?.write(&text)?;
    }
    let title = format!("Lesson {number}, {name}: an item's trip to a worker and back");
    let drawn = items.each_ref().map(Steps::to_draw);
    let drawing = trip_svg(&format!("lesson-{number}-steps"), &title, &drawn);
    let document = StepsDocument::new(number, rounds, clock, &items);
    run.instead(drawing, serde_json::to_value(document)?);
    Ok(())
}

/// Prints the ten steps of these items' trips, side by side.
fn print(run: &mut Run, items: &[Steps], clock: f64) -> Result<(), Box<dyn Error>> {
    let rounds = counted(run.rounds(), "round");
    run.say("Run", &format!("an item to a worker and back, one at a time, {rounds}"))?;
    run.machine(NonZeroUsize::MIN)?;
    run.table_lines("Steps", &table(items))?;
    let clock = time(clock);
    run.say("Clock", &format!("one reading takes {clock}, and each step has one in it"))?;
    run.say("Who", "1, 2, 9, 10: the parent. 4 to 7: the worker. 3, 8: the way")?;
    let number = run.lesson().number;
    run.say("Next", &format!("just lesson-{number} --trace FILE, and open it in Perfetto"))
}

/// How long one reading of the clock takes, in seconds.
fn clock() -> f64 {
    const READINGS: u32 = 1_000;
    let begin = now_ns();
    for _ in 1..READINGS {
        std::hint::black_box(now_ns());
    }
    (now_ns() - begin) as f64 / 1e9 / f64::from(READINGS)
}

/// `rounds` trips of one item, one after the other, after one trip to warm up.
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
            let call = call(traced::<T>, &item);
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
            let Stamped { answer: value, stamps } = answer.answer().map_err(failed)?;
            let read = now_ns();
            answers[index] = Some(value);
            let back = [arrived, read, now_ns()];
            trips.push(Trip::new(index, there, stamps, back, [call, answer.length()]));
        }
    }
}
