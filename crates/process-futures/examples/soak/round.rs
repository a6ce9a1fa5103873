//! One round of the soak: a pool from its start to its end, with the clients, the killer, and the
//! watch. The watch is the thread that waits for all others. It ends the round when the time is
//! over, at the first fault that a ledger shows, and when something does not come to its end.

use super::killer::Kills;
use super::ledger::{Ledger, TURNS};
use super::log::{Log, open_here};
use super::report::Report;
use super::{Options, client, killer};
use indicatif::ProgressBar;
use process_futures::{BuildError, OnDeath, ProcessPoolExecutor};
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// What the threads of a round share.
#[derive(Clone)]
struct Shared {
    /// One ledger for each client. The mutex guards the ledger: the client writes, and the watch
    /// counts the turns and looks for items that are overdue.
    ledgers: Vec<Arc<Mutex<Ledger>>>,
    /// The killer's account. The mutex guards it: the killer writes, and the watch reads at the end.
    kills: Arc<Mutex<Kills>>,
    /// Whether clients and killer are to end. Set by the watch.
    over: Arc<AtomicBool>,
}

/// Runs one round, and reports.
pub fn run(
    time: Duration,
    seed: u64,
    options: &Options,
    log: &Log,
    bar: &ProgressBar,
) -> Result<Report, BuildError> {
    let pool = ProcessPoolExecutor::builder()
        .max_workers(options.workers)
        .initializer(open_here, log.path().to_owned())
        // Few enough that many workers retire before the killer comes.
        .max_tasks_per_child(const { NonZeroUsize::new(50).unwrap() })
        // Allow many deaths in a row: on a busy machine, the killer may strike often between two
        // answers.
        .on_death(OnDeath::Replace { limit: 1000 })
        .build()?;
    let clients = 0..options.clients.get() as u64;
    let shared = Shared {
        ledgers: clients.clone().map(|_| Arc::default()).collect(),
        kills: Arc::default(),
        over: Arc::default(),
    };
    let mut report = Report::new(seed, options);
    report.end(shared.watch(Arc::new(pool), time, seed, options, log, bar));
    let ledgers: Vec<_> = shared.ledgers.iter().map(|ledger| lock(ledger)).collect();
    let ledgers: Vec<&Ledger> = ledgers.iter().map(|ledger| &**ledger).collect();
    report.count(&ledgers, log, &lock(&shared.kills));
    Ok(report)
}

impl Shared {
    /// Starts the clients and the killer, and waits until they and the pool have ended. The error
    /// says what does not come to its end. The threads are not scoped: a thread that waits for a
    /// lost answer waits for ever, and ends with the program.
    fn watch(
        &self,
        pool: Arc<ProcessPoolExecutor>,
        time: Duration,
        seed: u64,
        options: &Options,
        log: &Log,
        bar: &ProgressBar,
    ) -> Result<(), &'static str> {
        let start = Instant::now();
        let mut clients: Vec<_> = (0..self.ledgers.len())
            .map(|at| {
                let (pool, shared) = (Arc::clone(&pool), self.clone());
                thread::spawn(move || {
                    client::run(&pool, at as u64, seed, &shared.over, &shared.ledgers[at]);
                })
            })
            .collect();
        let (killers_pool, shared, workers) = (Arc::clone(&pool), self.clone(), options.workers);
        let killer = thread::spawn(move || {
            killer::run(&killers_pool, workers, seed, &shared.over, &shared.kills);
        });
        while !clients.iter().all(JoinHandle::is_finished) {
            turn(log);
            let ledgers = || self.ledgers.iter().map(|ledger| lock(ledger));
            ledgers().for_each(|mut ledger| ledger.turn += 1);
            if ledgers().any(|ledger| !ledger.overdue().is_empty()) {
                return Err("a client waits for an item that does not come");
            }
            if start.elapsed() >= time || ledgers().any(|ledger| !ledger.complaints.is_empty()) {
                self.over.store(true, Relaxed);
            }
            bar.set_position(start.elapsed().as_millis() as u64);
            let items: usize = ledgers().map(|ledger| ledger.outcomes.len()).sum();
            bar.set_message(format!("{items} items"));
        }
        clients.drain(..).for_each(|client| client.join().expect("a client"));
        join(log, killer, "the killer waits for the workers' process ids")?;
        join(log, thread::spawn(|| drop(pool)), "the pool's end does not come")
    }
}

/// One turn of the watch: see [`Ledger::overdue`].
fn turn(log: &Log) {
    thread::sleep(Duration::from_millis(50));
    log.note_turn();
}

/// Waits for the end of a thread, as long as for an item. The error is the given one.
fn join(log: &Log, thread: JoinHandle<()>, error: &'static str) -> Result<(), &'static str> {
    for _ in 0..TURNS {
        if thread.is_finished() {
            thread.join().expect("it has not panicked");
            return Ok(());
        }
        turn(log);
    }
    Err(error)
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
