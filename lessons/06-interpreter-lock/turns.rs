//! The lock's turns: which thread held it when, and how often it changed hands.

use crate::program::interpreted;
use interpreter::interpreter;
use kernel::Executor;
use report::{Run, grouped, time};
use spans::now_ns;
use std::error::Error;
use threads::Threads;

/// How much of the run is drawn, in seconds: a turn takes 5 ms.
const SHOWN: f64 = 0.06;

/// Runs the items once more while the lock notes its turns, and shows the first of them.
///
/// # Errors
/// If an item fails, or standard output cannot be written.
pub fn show(run: &mut Run, pool: &Threads) -> Result<(), Box<dyn Error>> {
    let lock = &interpreter().lock;
    let (begin_ns, before) = (now_ns(), lock.hand_overs());
    lock.start_recording();
    pool.map(interpreted, run.pairs())?;
    let (turns, hand_overs) = (lock.stop_recording(), lock.hand_overs() - before);
    let seconds = (now_ns() - begin_ns) as f64 / 1e9;
    run.figure("hand_overs", hand_overs as f64);
    let times = format!("{} hand-overs in {}", grouped(hand_overs), time(seconds));
    run.say("Lock", &format!("one thread at a time holds it: {times}\nthe first turns:"))?;
    run.lanes(pool.workers(), &turns, begin_ns, seconds.min(SHOWN))
}
