//! A client: a thread that uses the pool in every way there is.

use super::job::{Done, End, Job, work};
use super::ledger::{Deed, Expected, Ledger};
use fastrand::Rng;
use kernel::{Bytes, TaskError};
use process_futures::{MapOptions, ProcessPoolExecutor, ReturnWhen, as_completed, wait};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The main loop of one client.
pub fn run(
    pool: &ProcessPoolExecutor,
    number: u64,
    seed: u64,
    over: &AtomicBool,
    ledger: &Mutex<Ledger>,
) {
    let dice = Rng::with_seed(seed.wrapping_add(number));
    let mut client = Client { pool, number, dice, longest: 0, ledger };
    while !over.load(Relaxed) {
        match client.dice.u8(0..7) {
            0 => client.in_order(),
            1 => client.as_completed(),
            2 => client.waited_for(),
            3 => client.some_cancelled(),
            4 => client.some_given_up(),
            5 => client.one_by_one(),
            _ => client.mapped(),
        }
    }
}

struct Client<'p> {
    pool: &'p ProcessPoolExecutor,
    number: u64,
    dice: Rng,
    /// The present jobs take less than two to this power, in microseconds.
    longest: u32,
    /// The ledger. This mutex guards it: the client writes, and the watch looks for items that
    /// wait too long.
    ledger: &'p Mutex<Ledger>,
}

impl Client<'_> {
    fn enter(&self, expected: Expected, deed: Deed, result: Result<Done, TaskError>) {
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        ledger.enter(expected, deed, result);
    }

    /// A job that ends by itself.
    fn job(&mut self) -> Job {
        let microseconds = 1 << self.dice.u32(0..self.longest);
        let mut ledger = self.ledger.lock().unwrap_or_else(PoisonError::into_inner);
        let number = ledger.open(self.number, microseconds);
        drop(ledger);
        let end = match self.dice.u16(0..300) {
            0 => End::Exit,
            1..=6 => End::Panic,
            _ => End::Answer(self.size()),
        };
        let payload = Bytes::from(vec![self.dice.u8(..); self.size()]);
        Job { number, microseconds, end, payload }
    }

    /// A payload's size: often small, sometimes a megabyte and more.
    fn size(&mut self) -> usize {
        let most = if self.dice.u8(..) == 0 { 22 } else { 12 };
        let bits = self.dice.u32(0..=most);
        self.dice.usize(0..1 << bits)
    }

    /// Some jobs. Half of the time all are short, so that workers get many calls at a time.
    fn jobs(&mut self, most: usize) -> Vec<Job> {
        self.longest = if self.dice.bool() { 3 } else { 12 };
        (0..self.dice.usize(1..=most)).map(|_| self.job()).collect()
    }

    fn in_order(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (expected, future) in expected.into_iter().zip(futures) {
            self.enter(expected, Deed::Nothing, future.result());
        }
    }

    #[expect(clippy::mutable_key_type, reason = "a future's hash is of what never changes")]
    fn as_completed(&mut self) {
        let jobs = self.jobs(40);
        let futures: HashMap<_, _> = jobs
            .into_iter()
            .map(|job| {
                let expected = Expected::of(&job);
                (self.pool.submit(work, job), expected)
            })
            .collect();
        for future in as_completed(futures.keys().cloned()) {
            self.enter(futures[&future], Deed::Nothing, future.result());
        }
    }

    fn waited_for(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        let first = wait(futures.clone(), None, ReturnWhen::FirstCompleted);
        assert!(!first.done.is_empty(), "it has waited for one");
        let time = Duration::from_micros(self.dice.u64(0..2000));
        wait(first.not_done, Some(time), ReturnWhen::FirstException);
        let all = wait(futures, None, ReturnWhen::AllCompleted);
        assert!(all.not_done.is_empty(), "it has waited for all");
        for (expected, future) in expected.into_iter().zip(all.done) {
            self.enter(expected, Deed::Nothing, future.result());
        }
    }

    fn some_cancelled(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (expected, future) in expected.into_iter().zip(futures).rev() {
            let cancels = self.dice.bool();
            let deed = if cancels { Deed::Cancelled(future.cancel()) } else { Deed::Nothing };
            self.enter(expected, deed, future.result());
        }
    }

    /// Some time limits, each shorter than its job: so a job that times out has earned it, and a
    /// job that was submitted long before may have its answer all the same.
    fn some_given_up(&mut self) {
        let mut jobs = self.jobs(6);
        let never = self.dice.usize(0..jobs.len());
        jobs[never].end = End::Never;
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let lengths: Vec<_> = jobs.iter().map(|job| job.microseconds).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (at, (expected, future)) in expected.into_iter().zip(futures).enumerate() {
            let microseconds = if at == never { 5000 } else { lengths[at] };
            if at != never && self.dice.u8(0..4) > 0 {
                self.enter(expected, Deed::Nothing, future.result());
                continue;
            }
            let limit = Duration::from_micros(self.dice.u64(0..microseconds));
            let start = Instant::now();
            let result = future.result_or_kill(limit);
            self.enter(expected, Deed::Limited { limit, waited: start.elapsed() }, result);
        }
    }

    fn one_by_one(&mut self) {
        for job in self.jobs(40) {
            let expected = Expected::of(&job);
            let result = self.pool.submit(work, job).result();
            self.enter(expected, Deed::Nothing, result);
        }
    }

    fn mapped(&mut self) {
        let jobs = self.jobs(40);
        let chunksize = NonZeroUsize::MIN.saturating_add(self.dice.usize(0..5));
        let expected: Vec<_> = jobs.chunks(chunksize.get()).flat_map(Expected::of_call).collect();
        let options = MapOptions {
            chunksize,
            buffersize: NonZeroUsize::new(self.dice.usize(0..10)),
            timeout: None,
            unordered: false,
        };
        let results = self.pool.map_with(work, jobs, options);
        let mut yielded = 0;
        for (expected, result) in expected.iter().zip(results) {
            self.enter(*expected, Deed::Nothing, result);
            yielded += 1;
        }
        assert_eq!(yielded, expected.len(), "an outcome for each item");
    }
}
