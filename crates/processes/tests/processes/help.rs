//! What the cases of both pools need.

use kernel::Executor;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Waits for something to happen. The long limit allows for a busy machine.
pub fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(start.elapsed().as_secs() < 60, "it does not come");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether this process has ended. (The process may still wait to be reaped.)
pub fn is_gone(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_or(true, |stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

/// Checks that the pool runs what it is given.
pub fn works(pool: &impl Executor) {
    let answers = pool.map(|n: u64| 2 * n, (0..100).collect()).unwrap();
    assert_eq!(answers, (0..100).map(|n| 2 * n).collect::<Vec<_>>());
}
