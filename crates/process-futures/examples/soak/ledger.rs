//! A client's ledger: one entry for each item that the client has submitted. An error is accepted
//! only if the soak has caused it: a cancellation that the client asked for, a time limit that the
//! client set and that was over, a death that the job or the killer caused. Whether a death fits to
//! a kill is known at the end: see `deaths.rs`.

use super::job::{Done, EXIT_STATUS, End, Job, sum};
use kernel::{Death, Ran, TaskError, TaskErrorKind};
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

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
    /// The item has a wrong answer.
    Wrong,
    /// The item has an error that the soak has not caused.
    NotOurs,
    /// The item has more than one outcome.
    Twice,
}

/// The facts of a job that are needed to judge its outcome.
#[derive(Clone, Copy, Debug)]
pub struct Expected {
    number: u64,
    end: End,
    sum: u64,
    /// How long the job computes, in microseconds.
    microseconds: u64,
    /// The number of the first job that travels in the same call.
    call: u64,
    /// Whether some job of the call ends its worker.
    exits: bool,
    /// A moment before the job was submitted.
    submitted: Instant,
}

impl Expected {
    /// The expected outcome of a job that is about to be submitted.
    pub fn of(job: &Job) -> Self {
        Self {
            number: job.number,
            end: job.end,
            sum: sum(&job.payload),
            microseconds: job.microseconds,
            call: job.number,
            exits: job.end == End::Exit,
            submitted: Instant::now(),
        }
    }

    /// The expected outcomes of jobs that travel in one call.
    pub fn of_call(jobs: &[Job]) -> Vec<Self> {
        let exits = jobs.iter().any(|job| job.end == End::Exit);
        let of = |job| Self { call: jobs[0].number, exits, ..Self::of(job) };
        jobs.iter().map(of).collect()
    }
}

/// What the client did beside asking for the outcome.
#[derive(Clone, Copy, Debug)]
pub enum Deed {
    /// The client did nothing.
    Nothing,
    /// The client set a time limit.
    Limited {
        /// The limit.
        limit: Duration,
        /// How long the client has waited, by its own clock.
        waited: Duration,
    },
    /// The client cancelled the job, and was told that the job is, or is not, cancelled.
    Cancelled(bool),
}

/// An item whose worker died.
#[derive(Clone, Copy, Debug)]
pub struct Lost {
    /// The item's number.
    pub number: u64,
    /// The number of the first item that travelled in the same call.
    pub call: u64,
    /// The letter of the worker, counted from 0.
    pub letter: usize,
    /// Whether the error says that the worker exited. If not, the worker was killed.
    pub exited: bool,
    /// Whether this item is the one that ends its worker.
    pub exits: bool,
    /// A moment before the item was submitted.
    pub submitted: Instant,
    /// A moment after the death was reported.
    pub heard: Instant,
}

/// How many turns of the watch an item may take: see [`Ledger::overdue`].
pub const TURNS: u64 = 120;

/// All items of one client, by the lower half of their numbers.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The outcome of each item, and whether its error says that it ran.
    pub outcomes: Vec<(Outcome, Ran)>,
    /// The items without an outcome: by their numbers, the turn of the watch in which each came,
    /// and how long each computes, in microseconds.
    pub waiting: BTreeMap<u64, (u64, u64)>,
    /// The present turn of the watch.
    pub turn: u64,
    /// The items whose workers died.
    pub lost: Vec<Lost>,
    /// The numbers of the items that timed out.
    pub timed_out: Vec<u64>,
    /// The first faults, as text.
    pub complaints: Vec<String>,
}

impl Ledger {
    /// The number for the next item of this client.
    pub fn open(&mut self, client: u64, microseconds: u64) -> u64 {
        let number = client << 32 | self.outcomes.len() as u64;
        self.outcomes.push((Outcome::Open, Ran::Unknown));
        self.waiting.insert(number, (self.turn, microseconds));
        number
    }

    /// Enters the outcome of an item.
    pub fn enter(&mut self, expected: Expected, deed: Deed, result: Result<Done, TaskError>) {
        let ran = result.as_ref().map_or_else(TaskError::ran, |_| Ran::Yes);
        let mut outcome = match &result {
            Ok(done) => answered(expected, deed, done),
            Err(error) => failed(expected, deed, error),
        };
        let place = &mut self.outcomes[expected.number as u32 as usize];
        if place.0 != Outcome::Open {
            outcome = Outcome::Twice;
        }
        *place = (outcome, ran);
        self.waiting.remove(&expected.number);
        match (outcome, &result) {
            (Outcome::Died, Err(error)) => self.lost.extend(lost(expected, error)),
            (Outcome::TimedOut, _) => self.timed_out.push(expected.number),
            (Outcome::Wrong | Outcome::NotOurs | Outcome::Twice, _) => {
                let what = result.map_or_else(
                    |error| format!("{error} ({ran})"),
                    |done| {
                        let length = done.payload.len();
                        format!(
                            "the answer of job {}, sum {}, {length} bytes",
                            done.number, done.sum
                        )
                    },
                );
                self.complain(format!("{outcome:?}: {what}; {deed:?}; {expected:?}"));
            }
            _ => {}
        }
    }

    /// The numbers of the items whose outcomes have not come although they are long due.
    ///
    /// The time is counted in turns of the watch, and not by a clock. A turn sleeps for 50 ms and
    /// appends a note to the log as jobs do, so on a machine that is too busy for the soak, a turn
    /// takes longer too. The allowance is 120 turns (6 s) and twenty times the job's own time.
    /// Without a fault, a client has at most 40 items under way, which compute for 2 ms each at
    /// most, and a worker starts within milliseconds. So with three clients, all items under way
    /// are done in a quarter of a second of one core.
    pub fn overdue(&self) -> Vec<u64> {
        let allowed = |microseconds: u64| TURNS + 20 * microseconds / 50_000;
        let is_late = |turn: u64, microseconds| self.turn > turn + allowed(microseconds);
        let waiting = self.waiting.iter();
        waiting
            .filter(|(_, (turn, time))| is_late(*turn, *time))
            .map(|(number, _)| *number)
            .collect()
    }

    fn complain(&mut self, what: String) {
        if self.complaints.len() < 10 {
            self.complaints.push(what);
        }
    }
}

fn answered(expected: Expected, deed: Deed, done: &Done) -> Outcome {
    let right = matches!(expected.end, End::Answer(length) if done.payload.len() == length)
        && done.number == expected.number
        && done.sum == expected.sum
        && done.payload.iter().all(|&byte| byte == expected.number as u8)
        && !matches!(deed, Deed::Cancelled(true));
    if right { Outcome::Answered } else { Outcome::Wrong }
}

fn failed(expected: Expected, deed: Deed, error: &TaskError) -> Outcome {
    match (error.kind(), error.ran(), deed) {
        (TaskErrorKind::Cancelled, Ran::No, Deed::Cancelled(true)) => Outcome::Cancelled,
        (_, _, Deed::Cancelled(true)) => Outcome::NotOurs,
        (TaskErrorKind::Panicked(panic), Ran::Yes, _)
            if expected.end == End::Panic
                && panic.message == format!("job {}", expected.number) =>
        {
            Outcome::Panicked
        }
        (TaskErrorKind::WorkerDied(_), Ran::Unknown, _) if lost(expected, error).is_some() => {
            Outcome::Died
        }
        // The job takes longer than the limit, and the limit is over.
        (TaskErrorKind::TimedOut, Ran::No | Ran::Unknown, Deed::Limited { limit, waited })
            if waited >= limit
                && (expected.end == End::Never
                    || Duration::from_micros(expected.microseconds) > limit) =>
        {
            Outcome::TimedOut
        }
        _ => Outcome::NotOurs,
    }
}

/// The entry of an item whose worker died, if its jobs or the killer end workers in this way.
fn lost(expected: Expected, error: &TaskError) -> Option<Lost> {
    let (letter, exited) = match error.kind() {
        TaskErrorKind::WorkerDied(Death::Killed { worker, signal: 9, .. }) => (*worker, false),
        TaskErrorKind::WorkerDied(Death::Exited { worker, status: EXIT_STATUS, .. })
            if expected.exits =>
        {
            (*worker, true)
        }
        _ => return None,
    };
    Some(Lost {
        number: expected.number,
        call: expected.call,
        letter,
        exited,
        exits: expected.end == End::Exit,
        submitted: expected.submitted,
        heard: Instant::now(),
    })
}
