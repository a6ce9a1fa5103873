//! What a run can gain at most, and what it should gain.
//!
//! Everything on this page is arithmetic on costs that are known beforehand: no clock, no thread.
//! A prediction from here stands beside every measurement of the kit.
//!
//! Costs are whole numbers in a unit of the caller's choice; the kit counts the
//! candidates that the countdown tries ([`kernel::steps`]).

#![forbid(unsafe_code)]

pub mod leverage;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::num::NonZeroUsize;

/// Which worker gets which item.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// Contiguous chunks of `items / workers`, rounded up.
    CeilChunks,
    /// Contiguous chunks whose sizes differ by one at most.
    BalancedChunks,
    /// The next item, in input order, to the worker that is free first.
    Queue,
    /// The longest item that is left, to the worker that is free first (Graham's LPT rule, 1969).
    /// This rule needs the costs beforehand, which chunks and queue do not.
    LongestFirst,
}

impl Policy {
    /// All four, in the order in which the lessons meet them.
    pub const ALL: [Self; 4] =
        [Self::CeilChunks, Self::BalancedChunks, Self::Queue, Self::LongestFirst];

    /// The policy's name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::CeilChunks => "contiguous chunks",
            Self::BalancedChunks => "balanced chunks",
            Self::Queue => "a queue",
            Self::LongestFirst => "longest first",
        }
    }

    /// The policy's name in JSON, paths and placeholders: one word.
    pub fn key(self) -> &'static str {
        match self {
            Self::CeilChunks => "ceil-chunks",
            Self::BalancedChunks => "balanced-chunks",
            Self::Queue => "queue",
            Self::LongestFirst => "longest-first",
        }
    }
}

/// One item's place in a schedule. Times count from the beginning of the run, in the costs' unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Slot {
    /// Which item, counted from 0.
    pub item: usize,
    /// Which worker, counted from 0.
    pub worker: usize,
    /// When the worker starts it.
    pub start: u64,
    /// When the worker is done with it.
    pub end: u64,
}

/// The schedule that a policy makes of these costs: one slot per item, in the order of the items.
///
/// Nothing but the items takes time: starting, sending and waiting are free here. What a
/// measurement falls short of this is what they cost.
pub fn plan(policy: Policy, costs: &[u64], workers: NonZeroUsize) -> Vec<Slot> {
    let (count, workers) = (costs.len(), workers.get());
    match policy {
        Policy::CeilChunks => chunks(costs, (0..workers).map(|_| count.div_ceil(workers))),
        Policy::BalancedChunks => {
            chunks(costs, (0..workers).map(|w| count / workers + usize::from(w < count % workers)))
        }
        Policy::Queue => first_free(costs, 0..count, workers),
        Policy::LongestFirst => {
            let mut order: Vec<usize> = (0..count).collect();
            order.sort_by_key(|&item| Reverse(costs[item])); // stable: equal costs keep input order
            first_free(costs, order, workers)
        }
    }
}

/// Each worker runs the next `size` items, one after the other.
fn chunks(costs: &[u64], sizes: impl Iterator<Item = usize>) -> Vec<Slot> {
    let mut items = costs.iter().enumerate();
    let mut slots = Vec::with_capacity(costs.len());
    for (worker, size) in sizes.enumerate() {
        let mut start = 0;
        for (item, cost) in items.by_ref().take(size) {
            slots.push(Slot { item, worker, start, end: start + cost });
            start += cost;
        }
    }
    slots
}

/// Each item of `order` goes to the worker that is free first; of several, to the lowest number.
fn first_free(costs: &[u64], order: impl IntoIterator<Item = usize>, workers: usize) -> Vec<Slot> {
    let mut free: BinaryHeap<_> = (0..workers).map(|worker| Reverse((0, worker))).collect();
    let mut slots = Vec::with_capacity(costs.len());
    for item in order {
        let Reverse((start, worker)) = free.pop().expect("there is one worker at least");
        let end = start + costs[item];
        free.push(Reverse((end, worker)));
        slots.push(Slot { item, worker, start, end });
    }
    slots.sort_unstable_by_key(|slot| slot.item);
    slots
}

/// When the last worker is done, in the costs' unit.
pub fn makespan(policy: Policy, costs: &[u64], workers: NonZeroUsize) -> u64 {
    plan(policy, costs, workers).iter().map(|slot| slot.end).max().unwrap_or(0)
}

/// The predicted speed-up: all costs one after the other, divided by the makespan. 1 if there is
/// nothing to do.
pub fn speedup(policy: Policy, costs: &[u64], workers: NonZeroUsize) -> f64 {
    ratio(costs.iter().sum(), makespan(policy, costs, workers))
}

/// What no schedule can beat: a speed-up of `workers`, and of total / longest, because an item is
/// run by one worker from its start to its end. 1 if there is nothing to do.
pub fn bound(costs: &[u64], workers: NonZeroUsize) -> f64 {
    let longest = costs.iter().copied().max().unwrap_or(0);
    ratio(costs.iter().sum(), longest).min(workers.get() as f64)
}

fn ratio(total: u64, part: u64) -> f64 {
    if total == 0 { 1.0 } else { total as f64 / part as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{steps, ten_pairs};
    use proptest::prelude::*;

    fn workers(n: usize) -> NonZeroUsize {
        NonZeroUsize::new(n).unwrap()
    }

    fn ten() -> Vec<u64> {
        ten_pairs().into_iter().map(steps).collect()
    }

    /// Two decimals, as the tables print them.
    fn shown(policy: Policy, n: usize) -> String {
        format!("{:.2}", speedup(policy, &ten(), workers(n)))
    }

    #[test]
    fn the_figures_of_the_ten_pairs() {
        let costs = ten();
        assert_eq!(format!("{:.2}", bound(&costs, workers(10))), "5.39");
        assert_eq!(bound(&costs, workers(2)), 2.0);
        assert_eq!([2, 3, 4].map(|n| shown(Policy::CeilChunks, n)), ["1.84", "2.59", "2.31"]);
        assert_eq!([3, 4].map(|n| shown(Policy::BalancedChunks, n)), ["2.31", "3.72"]);
        assert_eq!([2, 3, 4, 8].map(|n| shown(Policy::Queue, n)), ["1.97", "2.71", "3.03", "4.27"]);
        assert_eq!([2, 6].map(|n| shown(Policy::LongestFirst, n)), ["1.99", "5.39"]);
    }

    #[test]
    fn rounding_up_leaves_some_workers_nothing() {
        for n in 6..=9 {
            let slots = plan(Policy::CeilChunks, &ten(), workers(n));
            let busy = slots.iter().map(|slot| slot.worker).max().unwrap() + 1;
            assert_eq!(busy, 5, "{n} workers");
        }
        let slots = plan(Policy::BalancedChunks, &ten(), workers(9));
        assert_eq!(slots.iter().map(|slot| slot.worker).max(), Some(8));
    }

    #[test]
    fn a_queue_is_not_always_better_than_chunks() {
        assert!(
            makespan(Policy::BalancedChunks, &ten(), workers(4))
                < makespan(Policy::Queue, &ten(), workers(4))
        );
    }

    #[test]
    fn nothing_to_do_takes_no_time() {
        for policy in Policy::ALL {
            assert_eq!(plan(policy, &[], workers(3)), []);
            assert_eq!(speedup(policy, &[], workers(3)), 1.0);
            assert_eq!(speedup(policy, &[0, 0], workers(3)), 1.0);
        }
        assert_eq!(bound(&[], workers(3)), 1.0);
    }

    proptest! {
        #[test]
        fn every_plan_is_a_schedule(
            costs in prop::collection::vec(0..1000u64, 0..40),
            n in 1..12usize,
        ) {
            for policy in Policy::ALL {
                let slots = plan(policy, &costs, workers(n));
                // Each item once, in item order, for its own cost, by a worker that exists.
                prop_assert!(slots.iter().map(|slot| slot.item).eq(0..costs.len()));
                for slot in &slots {
                    prop_assert_eq!(slot.end - slot.start, costs[slot.item]);
                    prop_assert!(slot.worker < n);
                }
                // No worker does two things at once, and none waits while it has something to do.
                for worker in 0..n {
                    let mut own: Vec<_> = slots.iter().filter(|s| s.worker == worker).collect();
                    own.sort_by_key(|slot| (slot.start, slot.end));
                    let mut free = 0;
                    for slot in own {
                        prop_assert_eq!(slot.start, free);
                        free = slot.end;
                    }
                }
                // No schedule beats the bound; a queue is within Graham's factor of the best.
                let gained = speedup(policy, &costs, workers(n));
                prop_assert!(gained <= bound(&costs, workers(n)) * (1.0 + 1e-12));
                if matches!(policy, Policy::Queue | Policy::LongestFirst) {
                    let factor = 2.0 - 1.0 / n as f64;
                    prop_assert!(gained * factor * (1.0 + 1e-12) >= bound(&costs, workers(n)));
                }
            }
        }
    }
}
