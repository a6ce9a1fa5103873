//! The crate's examples, run as programs.

use kernel::{Death, Ran, TaskError, TaskErrorKind};
use soak::job::{Done, End, Job};
use soak::killer::{Kill, Kills};
use soak::ledger::{Deed, Expected, Ledger, Outcome};
use soak::log::{Life, Log, Note};
use soak::report::Report;
use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "its main function reads the command line")]
#[path = "../../../examples/soak/main.rs"]
mod soak;
#[path = "../../../examples/tour.rs"]
mod tour;

pub fn the_tour() {
    tour::main().expect("it ends well");
}

fn options() -> soak::Options {
    let (workers, clients) = (NonZeroUsize::new(4).unwrap(), NonZeroUsize::new(3).unwrap());
    soak::Options { seconds: 2, workers, clients, seed: None, json: false }
}

pub fn a_short_soak() {
    let report = soak::soak(&options()).expect("a pool");
    println!("{report}"); // shown if it fails, with the seed
    assert!(report.is_clean());
    assert!(report.items() > 0);
    let json: serde_json::Value = serde_json::from_str(&report.json()).expect("a document");
    assert_eq!(json["clean"], true);
    assert_eq!(json["seed"], report.seed);
    assert_eq!(json["counts"]["items"], report.items());
    assert!(report.to_string().contains(&format!("--seed {}", report.seed)));
}

/// One item, whose note says that it ran in this process.
struct One {
    ledger: Ledger,
    log: Log,
    kills: Kills,
    expected: Expected,
}

impl One {
    /// An item that ends in this way, computes for a millisecond, and whose begin and end are noted
    /// so often.
    fn new(end: End, begun: usize, ended: usize) -> Self {
        let (mut ledger, log) = (Ledger::default(), Log::default());
        let number = ledger.open(0, 1000);
        let payload = kernel::Bytes::from(vec![3; 5]);
        let expected = Expected::of(&Job { number, microseconds: 1000, end, payload });
        let life = here();
        (0..begun).for_each(|_| log.note(Note { number, life, ends: false }));
        (0..ended).for_each(|_| log.note(Note { number, life, ends: true }));
        Self { ledger, log, kills: Kills::default(), expected }
    }

    /// An item that has begun, and has not ended.
    fn running() -> Self {
        Self::new(End::Answer(2), 1, 0)
    }

    fn enter(mut self, deed: Deed, result: Result<Done, TaskError>) -> Self {
        self.ledger.enter(self.expected, deed, result);
        self
    }

    /// Enters an error about which the client has done nothing.
    fn fails(self, ran: Ran, kind: TaskErrorKind) -> Self {
        self.enter(Deed::Nothing, error(ran, kind))
    }

    /// Notes a kill of this process under this letter. The process was gone so much later.
    fn killed(mut self, letter: usize, gone: Duration) -> Self {
        let before = Instant::now();
        self.kills.kills.push(Kill { letter, life: here(), before, gone: Some(before + gone) });
        self
    }

    fn is_clean(&self) -> bool {
        let mut report = Report::new(1, &options());
        report.count(&[&self.ledger], &self.log, &self.kills);
        report.is_clean()
    }
}

fn here() -> Life {
    Life::of(std::process::id()).expect("this process lives")
}

fn error(ran: Ran, kind: TaskErrorKind) -> Result<Done, TaskError> {
    Err(TaskError::new(0, ran, kind))
}

fn sigkill(worker: usize) -> TaskErrorKind {
    let name = "SIGKILL".to_owned();
    TaskErrorKind::WorkerDied(Death::Killed { worker, pid: 1, signal: 9, name, why: None })
}

pub fn a_soak_sees_what_is_off() {
    let done = |number, sum, bytes| Ok(Done { number, sum, payload: kernel::Bytes::from(bytes) });
    let right = || done(0, 15, vec![0; 2]);
    let ran =
        |begun, ended, result| One::new(End::Answer(2), begun, ended).enter(Deed::Nothing, result);
    assert!(ran(1, 1, right()).is_clean());
    assert!(!ran(2, 2, right()).is_clean(), "it ran twice");
    assert!(!ran(2, 1, right()).is_clean(), "it began again");
    assert!(!ran(0, 0, right()).is_clean(), "it cannot have run");
    assert!(!ran(1, 0, right()).is_clean(), "it cannot have ended");
    assert!(!One::new(End::Answer(2), 1, 1).is_clean(), "it has no outcome");
    assert!(!ran(1, 1, done(1, 15, vec![0; 2])).is_clean(), "another job's answer");
    assert!(!ran(1, 1, done(0, 14, vec![0; 2])).is_clean(), "a wrong sum");
    assert!(!ran(1, 1, done(0, 15, vec![0; 3])).is_clean(), "too long");
    assert!(!ran(1, 1, done(0, 15, vec![0, 1])).is_clean(), "a wrong byte");
    let twice = ran(1, 1, right()).enter(Deed::Nothing, right());
    assert_eq!(twice.ledger.outcomes[0].0, Outcome::Twice);
    assert_eq!(twice.ledger.complaints.len(), 1);
    assert!(!twice.is_clean(), "it has two outcomes");
    let broken = TaskErrorKind::Broken("no reason".to_owned());
    assert!(!One::new(End::Never, 0, 0).fails(Ran::No, broken).is_clean(), "no place");
}

pub fn a_soak_accepts_its_own_cancellations_and_time_limits_only() {
    let cancelled = |begun, deed| {
        let error = error(Ran::No, TaskErrorKind::Cancelled);
        One::new(End::Answer(2), begun, begun).enter(deed, error).is_clean()
    };
    assert!(cancelled(0, Deed::Cancelled(true)));
    assert!(!cancelled(1, Deed::Cancelled(true)), "it ran all the same");
    assert!(!cancelled(0, Deed::Cancelled(false)), "the client was told otherwise");
    assert!(!cancelled(0, Deed::Nothing), "the client has not cancelled it");
    let answer = Ok(Done { number: 0, sum: 15, payload: kernel::Bytes::from(vec![0; 2]) });
    let answered = One::new(End::Answer(2), 1, 1).enter(Deed::Cancelled(true), answer);
    assert!(!answered.is_clean(), "the client was told that it is cancelled");

    let timed_out = |ran, limit, waited| {
        let [limit, waited] = [limit, waited].map(Duration::from_micros);
        One::running().enter(Deed::Limited { limit, waited }, error(ran, TaskErrorKind::TimedOut))
    };
    assert!(timed_out(Ran::Unknown, 500, 500).is_clean());
    assert!(!timed_out(Ran::Unknown, 500, 499).is_clean(), "the limit is not over");
    assert!(!timed_out(Ran::Unknown, 1000, 2000).is_clean(), "it does not take that long");
    assert!(!timed_out(Ran::No, 500, 500).is_clean(), "it has begun");
    let unlimited = One::running().fails(Ran::Unknown, TaskErrorKind::TimedOut);
    assert!(!unlimited.is_clean(), "the client has set no limit");
}

pub fn a_soak_accepts_its_own_deaths_only() {
    let soon = Duration::from_secs(1);
    let dies = |one: One| one.fails(Ran::Unknown, sigkill(0));
    assert!(dies(One::running().killed(0, soon)).is_clean());
    assert!(!dies(One::running()).is_clean(), "no kill");
    assert!(!dies(One::running()).killed(0, soon).is_clean(), "killed after the news of its death");
    assert!(!dies(One::running().killed(1, soon)).is_clean(), "another letter");
    let ran = One::running().killed(0, soon).fails(Ran::No, sigkill(0));
    assert!(!ran.is_clean(), "it has begun");
    // It had not begun: the worker is known by its letter.
    let not_begun = || One::new(End::Answer(2), 0, 0);
    assert!(dies(not_begun().killed(0, soon)).is_clean());
    assert!(!dies(not_begun()).is_clean(), "no kill");
    assert!(!dies(not_begun().killed(1, soon)).is_clean(), "another letter");
    let mut early = not_begun().killed(0, Duration::ZERO);
    let payload = kernel::Bytes::from(vec![3; 5]);
    let job = Job { number: 0, microseconds: 1000, end: End::Answer(2), payload };
    std::thread::sleep(Duration::from_millis(1));
    early.expected = Expected::of(&job);
    assert!(!dies(early).is_clean(), "the worker was gone before it was submitted");
    // One kill costs one call.
    let mut two = not_begun();
    let number = two.ledger.open(0, 1000);
    let second = Expected::of(&Job { number, ..job });
    let mut two = dies(two.killed(0, soon));
    two.ledger.enter(second, Deed::Nothing, error(Ran::Unknown, sigkill(0)));
    assert!(!two.is_clean(), "both died of one kill");
    // A worker that began another call later was alive, and had answered this call.
    let mut later = dies(One::running().killed(0, soon));
    let number = later.ledger.open(0, 1000);
    later.log.note(Note { number, life: here(), ends: false });
    later.ledger.enter(second, Deed::Nothing, error(Ran::Unknown, sigkill(0)));
    assert!(!later.is_clean(), "its worker went on");

    let exited =
        |status| TaskErrorKind::WorkerDied(Death::Exited { worker: 0, pid: 1, status, why: None });
    let exits = |end, begun| One::new(end, begun, 0).fails(Ran::Unknown, exited(5)).is_clean();
    assert!(exits(End::Exit, 1));
    assert!(!exits(End::Exit, 0), "it has not begun");
    assert!(!exits(End::Answer(2), 1), "it does not exit");
    let other = One::new(End::Exit, 1, 0).fails(Ran::Unknown, exited(6));
    assert!(!other.is_clean(), "another status");
}
