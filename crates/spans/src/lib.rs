//! Which worker ran which item, from when to when: what a picture of a real run is made from.
//!
//! No stage records anything for this. A timed task is an ordinary task whose answer carries its
//! own times, so it travels through threads and processes alike.

#![forbid(unsafe_code)]

use kernel::{Message, Pair, gcd, gcd_one_lock};
use nix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::process;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// A task with a name in the type system, so that [`timed`] can make a plain `fn` of it.
///
/// A wrapper that took the task as a value would be a closure, and a closure does not travel.
pub trait Task {
    /// One item.
    type In: Message;
    /// One answer.
    type Out: Message;
    /// Runs the task on one item.
    fn run(input: Self::In) -> Self::Out;
}

/// [`kernel::gcd`].
#[derive(Clone, Copy, Debug)]
pub struct Gcd;

impl Task for Gcd {
    type In = Pair;
    type Out = u64;
    fn run(pair: Pair) -> u64 {
        gcd(pair)
    }
}

/// [`kernel::gcd_one_lock`].
#[derive(Clone, Copy, Debug)]
pub struct GcdOneLock;

impl Task for GcdOneLock {
    type In = Pair;
    type Out = u64;
    fn run(pair: Pair) -> u64 {
        gcd_one_lock(pair)
    }
}

/// One item's run: where, and from when to when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// The process.
    pub pid: u32,
    /// The thread within the process, in the order in which threads first ran a timed task. (A
    /// `ThreadId` would not do: in every forked child it is 1.)
    pub lane: u32,
    /// When the task began: nanoseconds of `CLOCK_MONOTONIC`, one clock for all processes of a
    /// machine. (An `Instant` does not travel.)
    pub start_ns: u64,
    /// When it ended, on the same clock.
    pub end_ns: u64,
}

/// An answer and the span of its making.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Timed<R> {
    /// What the task returned.
    pub answer: R,
    /// Where and when it ran.
    pub span: Span,
}

/// Runs a task and notes which thread ran it, and when: `pool.map(timed::<Gcd>, pairs)`.
///
/// # Panics
/// If the task panics.
// ANCHOR: timed
pub fn timed<T: Task>(input: T::In) -> Timed<T::Out> {
    let start_ns = now_ns();
    let answer = T::run(input);
    let end_ns = now_ns();
    Timed { answer, span: Span { pid: process::id(), lane: lane(), start_ns, end_ns } }
}
// ANCHOR_END: timed

/// Nanoseconds of `CLOCK_MONOTONIC`: since some moment that all processes of this machine share.
///
/// # Panics
/// If the system has no such clock; all that Rust's standard library supports have.
pub fn now_ns() -> u64 {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("there is a monotonic clock");
    now.tv_sec() as u64 * 1_000_000_000 + now.tv_nsec() as u64
}

/// This thread's number within its process, in the order in which threads first asked for one.
pub fn lane() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    thread_local! {
        static LANE: Cell<Option<u32>> = const { Cell::new(None) };
    }
    LANE.get().unwrap_or_else(|| {
        let lane = NEXT.fetch_add(1, Relaxed);
        LANE.set(Some(lane));
        lane
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn a_timed_task_gives_the_answer_and_a_span_of_its_thread() {
        let pair = || Pair::new(120_000, 180_000).unwrap();
        let here = timed::<Gcd>(pair());
        let again = timed::<GcdOneLock>(pair());
        let there = thread::spawn(move || timed::<Gcd>(pair())).join().unwrap();
        assert_eq!([here.answer, again.answer, there.answer], [60_000; 3]);
        assert!(here.span.start_ns < here.span.end_ns);
        assert!(here.span.end_ns <= again.span.start_ns);
        assert_eq!(here.span.lane, again.span.lane);
        assert_ne!(here.span.lane, there.span.lane);
        assert_eq!(here.span.pid, there.span.pid);
    }
}
