//! A soak: for a while, several threads submit random tasks of random sizes in every way that the
//! pool offers, while random workers are killed at random moments. At the end the program checks
//! that every item has exactly one outcome: the right answer, or an error that the soak has caused
//! by itself (a worker that it killed, a time limit or a cancellation of its own). It checks that
//! nothing ran twice, and that children, descriptors and memory are where they began. An answer
//! that does not come at all ends the soak early. The exit status is 1 if a check fails.
//!
//! `tests/mutations.rs` puts faults into the pool, and checks that the soak sees each.
//!
//! The seed decides the work; the machine decides what happens at the same time. So the same seed
//! gives the same work, but not the same run.

mod check;
mod client;
pub mod deaths;
pub mod job;
pub mod killer;
pub mod ledger;
pub mod log;
pub mod report;
mod round;

use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use process_futures::BuildError;
use report::Report;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

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
    let log = log::Log::default();
    processes::ForkServer::start()?;
    // A first, short round fills everything that is kept for the life of the program (thread-locals,
    // buffers of the standard library), so that the second round can be checked to the byte.
    let first = Duration::from_millis(200);
    let report = round::run(first, seed, options, &log, &ProgressBar::hidden())?;
    if !report.is_clean() {
        return Ok(report);
    }
    drop(report);
    log.clear();
    let before = check::Footprint::now(&ALLOCATED);
    let bar = ProgressBar::new(1000 * options.seconds);
    bar.set_style(
        ProgressStyle::with_template("  {msg} [{bar:40}] {eta} left").expect("a constant"),
    );
    let time = Duration::from_secs(options.seconds);
    let mut report = round::run(time, seed, options, &log, &bar)?;
    bar.finish_and_clear();
    drop(bar);
    // A round that does not come to its end has not given anything back.
    if report.has_ended() {
        report.compare(&before, || check::Footprint::now(&ALLOCATED));
    }
    Ok(report)
}
