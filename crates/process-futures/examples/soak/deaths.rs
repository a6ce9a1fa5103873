//! Whether each death was caused by the soak: by a job that exits, by the killer, or by a time
//! limit.
//!
//! A worker's death costs the one call that the worker was running. So each kill explains one call
//! at most, and only this call:
//!
//! - If the call had begun, the log says in which worker. The worker began no other call later, and
//!   the killer killed this worker before the death was reported.
//! - If the call had not begun (the kill came while the call was on its way), the worker is known by
//!   its letter alone. The killer killed a worker of this letter that was running no call, at a
//!   time that fits: the kill came before the death was reported, and the worker was not gone
//!   before the call was submitted.
//! - If a call ends by itself at the moment in which its worker is killed for the call's time limit,
//!   the worker's next call may die in its place. `TaskFuture` documents this.

use super::killer::Kill;
use super::ledger::{Ledger, Lost};
use super::log::{Life, Log};
use std::collections::{BTreeMap, HashMap, HashSet};

/// How often an item has begun and ended, as the workers noted it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Times {
    /// How often the item has begun.
    pub begun: u8,
    /// How often the item has ended, with an answer or a panic.
    pub ended: u8,
}

/// What one worker did, as it noted it.
#[derive(Clone, Copy, Debug, Default)]
struct Lived {
    /// The item that began last, and whether it ended.
    last: u64,
    has_ended: bool,
    /// Whether an item ended here that had timed out, so that the worker may have been killed
    /// behind this item.
    was_given_up: bool,
}

/// The whole log, counted.
#[derive(Debug)]
pub struct Trace {
    /// By the client's number and the item's.
    pub times: Vec<Vec<Times>>,
    /// How many notes are of items that no client has submitted.
    pub strays: usize,
    lives: HashMap<Life, Lived>,
    /// In which worker an item began that has no outcome, or whose worker died.
    homes: HashMap<u64, Life>,
}

impl Trace {
    /// Reads the log.
    pub fn read(log: &Log, ledgers: &[&Ledger]) -> Self {
        let empty = |ledger: &&Ledger| vec![Times::default(); ledger.outcomes.len()];
        let mut trace = Self {
            times: ledgers.iter().map(empty).collect(),
            strays: 0,
            lives: HashMap::new(),
            homes: HashMap::new(),
        };
        let all = || ledgers.iter();
        let timed_out: HashSet<u64> = all().flat_map(|ledger| &ledger.timed_out).copied().collect();
        let mut wanted: HashSet<u64> =
            all().flat_map(|ledger| ledger.waiting.keys().copied()).collect();
        wanted.extend(all().flat_map(|ledger| &ledger.lost).map(|lost| lost.number));
        for note in log.notes() {
            let (client, item) = ((note.number >> 32) as usize, note.number as u32 as usize);
            let Some(times) = trace.times.get_mut(client).and_then(|times| times.get_mut(item))
            else {
                trace.strays += 1;
                continue;
            };
            let count = if note.ends { &mut times.ended } else { &mut times.begun };
            *count = count.saturating_add(1);
            let lived = trace.lives.entry(note.life).or_default();
            (lived.last, lived.has_ended) = (note.number, note.ends);
            lived.was_given_up |= note.ends && timed_out.contains(&note.number);
            if wanted.contains(&note.number) {
                trace.homes.insert(note.number, note.life);
            }
        }
        trace
    }

    /// Where an item is that has no outcome, in words.
    pub fn whereabouts(&self, number: u64, kills: &[Kill]) -> String {
        let Some(life) = self.homes.get(&number) else { return "it has not begun".to_owned() };
        let times = self.times[(number >> 32) as usize][number as u32 as usize];
        let verb = if times.ended > 0 { "ended" } else { "began, and has not ended," };
        let killed = kills.iter().any(|kill| kill.life == *life);
        let later = if killed { "which the killer has killed" } else { "which was not killed" };
        format!("it {verb} in {life}, {later}")
    }
}

/// The deaths that the soak has not caused, each in words.
pub fn not_caused(lost: &[Lost], trace: &Trace, kills: &[Kill]) -> Vec<String> {
    let mut kills = Unused::new(kills, trace);
    let mut calls: BTreeMap<u64, Vec<&Lost>> = BTreeMap::new();
    for item in lost {
        calls.entry(item.call).or_default().push(item);
    }
    let (mut faults, mut not_begun) = (Vec::new(), Vec::new());
    for items in calls.values() {
        let lives: HashSet<Life> =
            items.iter().filter_map(|item| trace.homes.get(&item.number)).copied().collect();
        if lives.is_empty() {
            not_begun.push(items[0]);
        } else if lives.len() > 1 {
            faults.push((items[0], "its call ran in two workers"));
        }
        for life in lives {
            faults.extend(kills.explain_begun(items, life, trace).err().map(|why| (items[0], why)));
        }
    }
    // Each of these may have several kills that fit. The kills of one letter do not overlap, so
    // this order finds a kill for each, if there is a way to do so: the most urgent first, and for
    // each the earliest kill.
    not_begun.sort_by_key(|item| item.heard);
    for item in not_begun {
        faults.extend(kills.explain_not_begun(item).err().map(|why| (item, why)));
    }
    let text = |(item, why): &(&Lost, &str)| {
        let worker = kernel::worker_name(item.letter);
        let item = name(item.number);
        format!("{item} is said to have died with worker {worker}, but {why}")
    };
    faults.iter().map(text).collect()
}

/// An item's name in a complaint.
pub fn name(number: u64) -> String {
    format!("item {} of client {}", number as u32, number >> 32)
}

/// The kills that have not yet explained a death.
struct Unused {
    by_life: HashMap<Life, Kill>,
    /// By letter, in the order of time: the kills of workers that were running no call, and whether
    /// each has explained a death.
    idle: HashMap<usize, Vec<(Kill, bool)>>,
    /// Workers that may have been killed for a time limit, after the end of the call with the limit
    /// and before the begin of another.
    given_up: Vec<Life>,
}

impl Unused {
    fn new(kills: &[Kill], trace: &Trace) -> Self {
        let lives =
            || trace.lives.iter().filter(|(_, lived)| lived.has_ended && lived.was_given_up);
        let mut unused = Self {
            by_life: kills.iter().map(|kill| (kill.life, *kill)).collect(),
            idle: HashMap::new(),
            given_up: lives().map(|(life, _)| *life).collect(),
        };
        for kill in kills {
            if trace.lives.get(&kill.life).is_none_or(|lived| lived.has_ended) {
                unused.idle.entry(kill.letter).or_default().push((*kill, false));
            }
        }
        unused
    }

    /// Looks for the cause of the death of a call that had begun in this worker.
    fn explain_begun(
        &mut self,
        items: &[&Lost],
        life: Life,
        trace: &Trace,
    ) -> Result<(), &'static str> {
        let lived = trace.lives[&life];
        let Some(last) = items.iter().find(|item| item.number == lived.last) else {
            return Err("its worker began another call later");
        };
        if last.exited {
            return if last.exits { Ok(()) } else { Err("the job that began last does not exit") };
        }
        let kill = self.by_life.get(&life);
        let fits = |kill: &&Kill| kill.letter == last.letter && kill.before <= last.heard;
        if kill.filter(fits).is_some() {
            // The answer was lost on its way: by the log, the worker was running no call.
            let idle = self.idle.entry(last.letter).or_default().iter_mut();
            let is_it = |(kill, _): &&mut (Kill, bool)| lived.has_ended && kill.life == life;
            idle.filter(is_it).for_each(|(_, used)| *used = true);
        } else if !lived.was_given_up {
            return Err("the soak has not killed its worker");
        }
        self.given_up.retain(|other| *other != life);
        Ok(())
    }

    /// Looks for the cause of the death of a call that had not begun.
    fn explain_not_begun(&mut self, item: &Lost) -> Result<(), &'static str> {
        if item.exited {
            return Err("the job has not begun");
        }
        let idle = self.idle.entry(item.letter).or_default();
        let too_early =
            |(kill, _): &(Kill, bool)| kill.gone.is_some_and(|gone| gone < item.submitted);
        let first = idle.partition_point(too_early);
        let in_time = |(kill, _): &&mut (Kill, bool)| kill.before <= item.heard;
        let mut candidates = idle[first..].iter_mut().take_while(in_time);
        if let Some((kill, used)) = candidates.find(|(_, used)| !*used) {
            *used = true;
            self.given_up.retain(|life| *life != kill.life);
            return Ok(());
        }
        self.given_up.pop().map(|_| ()).ok_or("the soak has not killed a worker that had this call")
    }
}
