//! How many calls a worker gets before it has answered the first.
//!
//! With one call at a time, the worker idles between its answer and the next call. This pause of
//! some microseconds does not matter beside a task of milliseconds, but it dominates a task of one
//! microsecond. With many calls at a time the pause is gone, but calls are assigned before their
//! cost is known, and may wait behind a long call while another worker idles. So each worker gets
//! one call at first, and as many calls as fit into a fifth of a millisecond once the tasks are
//! known to be short.
//!
//! A call is not taken back from a worker that lives. So a long item among many short items may
//! keep up to 63 of them waiting, and an item must not wait for a later item of its own map: the
//! later item may be queued behind it at the same worker.

/// How much work may wait at a worker, in nanoseconds.
const AHEAD: u64 = 200_000;

/// The most calls that a worker gets at a time.
const MOST: u64 = 64;

/// Measures tasks, and decides how many calls a worker may have. No lock guards the fields: a
/// `Batching` is part of the pool core, and the driving thread reads and writes it.
#[derive(Debug)]
pub struct Batching {
    /// Which workers have answered since the pool was last idle.
    answered: Vec<bool>,
    /// How many workers have not answered since then: the number of `false` in `answered`.
    silent: usize,
    /// A moving average of the tasks' times, in nanoseconds, serialisation included.
    nanoseconds: u64,
}

impl Batching {
    /// Starts without measurements, for this many workers.
    pub fn new(workers: usize) -> Self {
        Self { answered: vec![false; workers], silent: workers, nanoseconds: 0 }
    }

    /// Forgets everything: the next tasks may be of another length.
    pub fn forget(&mut self) {
        self.answered.fill(false);
        self.silent = self.answered.len();
    }

    /// Notes that this worker has answered, and how long it took.
    pub fn note(&mut self, worker: usize, nanoseconds: u64) {
        if self.silent == self.answered.len() {
            self.nanoseconds = nanoseconds;
        }
        if !self.answered[worker] {
            self.answered[worker] = true;
            self.silent -= 1;
        }
        // The newest time counts one eighth: one long task among many short ones is noticed at
        // once, and a task that was short but lost its core for a moment is soon forgotten.
        self.nanoseconds = self.nanoseconds - self.nanoseconds / 8 + nanoseconds / 8;
    }

    /// How many calls a worker may have.
    pub fn depth(&self) -> usize {
        if self.silent > 0 {
            return 1; // one call each, until every worker has shown what a task costs
        }
        (AHEAD / self.nanoseconds.max(1)).clamp(1, MOST) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_each_until_all_have_answered_then_as_many_as_are_short() {
        let mut batching = Batching::new(2);
        assert_eq!(batching.depth(), 1);
        batching.note(0, 10_000);
        batching.note(0, 10_000);
        assert_eq!(batching.depth(), 1, "worker B has not answered");
        batching.note(1, 10_000);
        assert_eq!(batching.depth(), 20);
        batching.note(1, 5_000_000);
        assert_eq!(batching.depth(), 1, "one long task is enough");
        for _ in 0..200 {
            batching.note(0, 10);
        }
        assert_eq!(batching.depth(), 64);
        batching.forget();
        assert_eq!(batching.depth(), 1);
    }

    #[test]
    fn tasks_that_take_no_time_are_no_division_by_zero() {
        let mut batching = Batching::new(1);
        batching.note(0, 0);
        assert_eq!(batching.depth(), 64);
        batching.note(0, u64::MAX);
        assert_eq!(batching.depth(), 1);
    }
}
