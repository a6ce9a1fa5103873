//! A schedule that really ran: which worker had which item, from when to when.

use serde::{Deserialize, Serialize};
use spans::Span;
use std::collections::HashMap;

/// One item's place in a picture.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ItemSpan {
    /// Which item, counted from 0.
    pub item: usize,
    /// Which worker, counted from 0 in the order in which they first began an item.
    pub worker: usize,
    /// When the worker began it, in seconds from the beginning of the call.
    pub start: f64,
    /// When the worker was done with it, in seconds from the beginning of the call.
    pub end: f64,
}

/// One round of one stage.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// What ran: the name of its row in the table.
    pub name: String,
    /// How many workers there were, also those that got nothing.
    pub workers: usize,
    /// How long the call took, in seconds.
    pub seconds: f64,
    /// Every item's place, in the order of the items.
    pub places: Vec<ItemSpan>,
}

impl Picture {
    /// The picture of a call that began and ended at these times (nanoseconds of the spans'
    /// clock), from the spans of its items, in the order of the items.
    pub(crate) fn new(
        name: &str,
        workers: usize,
        (begin_ns, end_ns): (u64, u64),
        spans: &[Span],
    ) -> Self {
        // A worker is a thread of a process. They are numbered as they come, since a pool's own
        // numbers say nothing about who began first.
        let mut by_start: Vec<&Span> = spans.iter().collect();
        by_start.sort_by_key(|span| span.start_ns);
        let mut numbers = HashMap::new();
        for span in by_start {
            let next = numbers.len();
            numbers.entry((span.pid, span.lane)).or_insert(next);
        }
        let since = |ns: u64| ns.saturating_sub(begin_ns) as f64 / 1e9;
        let place = |(item, span): (usize, &Span)| ItemSpan {
            item,
            worker: numbers[&(span.pid, span.lane)],
            start: since(span.start_ns),
            end: since(span.end_ns),
        };
        Self {
            name: name.to_owned(),
            workers: workers.max(numbers.len()),
            seconds: since(end_ns),
            places: spans.iter().enumerate().map(place).collect(),
        }
    }

    /// The places of one worker, in the order in which it ran them.
    pub(crate) fn lane(&self, worker: usize) -> Vec<ItemSpan> {
        let mut lane: Vec<ItemSpan> =
            self.places.iter().copied().filter(|place| place.worker == worker).collect();
        lane.sort_by(|a, b| a.start.total_cmp(&b.start));
        lane
    }

    /// Are there so many items that their numbers would not be read?
    pub(crate) fn crowded(&self) -> bool {
        self.places.len() > 16 * self.workers.min(6)
    }
}

#[cfg(test)]
pub(crate) fn sample(name: &str, workers: usize, places: &[(usize, f64, f64)]) -> Picture {
    let place = |(item, &(worker, start, end))| ItemSpan { item, worker, start, end };
    let seconds = places.iter().map(|&(_, _, end)| end).fold(0.0, f64::max);
    let places = places.iter().enumerate().map(place).collect();
    Picture { name: name.to_owned(), workers, seconds, places }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_are_numbered_as_they_begin() {
        let span = |pid, lane, start_ns, end_ns| Span { pid, lane, start_ns, end_ns };
        let spans = [span(9, 0, 1_300, 1_900), span(7, 5, 1_100, 1_200), span(7, 5, 1_250, 2_000)];
        let picture = Picture::new("two", 3, (1_000, 2_000), &spans);
        let seen: Vec<_> = picture.places.iter().map(|p| (p.item, p.worker)).collect();
        assert_eq!(seen, [(0, 1), (1, 0), (2, 0)]);
        assert_eq!(picture.seconds, 1e-6);
        assert_eq!(picture.lane(0).iter().map(|p| p.item).collect::<Vec<_>>(), [1, 2]);
        assert_eq!((picture.workers, picture.lane(2).len()), (3, 0));
    }
}
