//! The crate's examples, run as programs.

use kernel::{Ran, TaskError, TaskErrorKind};
use soak::job::{Done, End, Job, Log};
use soak::ledger::{Expected, Ledger, Outcome};
use soak::report::Report;
use std::num::NonZeroUsize;

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

/// Whether the report is clean for one item that was entered in this way, and that workers noted so
/// many times.
fn is_clean(enter: impl FnOnce(&mut Ledger, Expected), noted: u8) -> bool {
    use std::io::Write;
    let (mut ledger, log) = (Ledger::default(), Log::default());
    let number = ledger.open(0);
    let payload = kernel::Bytes::from(vec![3; 5]);
    let job = Job { number, microseconds: 0, end: End::Answer(2), payload };
    enter(&mut ledger, Expected::of(&job));
    let mut file = std::fs::OpenOptions::new().append(true).open(log.path()).unwrap();
    (0..noted).for_each(|_| file.write_all(&number.to_ne_bytes()).unwrap());
    let mut report = Report::new(1, &options(), 0);
    report.count(vec![ledger], &log);
    report.is_clean()
}

pub fn a_soak_sees_what_is_off() {
    let done = |sum, bytes| Ok(Done { number: 0, sum, payload: kernel::Bytes::from(bytes) });
    let error = |ran, kind| Err(TaskError::new(0, ran, kind));
    let right = || done(15, vec![0; 2]);
    assert!(is_clean(|ledger, job| ledger.enter(job, right()), 1));
    assert!(!is_clean(|ledger, job| ledger.enter(job, right()), 2), "it ran twice");
    assert!(!is_clean(|ledger, job| ledger.enter(job, right()), 0), "it cannot have run");
    assert!(!is_clean(|_, _| {}, 1), "it has no outcome");
    assert!(!is_clean(|ledger, job| ledger.enter(job, done(14, vec![0; 2])), 1), "a wrong sum");
    assert!(!is_clean(|ledger, job| ledger.enter(job, done(15, vec![0; 3])), 1), "too long");
    assert!(!is_clean(|ledger, job| ledger.enter(job, done(15, vec![0, 1])), 1), "a wrong byte");
    let twice = |ledger: &mut Ledger, job: Expected| {
        ledger.enter(job, right());
        ledger.enter(job, right());
        assert_eq!(ledger.outcomes[0].0, Outcome::Twice);
        assert_eq!(ledger.complaints.len(), 1);
    };
    assert!(!is_clean(twice, 1), "it has two outcomes");
    let cancelled = |ledger: &mut Ledger, job: Expected| {
        ledger.enter(job, error(Ran::No, TaskErrorKind::Cancelled));
    };
    assert!(is_clean(cancelled, 0));
    assert!(!is_clean(cancelled, 1), "it ran all the same");
    let broken = TaskErrorKind::Broken("no reason".to_owned());
    assert!(!is_clean(|ledger, job| ledger.enter(job, error(Ran::No, broken)), 0), "no place");
}
