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
pub struct StageCosts {
    /// The real cores.
    pub cores: NonZeroUsize,
    /// Threads: the bytes stay where they are.
    pub threads: Costs,
    /// Processes, or why there are none here.
    pub processes: Result<Costs, String>,
}

impl StageCosts {
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
    print(work, &StageCosts::here(work.workers)?, out)?;
    Ok(())
}

/// The most bytes that travel to a worker process, or back: the longest body of a frame of
/// `processes` and `process-futures`. The reader types one number for an item and its answer, so
/// nobody knows here how much of it goes which way: above this, one of the two may be too long.
const TRAVELS: u64 = 1 << 30;

/// A way to do the work.
struct Way {
    name: &'static str,
    costs: Costs,
    capacity: Capacity,
}

/// The ways that there are for this work, the simpler ones first.
fn ways(work: Work, measured: &StageCosts, cores: NonZeroUsize) -> Vec<Way> {
    let capacity = Capacity { workers: work.workers, cores };
    let alone = Capacity { workers: NonZeroUsize::MIN, cores };
    let mut ways = vec![
        Way { name: "a loop", costs: Costs::NONE, capacity: alone },
        Way { name: "threads", costs: measured.threads, capacity },
    ];
    if let (Ok(costs), false) = (&measured.processes, work.bytes > TRAVELS) {
        ways.push(Way { name: "processes", costs: *costs, capacity });
    }
    ways
}

/// Prints the answer that follows from what was measured.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(work: Work, measured: &StageCosts, out: &mut impl Write) -> io::Result<()> {
    let Work { item_seconds, bytes, workers, items } = work;
    let job = Job { items, seconds: item_seconds, bytes };
    let ways = ways(work, measured, measured.cores);
    let take = choose(job, &ways);
    let (most, chosen) = (shown(bound(items, take.capacity)), take.gain(job));
    paragraph(out, "Advice", &format!("{}: {chosen} predicted, at most {most}", take.name))?;
    let mut text = format!(
        "{} of {}, {} bytes each,",
        count_grouped(items.get(), "item"),
        time(item_seconds),
        grouped(bytes),
    );
    text.push(if text.len() < 50 { ' ' } else { '\n' });
    text += &format!("on {}", count(workers.get(), "worker"));
    if workers > items {
        text += "\nthe workers beyond the items have nothing to do";
    }
    paragraph(out, "Your work", &text)?;
    let mut machine = count(measured.cores.get(), "core");
    if workers > measured.cores {
        machine += ": the workers beyond them do not help the computing";
    }
    paragraph(out, "Machine", &machine)?;
    paragraph(out, "Predicted", "               time  speed-up     bound   pays from, an item")?;
    for way in &ways {
        let even = match break_even(items, bytes, way.costs, way.capacity) {
            _ if way.name == "a loop" => "-".to_owned(),
            Some(seconds) => time(seconds),
            None => "never".to_owned(),
        };
        writeln!(
            out,
            "  {:<18}{:>12}{:>10}{:>10}{even:>21}",
            way.name,
            way.time(job),
            way.gain(job),
            shown(bound(items, way.capacity)),
        )?;
    }
    paragraph(out, "Rests on", &format!("threads    {}", costs_in_words(measured.threads)))?;
    let processes = match &measured.processes {
        Ok(costs) => costs_in_words(*costs),
        Err(why) => format!("none here: {why}"),
    };
    paragraph(out, "", &format!("processes  {processes}"))?;
    print_conditions(work, measured, out)
}

/// Prints what to take where time is not all that counts, or where the time is no computing.
fn print_conditions(work: Work, measured: &StageCosts, out: &mut impl Write) -> io::Result<()> {
    let job = Job { items: work.items, seconds: work.item_seconds, bytes: work.bytes };
    let mut ways = ways(work, measured, measured.cores);
    if work.bytes > TRAVELS {
        let mut text = "processes are left out: at most 1 GiB travels to a worker, and at\n\
                    most 1 GiB back. Send a file's name in place of the bytes, or split\n\
                    the items. Sharing memory comes in a later lesson."
            .to_owned();
        if work.bytes <= 2 * TRAVELS {
            text += "\nIf item and answer are at most 1 GiB each, processes can do it.";
        }
        paragraph(out, "Too large", &text)?;
    }
    // A crash in a loop or in a thread ends the program, so no time makes up for it.
    let isolated = match (&measured.processes, ways.get(2)) {
        (_, Some(processes)) => format!(
            "processes,\n{}, where a loop takes {}: only they survive a crash",
            processes.time(job),
            ways[0].time(job)
        ),
        (Ok(_), None) => {
            "processes,\nwhen an item and its answer are each small enough to travel".to_owned()
        }
        (Err(_), None) => {
            "nothing here;\na crash ends a loop, and threads, and the program".to_owned()
        }
    };
    paragraph(out, "Crashes", &format!("if an item may crash or must be killable: {isolated}"))?;
    // Threads take turns at such a lock, so they gain nothing.
    ways.remove(1);
    let locked = choose(job, &ways);
    let (name, gain) = (locked.name, locked.gain(job));
    paragraph(out, "One lock", &format!("if items need one lock of the process: {name}, {gain}"))?;
    // An item that waits needs no core meanwhile.
    let ways = self::ways(work, measured, measured.cores.max(work.workers));
    let waiting = choose(job, &ways);
    let (name, gain) = (waiting.name, waiting.gain(job));
    paragraph(out, "Waiting", &format!("if items wait and do not compute: {name}, {gain}"))
}

impl Way {
    fn time(&self, job: Job) -> String {
        time(seconds(job, self.costs, self.capacity))
    }

    fn gain(&self, job: Job) -> String {
        shown(speedup(job, self.costs, self.capacity))
    }
}

/// The way that is done first; of those that are about as fast, the first in the list.
fn choose(job: Job, ways: &[Way]) -> &Way {
    let costs: Vec<Costs> = ways.iter().map(|way| way.costs).collect();
    let capacities: Vec<Capacity> = ways.iter().map(|way| way.capacity).collect();
    &ways[best(job, &costs, &capacities)]
}

/// "1,000 items".
fn count_grouped(number: usize, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number as u64), if number == 1 { "" } else { "s" })
}
