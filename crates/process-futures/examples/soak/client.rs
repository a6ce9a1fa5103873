//! A client: a thread that uses the pool in every way there is.

use super::job::{End, Job, work};
use super::ledger::{Expected, Ledger};
use fastrand::Rng;
use kernel::Bytes;
use process_futures::{MapOptions, ProcessPoolExecutor, ReturnWhen, as_completed, wait};
use std::collections::HashMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

/// The main loop of one client.
pub fn run(pool: &ProcessPoolExecutor, client: u64, seed: u64, over: &AtomicBool) -> Ledger {
    let mut client = Client {
        pool,
        number: client,
        dice: Rng::with_seed(seed.wrapping_add(client)),
        ledger: Ledger::default(),
    };
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
    client.ledger
}

struct Client<'p> {
    pool: &'p ProcessPoolExecutor,
    number: u64,
    dice: Rng,
    ledger: Ledger,
}

impl Client<'_> {
    /// A job that ends by itself.
    fn job(&mut self) -> Job {
        let number = self.ledger.open(self.number);
        let end = match self.dice.u16(0..300) {
            0 => End::Exit,
            1..=6 => End::Panic,
            _ => End::Answer(self.size()),
        };
        let microseconds = 1 << self.dice.u32(0..12);
        let payload = Bytes::from(vec![self.dice.u8(..); self.size()]);
        Job { number, microseconds, end, payload }
    }

    /// A payload's size: often small, sometimes a megabyte and more.
    fn size(&mut self) -> usize {
        let most = if self.dice.u8(..) == 0 { 22 } else { 12 };
        let bits = self.dice.u32(0..=most);
        self.dice.usize(0..1 << bits)
    }

    fn jobs(&mut self, most: usize) -> Vec<Job> {
        (0..self.dice.usize(1..=most)).map(|_| self.job()).collect()
    }

    fn in_order(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (expected, future) in expected.into_iter().zip(futures) {
            self.ledger.enter(expected, future.result());
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
            self.ledger.enter(futures[&future], future.result());
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
            self.ledger.enter(expected, future.result());
        }
    }

    fn some_cancelled(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (expected, future) in expected.into_iter().zip(futures).rev() {
            if self.dice.bool() {
                future.cancel();
            }
            self.ledger.enter(expected, future.result());
        }
    }

    fn some_given_up(&mut self) {
        let mut jobs = self.jobs(6);
        let never = self.dice.usize(0..jobs.len());
        jobs[never].end = End::Never;
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let futures: Vec<_> = jobs.into_iter().map(|job| self.pool.submit(work, job)).collect();
        for (at, (expected, future)) in expected.into_iter().zip(futures).enumerate() {
            let result = if at == never || self.dice.u8(0..4) == 0 {
                future.result_or_kill(Duration::from_micros(self.dice.u64(0..5000)))
            } else {
                future.result()
            };
            self.ledger.enter(expected, result);
        }
    }

    fn one_by_one(&mut self) {
        for _ in 0..self.dice.usize(1..40) {
            let job = self.job();
            let expected = Expected::of(&job);
            let result = self.pool.submit(work, job).result();
            self.ledger.enter(expected, result);
        }
    }

    fn mapped(&mut self) {
        let jobs = self.jobs(40);
        let expected: Vec<_> = jobs.iter().map(Expected::of).collect();
        let options = MapOptions {
            chunksize: NonZeroUsize::MIN.saturating_add(self.dice.usize(0..5)),
            buffersize: NonZeroUsize::new(self.dice.usize(0..10)),
            timeout: None,
            unordered: false,
        };
        let results = self.pool.map_with(work, jobs, options);
        let mut yielded = 0;
        for (expected, result) in expected.iter().zip(results) {
            self.ledger.enter(*expected, result);
            yielded += 1;
        }
        assert_eq!(yielded, expected.len(), "an outcome for each item");
    }
}
