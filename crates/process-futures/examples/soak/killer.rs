//! The killer: sends SIGKILL to a random worker at random moments, and keeps account of it.

use super::log::Life;
use fastrand::Rng;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use process_futures::ProcessPoolExecutor;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// One kill.
#[derive(Clone, Copy, Debug)]
pub struct Kill {
    /// The worker's letter, counted from 0.
    pub letter: usize,
    /// The worker.
    pub life: Life,
    /// The worker lived until here at least.
    pub before: Instant,
    /// The worker was dead by then, and its socket closed. `None` as long as the killer waits for
    /// this.
    pub gone: Option<Instant>,
}

/// What the killer has done and seen.
#[derive(Debug, Default)]
pub struct Kills {
    /// All kills, in their order.
    pub kills: Vec<Kill>,
    /// How often the killer asked for the workers' process ids.
    pub looks: usize,
    /// How often the pool had too few workers then. The pool replaces a worker in the same step in
    /// which it learns of the death, so no moment is allowed in which one is missing. (If the
    /// system refuses a fork, a worker is missing too; the soak's machine must have room for it.)
    pub short: usize,
}

/// Kills workers until the soak is over.
pub fn run(
    pool: &ProcessPoolExecutor,
    workers: NonZeroUsize,
    seed: u64,
    over: &AtomicBool,
    kills: &Mutex<Kills>,
) {
    let mut dice = Rng::with_seed(seed.wrapping_sub(1));
    let kills = || kills.lock().unwrap_or_else(PoisonError::into_inner);
    while !over.load(Relaxed) {
        thread::sleep(Duration::from_micros(dice.u64(100..20_000)));
        let pids = pool.worker_pids();
        let is_short = pids.len() != workers.get();
        kills().looks += 1;
        kills().short += usize::from(is_short);
        let letter = dice.usize(0..workers.get());
        // Without a full list, the letter of a worker is not known.
        let Some(&pid) = pids.get(letter).filter(|_| !is_short) else { continue };
        let Some(life) = Life::of(pid) else { continue };
        // Note the kill first: the pool may be faster than the note.
        kills().kills.push(Kill { letter, life, before: Instant::now(), gone: None });
        let _ = kill(Pid::from_raw(pid as i32), Signal::SIGKILL);
        while Life::of(pid) == Some(life) {
            thread::sleep(Duration::from_micros(50));
        }
        if let Some(kill) = kills().kills.last_mut() {
            kill.gone = Some(Instant::now());
        }
    }
}
