//! A client's ledger: one entry for each item that the client has submitted.

use super::job::{Done, End, Job, sum};
use kernel::{Ran, TaskError, TaskErrorKind};

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The item has no outcome yet.
    Open,
    /// The item has the right answer.
    Answered,
    /// The item ended in the panic that was planned.
    Panicked,
    /// The item's worker died.
    Died,
    /// The item was cancelled.
    Cancelled,
    /// The item was given up after its time limit.
    TimedOut,
    /// The item has a wrong answer, or an error that must not happen.
    Wrong,
    /// The item has more than one outcome.
    Twice,
}

/// The facts of a job that are needed to judge its answer.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    number: u64,
    end: End,
    sum: u64,
}

impl Expected {
    /// The expected answer of this job.
    pub fn of(job: &Job) -> Self {
        Self { number: job.number, end: job.end, sum: sum(&job.payload) }
    }
}

/// All items of one client, by the lower half of their numbers.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The outcome of each item, and whether its error says that it ran.
    pub outcomes: Vec<(Outcome, Ran)>,
    /// The first faults, as text.
    pub complaints: Vec<String>,
}

impl Ledger {
    /// The number for the next item of this client.
    pub fn open(&mut self, client: u64) -> u64 {
        self.outcomes.push((Outcome::Open, Ran::Unknown));
        client << 32 | (self.outcomes.len() - 1) as u64
    }

    /// Enters the outcome of an item.
    pub fn enter(&mut self, expected: Expected, result: Result<Done, TaskError>) {
        let ran = result.as_ref().map_or_else(TaskError::ran, |_| Ran::Yes);
        let outcome = match &result {
            Ok(done) => answered(expected, done),
            Err(error) => failed(expected, error),
        };
        let place = &mut self.outcomes[expected.number as u32 as usize];
        *place = (if place.0 == Outcome::Open { outcome } else { Outcome::Twice }, ran);
        if matches!(place.0, Outcome::Wrong | Outcome::Twice) && self.complaints.len() < 10 {
            let what = result.map_or_else(
                |error| error.to_string(),
                |done| {
                    format!("job {}, sum {}, {} bytes", done.number, done.sum, done.payload.len())
                },
            );
            self.complaints.push(format!("{expected:?}: {:?}: {what}", place.0));
        }
    }
}

fn answered(expected: Expected, done: &Done) -> Outcome {
    let right = matches!(expected.end, End::Answer(length) if done.payload.len() == length)
        && done.number == expected.number
        && done.sum == expected.sum
        && done.payload.iter().all(|&byte| byte == expected.number as u8);
    if right { Outcome::Answered } else { Outcome::Wrong }
}

fn failed(expected: Expected, error: &TaskError) -> Outcome {
    match error.kind() {
        TaskErrorKind::Panicked(panic) if expected.end == End::Panic => {
            let right = panic.message == format!("job {}", expected.number);
            if right { Outcome::Panicked } else { Outcome::Wrong }
        }
        TaskErrorKind::WorkerDied(_) => Outcome::Died,
        TaskErrorKind::Cancelled => Outcome::Cancelled,
        TaskErrorKind::TimedOut => Outcome::TimedOut,
        _ => Outcome::Wrong,
    }
}
