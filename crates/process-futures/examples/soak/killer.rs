//! The killer: sends SIGKILL to a random worker at random moments.

use fastrand::Rng;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use process_futures::ProcessPoolExecutor;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Kills workers until the soak is over, and returns the number of kills.
pub fn run(pool: &ProcessPoolExecutor, seed: u64, over: &AtomicBool) -> u64 {
    let mut dice = Rng::with_seed(seed.wrapping_sub(1));
    let mut kills = 0;
    while !over.load(Relaxed) {
        thread::sleep(Duration::from_micros(dice.u64(100..20_000)));
        let pids = pool.worker_pids();
        // The worker may be gone by now. The kernel reuses process ids only after a full cycle, so
        // no other process has this id.
        if let Some(&pid) = dice.choice(&pids) {
            kills += u64::from(kill(Pid::from_raw(pid as i32), Signal::SIGKILL).is_ok());
        }
    }
    kills
}
