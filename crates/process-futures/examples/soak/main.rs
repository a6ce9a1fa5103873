//! A soak: for a while, several threads submit random tasks of random sizes in every way that the
//! pool offers, while random workers are killed at random moments. At the end the program checks
//! that every item has exactly one outcome, that every answer is right, that nothing ran twice, and
//! that children, descriptors and memory are where they began. The exit status is 1 if a check
//! fails.
//!
//! The seed decides the work; the machine decides what happens at the same time. So the same seed
//! gives the same work, but not the same run.

mod check;
mod client;
pub mod job;
mod killer;
pub mod ledger;
pub mod report;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use process_futures::{BuildError, OnDeath, ProcessPoolExecutor};
use report::Report;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

/// Counts allocated memory, so that memory can be compared to the byte and not to the page.
#[global_allocator]
static ALLOCATED: peak_alloc::PeakAlloc = peak_alloc::PeakAlloc;

/// The command-line options.
#[derive(Clone, Debug, Parser)]
#[command(about = "Random tasks, random deaths; then everything is counted up")]
pub struct Options {
    /// How long, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub seconds: u64,
    /// The workers of the pool
    #[arg(long, default_value = "4")]
    pub workers: NonZeroUsize,
    /// The threads that submit to it
    #[arg(long, default_value = "3")]
    pub clients: NonZeroUsize,
    /// Where the dice begin; printed, and random if it is not given
    #[arg(long)]
    pub seed: Option<u64>,
    /// Print one JSON document and no table
    #[arg(long)]
    pub json: bool,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match soak(&options) {
        Ok(report) => {
            if options.json {
                println!("{}", report.json());
            } else {
                print!("{report}");
            }
            if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

/// The soak itself.
///
/// # Errors
/// If the pool cannot start.
pub fn soak(options: &Options) -> Result<Report, BuildError> {
    let seed = options.seed.unwrap_or_else(|| fastrand::u64(..));
    let log = job::Log::default();
    processes::ForkServer::start()?;
    // A first, short soak fills everything that is kept for the life of the program (thread-locals,
    // buffers of the standard library), so that the second soak can be checked to the byte.
    soak_for(Duration::from_millis(200), seed, options, &log, None)?;
    log.clear();
    let before = check::Footprint::now(&ALLOCATED);
    let bar = ProgressBar::new(1000 * options.seconds);
    bar.set_style(
        ProgressStyle::with_template("  {msg} [{bar:40}] {eta} left").expect("a constant"),
    );
    let time = Duration::from_secs(options.seconds);
    let (ledgers, kills) = soak_for(time, seed, options, &log, Some(&bar))?;
    bar.finish_and_clear();
    drop(bar);
    let mut report = Report::new(seed, options, kills);
    report.count(ledgers, &log);
    report.compare(&before, || check::Footprint::now(&ALLOCATED));
    Ok(report)
}

/// Runs one pool from its start to its end. Returns each client's ledger, and the number of kills.
fn soak_for(
    time: Duration,
    seed: u64,
    options: &Options,
    log: &job::Log,
    bar: Option<&ProgressBar>,
) -> Result<(Vec<ledger::Ledger>, u64), BuildError> {
    let pool = ProcessPoolExecutor::builder()
        .max_workers(options.workers)
        .initializer(job::open_log, log.path().to_owned())
        .max_tasks_per_child(const { NonZeroUsize::new(500).unwrap() })
        // Allow many deaths in a row: on a busy machine, the killer may strike often between two
        // answers.
        .on_death(OnDeath::Replace { limit: 1000 })
        .build()?;
    let (pool, over) = (&pool, &AtomicBool::new(false));
    Ok(thread::scope(|scope| {
        let clients: Vec<_> = (0..options.clients.get() as u64)
            .map(|number| scope.spawn(move || client::run(pool, number, seed, over)))
            .collect();
        let killer = scope.spawn(move || killer::run(pool, seed, over));
        let start = Instant::now();
        while start.elapsed() < time {
            thread::sleep(Duration::from_millis(50).min(time));
            if let Some(bar) = bar {
                bar.set_position(start.elapsed().as_millis() as u64);
                bar.set_message(format!("{} items", log.length()));
            }
        }
        over.store(true, Relaxed);
        let ledgers = clients.into_iter().map(|client| client.join().expect("a client")).collect();
        (ledgers, killer.join().expect("the killer"))
    }))
}
