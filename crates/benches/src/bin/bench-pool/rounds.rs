//! The rounds: each contender makes each measurement once in a round, so that a machine that slows
//! down, or has other work for a while, affects all contenders alike.

use crate::bare::Bare;
use crate::fresh;
use crate::options::Options;
use crate::ours::Ours;
use crate::python::{Python, Words};
use crate::samples::{Samples, What};
use benches::Comparison;
use indicatif::{ProgressBar, ProgressStyle};
use report::Summary;
use std::error::Error;

/// How often the round trips take turns in a round.
const TURNS: usize = 5;

/// The sizes of the measurements in a round.
struct Sizes {
    /// Round trips in each turn.
    trips: usize,
    tiny: usize,
    chunked: u64,
    block: usize,
    /// Python's round trips in each turn. Python makes fewer trips because each takes longer; the
    /// reported time is for one task all the same.
    python_trips: usize,
    python_tiny: usize,
    python_chunked: usize,
    /// The items of the two streams whose memory is compared, measured once and not in every round.
    streams: [u64; 2],
}

const FULL: Sizes = Sizes {
    trips: 200,
    tiny: 10_000,
    chunked: 200_000,
    block: 64 << 20,
    python_trips: 30,
    python_tiny: 300,
    python_chunked: 50_000,
    streams: [10_000, 1_000_000],
};

const QUICK: Sizes = Sizes {
    trips: 3,
    tiny: 100,
    chunked: 3000,
    block: 1 << 20,
    python_trips: 1,
    python_tiny: 10,
    python_chunked: 3000,
    streams: [100, 1000],
};

/// Runs all measurements. Returns the rows, and a sentence about Python.
pub fn measure(options: &Options) -> Result<(Vec<Comparison>, Words), Box<dyn Error>> {
    let sizes = if options.quick { QUICK } else { FULL };
    // Start our side first: its fork server has to start before there is any thread.
    let ours = Ours::start()?;
    let mut bare = Bare::start(ours.lengths()?)?;
    let (mut python, words) = Python::find(options)?;
    let block: Vec<u8> = (0..sizes.block).map(|at| (at % 251) as u8).collect();
    let mut samples = Samples::default();
    // Run one round that does not count, to warm every contender up.
    round(
        &QUICK,
        &block[..QUICK.block],
        &ours,
        &mut bare,
        python.as_mut(),
        &mut Samples::default(),
    )?;
    let style = ProgressStyle::with_template("{bar:24} round {pos} of {len} {elapsed}")
        .expect("the template is a constant");
    // The bar has no thread: it draws only when it is told to.
    let progress = ProgressBar::new(options.rounds as u64).with_style(style);
    progress.tick();
    for _ in 0..options.rounds {
        round(&sizes, &block, &ours, &mut bare, python.as_mut(), &mut samples)?;
        progress.inc(1);
    }
    for (what, count) in [What::MemoryOfFew, What::MemoryOfMany].into_iter().zip(sizes.streams) {
        samples.add(what, fresh::measure(&["memory", &count.to_string()])?);
    }
    progress.finish_and_clear();
    Ok((samples.rows(), words))
}

fn round(
    sizes: &Sizes,
    block: &[u8],
    ours: &Ours,
    bare: &mut Bare,
    python: Option<&mut Python>,
    samples: &mut Samples,
) -> Result<(), Box<dyn Error>> {
    // A round trip is so short that its time depends on the moment: which core, which clock rate.
    // So all four kinds of trip take turns more often than once in a round.
    let mut trips = [const { Vec::new() }; 4];
    for _ in 0..TURNS {
        for _ in 0..sizes.trips {
            trips[0].push(ours.trip()?);
        }
        for _ in 0..sizes.trips {
            trips[1].push(ours.future_trip()?);
        }
        for _ in 0..sizes.trips {
            trips[2].push(ours.stage_trip()?);
        }
        for _ in 0..sizes.trips {
            trips[3].push(bare.trip()?);
        }
    }
    let whats = [What::MapTrip, What::FutureTrip, What::StageTrip, What::BareTrip];
    for (what, times) in whats.into_iter().zip(&trips) {
        samples.add(what, Summary::of(times).median);
    }
    samples.add(What::MapTiny, ours.tiny(sizes.tiny)?);
    samples.add(What::BareTiny, bare.pipelined(sizes.tiny)?);
    samples.add(What::OursChunked, ours.chunked(sizes.chunked)?);
    samples.add(What::MapBlock, ours.block(block)?);
    samples.add(What::BareBlock, bare.exchange(block)?);
    samples.add(What::Start, fresh::measure(&["start"])?);
    samples.add(What::StageStart, fresh::measure(&["stage-start"])?);
    samples.add(What::Fork, fresh::measure(&["fork"])?);
    samples.add(What::Death, ours.death()?);
    samples.add(What::StageDeath, ours.stage_death()?);
    if let Some(python) = python {
        let Sizes { python_trips, python_tiny, python_chunked, .. } = sizes;
        samples.add(What::PythonTrip, python.seconds(&format!("round_trip {python_trips}"))?);
        samples.add(What::PythonTiny, python.seconds(&format!("each {python_tiny}"))?);
        samples.add(What::PythonChunked, python.seconds(&format!("chunked {python_chunked}"))?);
        samples.add(What::PythonBlock, python.seconds(&format!("bytes {}", block.len()))?);
        samples.add(What::PythonStart, python.seconds("start")?);
    }
    Ok(())
}
