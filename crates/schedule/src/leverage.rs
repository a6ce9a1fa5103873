//! When do more workers pay? Arithmetic on what a stage costs and what an item is.
//!
//! `n` items are given, each of which computes for `c` seconds and sends `b` bytes, both ways
//! together. A stage has `w` workers on `k` real cores, and adds to each item
//!
//! ```text
//! o = round trip + b × seconds per byte
//! ```
//!
//! Then the items take, from the call to the last answer,
//!
//! ```text
//! T = start + max of   ⌈n / w⌉ × (c + o)    the worker with the most items does them one by one
//!                      n × (c + o) / k      no core does two things at once
//!                      n × o / 2            one caller hands every item out and takes it back
//! ```
//!
//! and the loop takes `n × c`. The speed-up is one divided by the other.
//!
//! What the formula takes for granted: items that cost about the same; cores that nobody else uses;
//! half of `o` is the caller's work and half the worker's (each byte is written once and read once,
//! on its way out and on its way back, so this is near the truth for processes); and a memory that
//! serves all cores at once, which large blocks can disprove. Lesson 7 measures how far off it is.

use std::num::NonZeroUsize;

/// What a stage adds to the work: three numbers, measured on the machine in question.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Costs {
    /// Seconds to get the workers ready, once in a call.
    pub start: f64,
    /// Seconds for an item of no size to go there and back, in a row of many.
    pub round_trip: f64,
    /// Seconds for one more byte, there or back. Zero where memory is shared.
    pub seconds_per_byte: f64,
}

impl Costs {
    /// A loop: nothing is added.
    pub const NONE: Self = Self { start: 0.0, round_trip: 0.0, seconds_per_byte: 0.0 };

    /// The same stage when its workers are there already.
    pub fn started(self) -> Self {
        Self { start: 0.0, ..self }
    }

    /// Seconds that an item with this many bytes costs beside its computing: `o`.
    pub fn overhead(self, bytes: u64) -> f64 {
        self.round_trip + bytes as f64 * self.seconds_per_byte
    }
}

/// The work: so many items of one kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// How many: `n`.
    pub items: NonZeroUsize,
    /// Seconds that the loop takes for one: `c`.
    pub seconds: f64,
    /// Bytes of one that cross to a worker and back, both ways together: `b`.
    pub bytes: u64,
}

/// What the work runs on: so many workers, on so many cores.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// How many workers: `w`.
    pub workers: NonZeroUsize,
    /// How many real cores they and their caller share: `k`.
    pub cores: NonZeroUsize,
}

impl Capacity {
    /// How many items the busiest worker gets.
    fn most(self, items: NonZeroUsize) -> f64 {
        items.get().div_ceil(self.workers.get()) as f64
    }

    /// For each limit of `T`, how many times it counts `c`, and how many times `o`.
    fn limits(self, items: NonZeroUsize) -> [(f64, f64); 3] {
        let (count, cores) = (items.get() as f64, self.cores.get() as f64);
        let most = self.most(items);
        [(most, most), (count / cores, count / cores), (0.0, count / 2.0)]
    }
}

/// The seconds that a job takes on this many workers and cores, where the stage costs this: `T`.
pub fn seconds(job: Job, costs: Costs, capacity: Capacity) -> f64 {
    let overhead = costs.overhead(job.bytes);
    let limits = capacity.limits(job.items).map(|(c, o)| c * job.seconds + o * overhead);
    costs.start + limits.into_iter().fold(0.0, f64::max)
}

/// The predicted speed-up: the loop's time divided by [`seconds`]. 1 if neither takes any time.
pub fn speedup(job: Job, costs: Costs, capacity: Capacity) -> f64 {
    let (alone, together) = (job.items.get() as f64 * job.seconds, seconds(job, costs, capacity));
    if together == 0.0 { 1.0 } else { alone / together }
}

/// The speed-up that no stage can beat: the workers or the cores, whichever are fewer; less where
/// the items cannot be dealt out evenly.
pub fn bound(items: NonZeroUsize, capacity: Capacity) -> f64 {
    (items.get() as f64 / capacity.most(items)).min(capacity.cores.get() as f64)
}

/// The break-even: how many seconds an item must compute for a speed-up of 1. With more computing
/// the workers win, with less the loop does.
///
/// None if the workers cannot win, whatever an item computes: one worker, one core, or one item.
pub fn break_even(
    items: NonZeroUsize,
    bytes: u64,
    costs: Costs,
    capacity: Capacity,
) -> Option<f64> {
    let (count, overhead) = (items.get() as f64, costs.overhead(bytes));
    // T(c) is the greatest of three straight lines, and n × c has to reach all of them.
    let reaches =
        |(c, o): (f64, f64)| (c < count).then(|| (costs.start + o * overhead) / (count - c));
    capacity
        .limits(items)
        .into_iter()
        .map(reaches)
        .try_fold(0.0, |most, seconds| Some(f64::max(most, seconds?)))
}

/// The other way round: how many seconds each item costs beside its computing (`o`), from the time
/// that items without computing took on workers that had started.
pub fn overhead_from(seconds: f64, items: NonZeroUsize, capacity: Capacity) -> f64 {
    let most = capacity.limits(items).into_iter().map(|(_, o)| o).fold(0.0, f64::max);
    seconds / most
}

/// Which of these stages to take: the place of the one that is predicted to be done first. Of
/// those that are predicted within 5 % of it the first in the list, so list the simpler ones
/// first.
///
/// # Panics
/// If the list is empty.
pub fn best(job: Job, stages: &[Costs], capacities: &[Capacity]) -> usize {
    let times: Vec<f64> = stages
        .iter()
        .zip(capacities)
        .map(|(&costs, &capacity)| seconds(job, costs, capacity))
        .collect();
    first_near_best(&times, 0.05)
}

/// The place of the first time that is within this share of the least one.
///
/// # Panics
/// If there is no time.
pub fn first_near_best(times: &[f64], share: f64) -> usize {
    let least = times.iter().copied().fold(f64::INFINITY, f64::min);
    let near = |&time: &f64| time <= least * (1.0 + share);
    times.iter().position(near).expect("there is a time, and the least one is near itself")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn n(number: usize) -> NonZeroUsize {
        NonZeroUsize::new(number).unwrap()
    }

    fn capacity(workers: usize, cores: usize) -> Capacity {
        Capacity { workers: n(workers), cores: n(cores) }
    }

    fn job(items: usize, seconds: f64, bytes: u64) -> Job {
        Job { items: n(items), seconds, bytes }
    }

    /// 10 ms to start, 20 µs a trip, a GB a second.
    const POOL: Costs = Costs { start: 0.01, round_trip: 20e-6, seconds_per_byte: 1e-9 };

    #[test]
    fn the_formula_by_hand() {
        // 100 items of 1 ms and 100,000 bytes: o is 0.12 ms.
        let job = job(100, 1e-3, 100_000);
        let near = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} and {b}");
        near(seconds(job, POOL, capacity(4, 8)), 0.01 + 25.0 * 1.12e-3);
        near(seconds(job, POOL, capacity(4, 2)), 0.01 + 50.0 * 1.12e-3);
        near(seconds(job, POOL, capacity(3, 8)), 0.01 + 34.0 * 1.12e-3);
        // With many workers the caller is what everybody waits for.
        near(seconds(job, POOL, capacity(100, 100)), 0.01 + 50.0 * 0.12e-3);
        near(speedup(job, POOL, capacity(4, 8)), 0.1 / 0.038);
    }

    #[test]
    fn the_loop_gains_nothing_and_costs_nothing() {
        assert_eq!(speedup(job(7, 0.5, 1 << 40), Costs::NONE, capacity(1, 1)), 1.0);
        assert_eq!(speedup(job(7, 0.0, 5), Costs::NONE, capacity(3, 3)), 1.0);
    }

    #[test]
    fn workers_beyond_the_cores_do_not_help() {
        let job = job(1000, 2e-3, 100_000);
        assert_eq!(seconds(job, POOL, capacity(2, 2)), seconds(job, POOL, capacity(8, 2)));
        assert_eq!(bound(n(1000), capacity(8, 2)), 2.0);
        assert_eq!(bound(n(1000), capacity(8, 16)), 8.0);
        assert_eq!(bound(n(10), capacity(4, 16)), 10.0 / 3.0);
    }

    #[test]
    fn one_worker_one_core_and_one_item_never_break_even() {
        for (items, capacity) in [(9, capacity(1, 8)), (9, capacity(8, 1)), (1, capacity(8, 8))] {
            assert_eq!(break_even(n(items), 0, POOL, capacity), None);
        }
    }

    #[test]
    fn of_stages_that_are_about_as_fast_the_simpler_one_is_taken() {
        let two = capacity(2, 2);
        let tiny = Costs { start: 50e-6, round_trip: 1e-7, seconds_per_byte: 0.0 };
        let stages = [Costs::NONE, tiny, POOL.started()];
        let capacities = [capacity(1, 2), two, two];
        assert_eq!(best(job(10, 1e-7, 16), &stages, &capacities), 0);
        assert_eq!(best(job(100, 1e-3, 16), &stages, &capacities), 1, "processes are as fast");
        let locked = [Costs::NONE, POOL.started()];
        assert_eq!(
            best(job(100, 1e-3, 16), &locked, &capacities[1..]),
            0,
            "the caller says what each runs on"
        );
        assert_eq!(best(job(100, 1e-3, 16), &locked, &[capacities[0], two]), 1);
    }

    prop_compose! {
        fn some_costs()(
            start in 0.0..0.1f64,
            round_trip in 1e-8..1e-3f64,
            seconds_per_byte in 0.0..1e-7f64,
        ) -> Costs {
            Costs { start, round_trip, seconds_per_byte }
        }
    }

    proptest! {
        #[test]
        fn never_above_the_bound_and_the_bound_never_above_workers_cores_items(
            costs in some_costs(), items in 1..2000usize, c in 1e-7..1.0f64,
            bytes in 0..1u64 << 24, w in 1..64usize, k in 1..64usize,
        ) {
            let (job, capacity) = (job(items, c, bytes), capacity(w, k));
            let bound = bound(job.items, capacity);
            prop_assert!(speedup(job, costs, capacity) <= bound * (1.0 + 1e-12));
            prop_assert!(bound <= w.min(k).min(items) as f64);
            prop_assert!(bound <= (items as f64 / items.div_ceil(w) as f64) + 1e-12);
        }

        #[test]
        fn each_number_moves_it_the_right_way(
            costs in some_costs(), items in 1..500usize, c in 1e-7..1.0f64,
            bytes in 0..1u64 << 24, w in 1..64usize, k in 1..64usize,
            factor in 1.0..50.0f64,
        ) {
            let (job, capacity) = (job(items, c, bytes), capacity(w, k));
            let now = seconds(job, costs, capacity);
            let gain = speedup(job, costs, capacity);
            let more_bytes = Job { bytes: bytes * 2 + 1, ..job };
            let longer = Job { seconds: c * factor, ..job };
            let slower = [
                Costs { start: costs.start * factor, ..costs },
                Costs { round_trip: costs.round_trip * factor, ..costs },
                Costs { seconds_per_byte: costs.seconds_per_byte * factor, ..costs },
            ];
            let (fewer_workers, fewer_cores) = (
                Capacity { workers: n(w.div_ceil(2)), ..capacity },
                Capacity { cores: n(k.div_ceil(2)), ..capacity },
            );
            let slack = 1.0 + 1e-12;
            prop_assert!(seconds(more_bytes, costs, capacity) * slack >= now);
            prop_assert!(speedup(longer, costs, capacity) * slack >= gain, "more to compute pays");
            for slower in slower {
                prop_assert!(seconds(job, slower, capacity) * slack >= now);
            }
            prop_assert!(seconds(job, costs, fewer_workers) * slack >= now);
            prop_assert!(seconds(job, costs, fewer_cores) * slack >= now);
        }

        #[test]
        fn at_the_break_even_the_speedup_is_one(
            costs in some_costs(), items in 2..500usize, bytes in 0..1u64 << 24,
            w in 2..64usize, k in 2..64usize,
        ) {
            let (items, capacity) = (n(items), capacity(w, k));
            let c = break_even(items, bytes, costs, capacity).unwrap();
            let at = |seconds| speedup(Job { items, seconds, bytes }, costs, capacity);
            prop_assert!((at(c) - 1.0).abs() < 1e-9, "{}", at(c));
            prop_assert!(at(c * 0.9) < 1.0 && at(c * 1.1) > 1.0);
        }

        #[test]
        fn an_overhead_is_found_again(
            costs in some_costs(), items in 1..500usize, w in 1..64usize, k in 1..64usize,
            bytes in 0..1u64 << 24,
        ) {
            let (job, capacity) = (job(items, 0.0, bytes), capacity(w, k));
            let found = overhead_from(seconds(job, costs.started(), capacity), job.items, capacity);
            prop_assert!((found / costs.overhead(bytes) - 1.0).abs() < 1e-9);
        }
    }
}
