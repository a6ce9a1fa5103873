//! Numbers at the ends of their range. Each means what it says, or is an error; none hangs, panics
//! or ends the program.

use super::gate::{Gates, pass};
use super::*;
use kernel::Executor;
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use process_futures::{BuildError, MapOptions, OnDeath, ReturnWhen, StartError, wait};

pub fn of_time() {
    let (pool, gates) = (pool(1), Gates::new());
    let gate = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    let behind = pool.submit(square, 3);
    assert!(behind.result_timeout(Duration::ZERO).is_none());
    assert!(is_timed_out(&behind.result_or_kill(Duration::ZERO)));
    let late = MapOptions { timeout: Some(Duration::ZERO), ..MapOptions::default() };
    assert_eq!(pool.map_with(square, 0..9, late).filter(is_timed_out).count(), 9);
    let none = wait([gate.clone()], Some(Duration::ZERO), ReturnWhen::AllCompleted);
    assert!(none.done.is_empty());
    gates.gate(0).open();
    assert_eq!(gate.result_timeout(Duration::MAX).unwrap().unwrap(), 0);
    // The last is in range for the clock, and far out of range for one wait of the system.
    for ever in [Duration::MAX, Duration::from_secs(u64::MAX / 4), Duration::from_secs(1 << 40)] {
        assert_eq!(pool.submit(square, 4).result_timeout(ever).unwrap().unwrap(), 16);
        assert_eq!(pool.submit(square, 5).result_or_kill(ever).unwrap(), 25);
        let all = wait([pool.submit(square, 6)], Some(ever), ReturnWhen::AllCompleted);
        assert_eq!(all.done.len(), 1);
        let options = MapOptions { timeout: Some(ever), ..MapOptions::default() };
        assert!(pool.map_with(square, 0..9, options).map(Result::unwrap).eq((0..9).map(square)));
    }
}

pub fn of_a_map() {
    let (pool, most) = (pool(2), count(usize::MAX));
    for (chunksize, buffersize) in [(count(1), most), (most, count(1)), (most, most)] {
        for unordered in [false, true] {
            let buffersize = Some(buffersize);
            let options = MapOptions { chunksize, buffersize, unordered, timeout: None };
            let mut squares: Vec<_> =
                pool.map_with(square, 0..50, options).map(Result::unwrap).collect();
            squares.sort_unstable();
            assert!(squares.into_iter().eq((0..50).map(square)));
        }
    }
}

pub fn of_calls_and_deaths() {
    let most = usize::MAX;
    let pool = builder(1).max_tasks_per_child(count(most)).build().unwrap();
    assert!(pool.map_each(square, vec![3; 100]).into_iter().all(|nine| nine.unwrap() == 9));
    let pool = builder(1).on_death(OnDeath::Replace { limit: most }).build().unwrap();
    for _ in 0..50 {
        death(&pool.submit(exit, 1).result());
    }
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
    let pool = builder(1).on_death(OnDeath::Replace { limit: 0 }).build().unwrap();
    death(&pool.submit(exit, 1).result());
    assert!(broken(pool.submit(square, 3).result()).contains("exited with status 1"));
}

/// A pool needs a descriptor for each worker, so the system refuses the first that is too many.
pub fn of_workers() {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 64, hard).unwrap();
    for workers in [65, 1 << 40, usize::MAX / 2 + 1, usize::MAX] {
        let error = builder(workers).build().unwrap_err();
        assert!(matches!(error, BuildError::Start(StartError::System(..))), "{error}");
        assert!(error.to_string().contains("starting a worker"), "{error}");
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    assert_eq!(pool(3).submit(square, 3).result().unwrap(), 9);
}
