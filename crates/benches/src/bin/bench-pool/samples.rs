//! The measurements of the rounds so far, and the table rows that follow from them.

use benches::{Bar, Comparison, Unit};
use report::Summary;
use std::collections::BTreeMap;

/// A measurement of a round, with its contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    MapTrip,
    FutureTrip,
    BareTrip,
    PythonTrip,
    MapTiny,
    BareTiny,
    PythonTiny,
    OursChunked,
    PythonChunked,
    MapBlock,
    BareBlock,
    PythonBlock,
    Start,
    Fork,
    PythonStart,
    MemoryOfMany,
    MemoryOfFew,
    Death,
    StageTrip,
    StageStart,
    StageDeath,
}

/// All measurements, in seconds or bytes.
#[derive(Debug, Default)]
pub struct Samples(BTreeMap<What, Vec<f64>>);

impl Samples {
    /// Adds a measurement.
    pub fn add(&mut self, what: What, number: f64) {
        self.0.entry(what).or_default().push(number);
    }

    /// The rows, from the medians of the measurements.
    pub fn rows(&self) -> Vec<Comparison> {
        use Bar::{AtMost, TimesLess, Under};
        use Unit::{Bytes, Seconds};
        use What::*;
        let median = |what| self.0.get(&what).map(|numbers| Summary::of(numbers).median);
        let row = |measured: &str, unit, ours, other: Option<What>, bar| Comparison {
            measured: measured.to_owned(),
            unit,
            ours: median(ours),
            other: other.and_then(median),
            bar,
        };
        let time = |measured, ours, other, bar| row(measured, Seconds, ours, Some(other), bar);
        vec![
            time("one small task, map / bare sockets", MapTrip, BareTrip, AtMost(1.5)),
            time("one small task, submit / bare sockets", FutureTrip, BareTrip, AtMost(3.0)),
            time("one small task, map / Python", MapTrip, PythonTrip, TimesLess(20.0)),
            time("tiny tasks, each / bare sockets", MapTiny, BareTiny, AtMost(1.0)),
            time("tiny tasks, each / Python", MapTiny, PythonTiny, TimesLess(50.0)),
            time("tiny tasks, in chunks / Python", OursChunked, PythonChunked, TimesLess(10.0)),
            time("64 MiB of Bytes / bare sockets", MapBlock, BareBlock, AtMost(2.0)),
            time("64 MiB of Bytes / Python", MapBlock, PythonBlock, TimesLess(2.0)),
            time("a pool of two, start to end / fork, wait", Start, Fork, Bar::None),
            time("a pool of two, start to end / Python", Start, PythonStart, TimesLess(8.0)),
            row(
                "memory, 1,000,000 / 10,000 items",
                Bytes,
                MemoryOfMany,
                Some(MemoryOfFew),
                AtMost(1.1),
            ),
            row("SIGKILL to the caller's error", Seconds, Death, None, Under(0.003)),
            time("stage 4: one small task, map / bare sockets", StageTrip, BareTrip, Bar::None),
            time("stage 4: a pool of two, start to end / fork, wait", StageStart, Fork, Bar::None),
            row("stage 4: SIGKILL to the caller's error", Seconds, StageDeath, None, Under(0.003)),
        ]
    }
}
