//! The result of a soak: a table, or a JSON document.

use super::Options;
use super::check::{Footprint, settled};
use super::deaths::{Times, Trace, name, not_caused};
use super::killer::Kills;
use super::ledger::{Ledger, Outcome};
use super::log::Log;
use kernel::Ran;
use serde_json::json;
use std::fmt;

/// The counts of a soak, and its findings.
#[derive(Debug)]
pub struct Report {
    /// The seed of the random generator.
    pub seed: u64,
    seconds: u64,
    workers: usize,
    clients: usize,
    kills: usize,
    has_ended: bool,
    counts: Vec<(&'static str, usize)>,
    checks: Vec<Check>,
    complaints: Vec<String>,
}

/// One condition that has to hold.
#[derive(Debug)]
struct Check {
    what: &'static str,
    holds: bool,
    seen: String,
}

impl Report {
    /// A report without findings.
    pub fn new(seed: u64, options: &Options) -> Self {
        let Options { seconds, workers, clients, .. } = options;
        Self {
            seed,
            seconds: *seconds,
            workers: workers.get(),
            clients: clients.get(),
            kills: 0,
            has_ended: false,
            counts: Vec::new(),
            checks: Vec::new(),
            complaints: Vec::new(),
        }
    }

    /// Whether every condition holds.
    pub fn is_clean(&self) -> bool {
        self.checks.iter().all(|check| check.holds)
    }

    /// How many items there were.
    pub fn items(&self) -> usize {
        self.counts.iter().find(|(name, _)| *name == "items").map_or(0, |(_, count)| *count)
    }

    fn check(&mut self, what: &'static str, holds: bool, seen: String) {
        self.checks.push(Check { what, holds, seen });
    }

    /// Checks the ledgers by themselves, against the workers' notes and against the killer's.
    pub fn count(&mut self, ledgers: &[&Ledger], log: &Log, kills: &Kills) {
        let trace = Trace::read(log, ledgers);
        let all = || ledgers.iter().flat_map(|ledger| &ledger.outcomes);
        let number = |wanted| all().filter(|(outcome, _)| *outcome == wanted).count();
        self.kills = kills.kills.len();
        self.counts = vec![
            ("items", all().count()),
            ("answered", number(Outcome::Answered)),
            ("panicked", number(Outcome::Panicked)),
            ("lost with their worker", number(Outcome::Died)),
            ("timed out", number(Outcome::TimedOut)),
            ("cancelled", number(Outcome::Cancelled)),
        ];
        let (open, twice, wrong) =
            (number(Outcome::Open), number(Outcome::Twice), number(Outcome::Wrong));
        self.check("every item has an outcome", open == 0, format!("{open} have none"));
        self.check("and no item has two", twice == 0, format!("{twice} have"));
        self.check("every answer is right", wrong == 0, format!("{wrong} are wrong"));
        let lost: Vec<_> = ledgers.iter().flat_map(|ledger| &ledger.lost).copied().collect();
        let not_caused = not_caused(&lost, &trace, &kills.kills);
        let errors = number(Outcome::NotOurs) + not_caused.len();
        self.check(
            "the soak has caused every error",
            errors == 0,
            format!("{errors} came by themselves"),
        );
        let ran = || all().zip(trace.times.iter().flatten());
        let again = ran().filter(|(_, times)| times.begun > 1).count() + trace.strays;
        self.check("no item ran twice", again == 0, format!("{again} did"));
        let has_not = |((outcome, ran), times): &(&(Outcome, Ran), &Times)| {
            *ran == Ran::Yes && times.begun == 0
                || *outcome == Outcome::Answered && times.ended == 0
        };
        let not = ran().filter(has_not).count();
        self.check("what is said to have run has run", not == 0, format!("{not} have not"));
        let did = ran().filter(|((_, ran), times)| *ran == Ran::No && times.begun > 0).count();
        self.check("what is said not to have run has not", did == 0, format!("{did} have"));
        let short = kills.short;
        let seen = format!("missing in {short} looks of {}", kills.looks);
        self.check("every dead worker is replaced", short == 0, seen);
        let complaints = ledgers.iter().flat_map(|ledger| ledger.complaints.iter().cloned());
        self.complaints.extend(complaints.chain(not_caused.into_iter().take(10)));
        self.count_overdue(ledgers, &trace, kills);
    }

    /// Names the items whose outcomes have not come in all the time that the watch allows.
    fn count_overdue(&mut self, ledgers: &[&Ledger], trace: &Trace, kills: &Kills) {
        let overdue: Vec<u64> = ledgers.iter().flat_map(|ledger| ledger.overdue()).collect();
        let count = overdue.len();
        self.check("no client waits in vain", count == 0, format!("{count} items do not come"));
        for number in overdue.into_iter().take(10) {
            let there = trace.whereabouts(number, &kills.kills);
            self.complaints.push(format!("{} does not come: {there}", name(number)));
        }
    }

    /// Notes whether all threads and the pool have come to their end. The error says what has not.
    pub fn end(&mut self, end: Result<(), &str>) {
        self.has_ended = end.is_ok();
        let seen = end.err().unwrap_or("clients, killer and pool did");
        self.check("the soak comes to its end", self.has_ended, seen.to_owned());
    }

    /// Whether all threads and the pool have come to their end.
    pub fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Compares what the process holds now with what it held before. The ledgers must be dropped by
    /// then.
    pub fn compare(&mut self, before: &Footprint, now: impl Fn() -> Footprint) {
        let after = settled(before, now);
        let seen = |before, after| format!("{before} before, {after} after");
        let (b, a) = (before, &after);
        self.check("no child is left", a.processes == b.processes, seen(b.processes, a.processes));
        self.check("no thread is left", a.threads == b.threads, seen(b.threads, a.threads));
        let descriptors = seen(b.descriptors, a.descriptors);
        self.check("no descriptor is left", a.descriptors == b.descriptors, descriptors);
        let heap = after.is_back_at(&Footprint { heap: before.heap, ..after.clone() });
        self.check("memory is where it began", heap, seen(b.heap, a.heap) + " (bytes)");
    }

    /// The document for `--json`.
    pub fn json(&self) -> String {
        let counts: serde_json::Map<_, _> = self
            .counts
            .iter()
            .map(|(name, count)| (name.replace(' ', "_"), json!(count)))
            .collect();
        let checks: Vec<_> = self
            .checks
            .iter()
            .map(|check| json!({"what": check.what, "holds": check.holds, "seen": check.seen}))
            .collect();
        let document = json!({
            "seed": self.seed,
            "seconds": self.seconds,
            "workers": self.workers,
            "clients": self.clients,
            "kills": self.kills,
            "counts": counts,
            "checks": checks,
            "complaints": self.complaints,
            "clean": self.is_clean(),
        });
        format!("{document:#}")
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seed, seconds, workers, clients, kills, .. } = self;
        writeln!(f, "Soak   {seconds} s, {workers} workers, {clients} clients, --seed {seed}\n")?;
        for (name, count) in &self.counts {
            writeln!(f, "  {name:<38}{count:>9}")?;
        }
        writeln!(f, "  {:<38}{kills:>9}\n", "workers killed from outside")?;
        for Check { what, holds, seen } in &self.checks {
            writeln!(f, "  {what:<38}{:>9}   {seen}", if *holds { "yes" } else { "NO" })?;
        }
        self.complaints.iter().try_for_each(|complaint| writeln!(f, "  {complaint}"))
    }
}
