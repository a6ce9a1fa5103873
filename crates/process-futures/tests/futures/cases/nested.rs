//! Pools in processes that cannot have a pool.

use super::*;
use kernel::Executor;
use process_futures::{MapOptions, ReturnWhen, TaskFuture, as_completed, wait};
use std::sync::OnceLock;

fn make_a_pool((): ()) -> String {
    match builder(2).build() {
        Ok(_) => "a pool".to_owned(),
        Err(error) => error.to_string(),
    }
}

pub fn a_worker_makes_no_pool() {
    let pool = pool(1);
    let said = pool.submit(make_a_pool, ()).result().unwrap();
    assert!(said.contains("a worker cannot have a pool"), "{said}");
}

static POOL: OnceLock<ProcessPoolExecutor> = OnceLock::new();
static FUTURE: OnceLock<TaskFuture<u64>> = OnceLock::new();

/// Uses, in every way, this process's copy of the program's pool.
fn use_it((): ()) -> Vec<String> {
    let Some(pool) = POOL.get() else { return vec!["there is no pool here".to_owned()] };
    let mut said = vec![broken(pool.submit(square, 2).result())];
    said.extend(pool.map_with(square, 0..2, MapOptions::default()).map(broken));
    said.extend(pool.map_each(square, vec![1]).into_iter().map(broken));
    let futures = || [pool.submit(square, 1)].into_iter().chain(FUTURE.get().cloned());
    said.extend(futures().map(|f| broken(f.result_or_kill(Duration::from_secs(1)))));
    said.extend(futures().map(|f| broken(f.result_timeout(Duration::ZERO).expect("a result"))));
    said.extend(as_completed(futures()).map(|f| broken(f.result())));
    let waited = wait(futures(), None, ReturnWhen::AllCompleted);
    said.extend(waited.done.iter().map(|f| broken(f.result())));
    assert!(futures().all(|future| !future.cancel()));
    pool.shutdown(true, true);
    pool.kill_workers();
    assert!(pool.worker_pids().is_empty());
    said
}

fn is_refused(said: &[String]) {
    assert!(said.len() >= 7, "{said:?}");
    assert!(said.iter().all(|said| said.contains("belongs to another process")), "{said:?}");
}

pub fn a_worker_waits_for_no_pool() {
    // A worker is forked from the program as it was before the pool was stored.
    POOL.set(pool(1)).unwrap();
    let pool = POOL.get().unwrap();
    assert_eq!(pool.submit(use_it, ()).result().unwrap(), ["there is no pool here"]);
    // A static is never dropped, so shut the pool down explicitly.
    pool.shutdown(true, true);
}

/// Exits with status 0 if the pool is refused, and with another status if not.
fn child() -> ! {
    is_refused(&use_it(()));
    process::exit(7)
}

pub fn a_fork_of_the_program_uses_no_pool() {
    // A second fork server, which has copies of older pools, starts only after the first fork
    // server has died.
    let server = process_futures::ForkServer::start().unwrap().pid();
    let first = pool(1);
    POOL.set(first).unwrap();
    kill(server);
    until("the death of the fork server", || is_gone(server));
    // A worker may hold a copy of the dead server's socket for a moment, and then the server still
    // seems alive.
    let mut second = None;
    until("the second fork server", || {
        second = builder(1).build().ok();
        second.is_some()
    });
    let second = second.unwrap();
    is_refused(&second.submit(use_it, ()).result().unwrap());
    let result = second.submit(|()| child(), ()).result();
    let _: &Result<(), TaskError> = &result;
    assert!(matches!(death(&result), Death::Exited { status: 7, .. }), "{result:?}");
    let why = broken(POOL.get().unwrap().submit(square, 2).result());
    assert!(why.contains("fork server"), "{why}");
    POOL.get().unwrap().shutdown(true, true);
}
