//! Which stage to take for work of the reader's own.
//!
//! The answer is [`schedule::leverage`]'s, and rests on three numbers for each stage, which are
//! measured here and now: a start, a round trip, a bandwidth. Lesson 7 shows how far off it is.

use crate::Failure;
use processes::ProcessPool;
use report::words::{count, paragraph};
use report::{Memory, Probed, cores, costs_in_words, grouped, probe, speedup as shown, time};
use schedule::leverage::{Capacity, Costs, Job, best, bound, break_even, seconds, speedup};
use std::error::Error;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use threads::Threads;

/// How many rounds each number is measured: enough for a median, over in a second.
const ROUNDS: usize = 5;

/// The reader's work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Work {
    /// Seconds that one item computes in a loop.
    pub item_seconds: f64,
    /// Bytes of one item and its answer together.
    pub bytes: u64,
    /// How many workers it is to have.
    pub workers: NonZeroUsize,
    /// How many items there are.
    pub items: NonZeroUsize,
}

/// What was measured: the stages, each with its costs, or why there is none.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The real cores.
    pub cores: NonZeroUsize,
    /// Threads: the bytes stay where they are.
    pub threads: Costs,
    /// Processes, or why there are none here.
    pub processes: Result<Costs, String>,
}

impl Measured {
    /// Measures this machine, with this many workers.
    ///
    /// # Errors
    /// [`Failure::Input`] if even a thread cannot be started.
    pub fn here(workers: NonZeroUsize) -> Result<Self, Failure> {
        let capacity = Capacity { workers, cores: cores() };
        // Processes come first: the program may fork only while it has one thread.
        let processes = processes(capacity).map_err(|error| error.to_string());
        let threads = Threads::new(workers);
        let threads = probe("threads", &threads, Memory::Shared, capacity, ROUNDS, || {
            Ok(Threads::new(workers))
        });
        let threads = threads.map_err(Failure::input)?;
        Ok(Self {
            cores: capacity.cores,
            threads: threads.measured,
            processes: processes.map(|stage| stage.measured),
        })
    }
}

fn processes(capacity: Capacity) -> Result<Probed, Box<dyn Error>> {
    let pool = ProcessPool::new(capacity.workers)?;
    let make = || Ok(ProcessPool::new(capacity.workers)?);
    probe("processes", &pool, Memory::Copied, capacity, ROUNDS, make)
}

/// Measures, and answers.
///
/// # Errors
/// [`Failure`] if nothing can be measured, or `out` cannot be written.
pub fn advise(work: Work, out: &mut impl Write) -> Result<(), Failure> {
    print(work, &Measured::here(work.workers)?, out)?;
    Ok(())
}

/// A way to do the work.
struct Way {
    name: &'static str,
    costs: Costs,
    capacity: Capacity,
}

/// Prints the answer that follows from what was measured.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(work: Work, measured: &Measured, out: &mut impl Write) -> io::Result<()> {
    let Work { item_seconds, bytes, workers, items } = work;
    let job = Job { items, seconds: item_seconds, bytes };
    let capacity = Capacity { workers, cores: measured.cores };
    let alone = Capacity { workers: NonZeroUsize::MIN, ..capacity };
    let mut ways = vec![
        Way { name: "a loop", costs: Costs::NONE, capacity: alone },
        Way { name: "threads", costs: measured.threads, capacity },
    ];
    if let Ok(costs) = measured.processes {
        ways.push(Way { name: "processes", costs, capacity });
    }
    let take = choose(job, &ways.iter().collect::<Vec<_>>());
    let gain = |way: &Way| speedup(job, way.costs, way.capacity);
    let limit = |way: &Way| bound(items, way.capacity);

    let (most, chosen) = (shown(limit(take)), shown(gain(take)));
    paragraph(out, "Advice", &format!("{}: {chosen} predicted, at most {most}", take.name))?;
    let text = format!(
        "{} of {}, {} bytes each, on {}",
        count_grouped(items.get(), "item"),
        time(item_seconds),
        grouped(bytes),
        count(workers.get(), "worker"),
    );
    paragraph(out, "Your work", &text)?;
    let machine = count(measured.cores.get(), "core");
    let machine = if workers > measured.cores {
        format!("{machine}: the workers beyond them do not help the computing")
    } else {
        machine
    };
    paragraph(out, "Machine", &machine)?;
    paragraph(out, "Predicted", "               time  speed-up     bound   pays from, an item")?;
    for way in &ways {
        let even = break_even(items, bytes, way.costs, way.capacity);
        let even = match even {
            _ if way.name == "a loop" => "-".to_owned(),
            Some(seconds) => time(seconds),
            None => "never".to_owned(),
        };
        writeln!(
            out,
            "  {:<18}{:>12}{:>10}{:>10}{:>21}",
            way.name,
            time(seconds(job, way.costs, way.capacity)),
            shown(gain(way)),
            shown(limit(way)),
            even
        )?;
    }
    paragraph(out, "Rests on", &format!("threads    {}", costs_in_words(measured.threads)))?;
    match &measured.processes {
        Ok(costs) => {
            paragraph(out, "", &format!("processes  {}", costs_in_words(*costs)))?;
            let isolated = choose(job, &[&ways[0], &ways[2]]);
            let text = format!(
                "if it may crash, must be killable or needs one lock of the process:\n\
                 {}, {}",
                isolated.name,
                shown(gain(isolated))
            );
            paragraph(out, "Isolated", &text)
        }
        Err(why) => paragraph(out, "", &format!("processes  none here: {why}")),
    }
}

/// The way that is done first; of those that are about as fast, the first in the list.
fn choose<'ways>(job: Job, ways: &[&'ways Way]) -> &'ways Way {
    let costs: Vec<Costs> = ways.iter().map(|way| way.costs).collect();
    let capacities: Vec<Capacity> = ways.iter().map(|way| way.capacity).collect();
    ways[best(job, &costs, &capacities)]
}

/// "1,000 items".
fn count_grouped(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}
