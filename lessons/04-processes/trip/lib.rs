//! Lesson 4's second half: one item's trip to a worker process and back, in ten timed steps.
//!
//! `--steps` prints the steps as a table, draws one trip and writes the steps as a document;
//! `--trace` writes the trips of all items for a viewer.
//!
//! No pool code measures these times. The types that travel note the worker's times: [`Traced`]
//! reads the clock while it is deserialised, [`Stamped`] while it is serialised, and the task
//! between them is a plain `fn`. The thread that drives the pool takes the parent's times. So items
//! that are not traced cost nothing extra: they have other types, and no code of the pool knows of
//! the tracing.
//!
//! All times come from one clock ([`now_ns`]), so a trip's steps follow each other without a gap.

#![forbid(unsafe_code)]

mod drawing;
mod table;
#[cfg_attr(not(target_os = "linux"), path = "not_here.rs")]
mod timed;
mod trace;

pub use timed::steps;

use kernel::gcd;
use report::{Extra, Extras, OutputFile, Run};
use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, SerializeTuple, Serializer};
use spans::{Task, now_ns};
use std::path::Path;
use std::process;

/// The lesson's own options.
pub const OPTIONS: Extras = Extras {
    options: &[
        Extra {
            name: "steps",
            value: "",
            text_only: false,
            is_written: false,
            help: "Time the ten steps of an item's trip instead; --svg then\ndraws one trip",
            check: |_| Ok(()),
        },
        Extra {
            name: "trace",
            value: "FILE",
            text_only: false,
            is_written: true,
            help: "As --steps, and write the steps of all items into this\n\
                   file, for Perfetto or chrome://tracing",
            check: |path| OutputFile::named(Path::new(path), "trace").map(drop),
        },
    ],
    // The steps are those of other items; a trace's are those of the pairs.
    task: |given| match given.contains_key("steps") && !given.contains_key("trace") {
        true => None,
        false => Some(gcd),
    },
    ..Extras::NONE
};

/// Whether the options ask for the trips in place of the lesson's table.
pub fn is_asked_for(run: &Run) -> bool {
    run.extra("steps").or(run.extra("trace")).is_some()
}

/// The ten steps, in order.
// ANCHOR: steps
pub const STEPS: [&str; 10] = [
    "take the item",
    "serialise",
    "send",
    "deserialise",
    "find the function",
    "run",
    "serialise the answer",
    "send back",
    "deserialise the answer",
    "merge",
];
// ANCHOR_END: steps

/// Which side does a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The process that has the items and wants the answers.
    Parent,
    /// The process that runs the task.
    Worker,
    /// Both processes, one after the other, and the system between them: one process has written,
    /// and the other has not yet begun to read.
    Between,
}

impl Side {
    /// The side that does each of the [`STEPS`].
    pub const OF: [Self; STEPS.len()] = {
        use Side::{Between, Parent, Worker};
        [Parent, Parent, Between, Worker, Worker, Worker, Worker, Between, Parent, Parent]
    };

    /// The step's name, for people and for files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Parent => "parent",
            Self::Worker => "worker",
            Self::Between => "between",
        }
    }
}

/// An item that notes when it is deserialised. Only the item itself is serialised.
#[derive(Clone, Copy, Debug)]
pub struct Traced<A> {
    item: A,
    /// The process that read the item, and when the reading began and ended; zeros before that.
    read: (u32, [u64; 2]),
}

impl<A> Traced<A> {
    /// An item that is about to be sent.
    pub fn new(item: A) -> Self {
        Self { item, read: (0, [0; 2]) }
    }
}

impl<A: Serialize> Serialize for Traced<A> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.item.serialize(serializer)
    }
}

impl<'de, A: Deserialize<'de>> Deserialize<'de> for Traced<A> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Ask for the process id before the first stamp: a system call would be much of the short
        // steps after it.
        let pid = process::id();
        let begin = now_ns();
        let item = A::deserialize(deserializer)?;
        Ok(Self { item, read: (pid, [begin, now_ns()]) })
    }
}

/// The worker's notes on one item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamps {
    /// The worker's process id.
    pub pid: u32,
    /// When the worker began to read the item, had read the item, entered the task, left the task,
    /// and had written the answer: nanoseconds of `CLOCK_MONOTONIC`.
    pub at_ns: [u64; 5],
}

/// An answer with the worker's stamps behind it.
#[derive(Clone, Copy, Debug)]
pub struct Stamped<R> {
    /// The task's answer.
    pub answer: R,
    /// The stamps. They are complete after the trip, because the last stamp is set while the answer
    /// is serialised.
    pub stamps: Stamps,
}

/// How many bytes the stamps add to an answer: six numbers of fixed length, so that the answer's
/// own length is known.
pub const STAMP_BYTES: usize = 6 * 8;

impl<R: Serialize> Serialize for Stamped<R> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Stamps { pid, at_ns: [begin, read, entered, left, _] } = self.stamps;
        let mut tuple = serializer.serialize_tuple(2)?;
        tuple.serialize_element(&self.answer)?;
        let stamps = [pid.into(), begin, read, entered, left, now_ns()];
        tuple.serialize_element(&stamps.map(u64::to_le_bytes))?;
        tuple.end()
    }
}

impl<'de, R: Deserialize<'de>> Deserialize<'de> for Stamped<R> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (answer, stamps) = <(R, [[u8; 8]; 6])>::deserialize(deserializer)?;
        let [pid, at_ns @ ..] = stamps.map(u64::from_le_bytes);
        Ok(Self { answer, stamps: Stamps { pid: pid as u32, at_ns } })
    }
}

/// Runs a task, and notes when: `workers.call(traced::<Gcd>, &Traced::new(pair))`.
///
/// # Panics
/// If the task panics.
// ANCHOR: traced
pub fn traced<T: Task>(traced: Traced<T::In>) -> Stamped<T::Out> {
    let entered = now_ns();
    let (pid, [begin, read]) = traced.read;
    let answer = T::run(traced.item);
    // The last stamp is set when the answer is serialised.
    let at_ns = [begin, read, entered, now_ns(), 0];
    Stamped { answer, stamps: Stamps { pid, at_ns } }
}
// ANCHOR_END: traced

/// One item's trip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trip {
    /// The item's index, counted from 0.
    pub item: usize,
    /// The process that ran the item.
    pub pid: u32,
    /// When the first step began and when each of the [`STEPS`] ended: nanoseconds of
    /// `CLOCK_MONOTONIC`.
    pub at_ns: [u64; STEPS.len() + 1],
    /// The length of the call that travelled to the worker, in bytes, with its header.
    pub call_bytes: usize,
    /// The length of the answer that travelled back, in bytes, with its header and without the
    /// stamps: the same length as without tracing.
    pub answer_bytes: usize,
}

impl Trip {
    /// Puts a trip together.
    ///
    /// `there` is when the parent began to take the item, had taken it, and had serialised it;
    /// `back` is when the parent began to read the answer, had read it, and had put it in its
    /// place. `bytes` are the lengths of the two frames as they travelled.
    pub fn new(
        item: usize,
        there: [u64; 3],
        stamps: Stamps,
        back: [u64; 3],
        bytes: [usize; 2],
    ) -> Self {
        let ([a, b, c], [d, e, f, g, h], [i, j, k]) = (there, stamps.at_ns, back);
        Self {
            item,
            pid: stamps.pid,
            at_ns: [a, b, c, d, e, f, g, h, i, j, k],
            call_bytes: bytes[0],
            answer_bytes: bytes[1] - STAMP_BYTES,
        }
    }

    /// How long each step took, in nanoseconds.
    pub fn steps_ns(&self) -> [u64; STEPS.len()] {
        std::array::from_fn(|step| self.at_ns[step + 1].saturating_sub(self.at_ns[step]))
    }

    /// How long the whole trip took, in nanoseconds.
    pub fn total_ns(&self) -> u64 {
        self.at_ns[STEPS.len()].saturating_sub(self.at_ns[0])
    }

    /// How many bytes each step handles: the length of the frame that the step writes, sends or
    /// reads.
    pub fn step_bytes(&self) -> [Option<usize>; STEPS.len()] {
        let (call, answer) = (Some(self.call_bytes), Some(self.answer_bytes));
        [None, call, call, call, None, None, answer, answer, answer, None]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::Pair;
    use spans::Gcd;

    #[test]
    fn a_traced_item_is_written_as_the_item_alone() {
        let pair = Pair::new(120_000, 180_000).unwrap();
        let bytes = postcard::to_stdvec(&pair).unwrap();
        assert_eq!(postcard::to_stdvec(&Traced::new(pair)).unwrap(), bytes);
        let list = vec![7u8; 300];
        let bytes = postcard::to_stdvec(&list).unwrap();
        assert_eq!(postcard::to_stdvec(&Traced::new(list)).unwrap(), bytes);
    }

    #[test]
    fn an_answer_s_bytes_are_its_own_and_then_the_stamps() {
        let stamps = Stamps { pid: u32::MAX, at_ns: [0, 1, 2, u64::MAX, 0] };
        for answer in [0u64, 60_000, u64::MAX] {
            let own = postcard::to_stdvec(&answer).unwrap();
            let bytes = postcard::to_stdvec(&Stamped { answer, stamps }).unwrap();
            assert_eq!(bytes[..own.len()], own);
            assert_eq!(bytes.len(), own.len() + STAMP_BYTES);
            let read: Stamped<u64> = postcard::from_bytes(&bytes).unwrap();
            assert_eq!((read.answer, read.stamps.pid), (answer, u32::MAX));
            assert_eq!(read.stamps.at_ns[..4], stamps.at_ns[..4]);
        }
    }

    #[test]
    fn a_trip_s_steps_follow_each_other() {
        let pair = Pair::new(120_000, 180_000).unwrap();
        let (begin, taken) = (now_ns(), now_ns());
        let call = postcard::to_stdvec(&Traced::new(pair)).unwrap();
        let written = now_ns();
        let there = traced::<Gcd>(postcard::from_bytes(&call).unwrap());
        let answer = postcard::to_stdvec(&there).unwrap();
        let arrived = now_ns();
        let read: Stamped<u64> = postcard::from_bytes(&answer).unwrap();
        let back = [arrived, now_ns(), now_ns()];
        let bytes = [call.len(), answer.len()];
        let trip = Trip::new(3, [begin, taken, written], read.stamps, back, bytes);
        assert_eq!((read.answer, trip.item, trip.pid), (60_000, 3, process::id()));
        assert!(trip.at_ns.is_sorted(), "{:?}", trip.at_ns);
        assert_eq!(trip.steps_ns().iter().sum::<u64>(), trip.total_ns());
        assert_eq!(trip.answer_bytes, postcard::to_stdvec(&60_000u64).unwrap().len());
    }
}
