//! What the fork server's start and its end mean for a pool. (The server alone is tested in its own
//! crate.)

use crate::{is_gone, pool_of, until};
use kernel::{Death, Executor, Ran, TaskErrorKind};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use processes::{ForkServer, ProcessPool};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, process, thread};

fn double(n: u64) -> u64 {
    2 * n
}

/// A thread that lives until the sender is dropped.
fn beside_a_thread(test: impl FnOnce()) {
    let (sender, receiver) = mpsc::channel::<()>();
    let other = thread::spawn(move || receiver.recv());
    test();
    drop(sender);
    let _ = other.join();
}

pub fn a_pool_may_be_made_beside_threads_once_it_runs() {
    beside_a_thread(|| {
        let pool = pool_of(2);
        assert_eq!(pool.map(double, vec![1, 2]).unwrap(), [2, 4]);
        // Beside threads, dead workers are replaced, too.
        pool.map(|_: u8| process::abort(), vec![0]).map(|_: Vec<()>| ()).unwrap_err();
        assert_eq!(pool.map(double, (0..100).collect()).unwrap().len(), 100);
        // The pool also works on another thread than the thread that made it.
        thread::scope(|scope| {
            scope.spawn(|| assert_eq!(pool.map(double, vec![4]).unwrap(), [8]));
        });
    });
}

pub fn a_worker_has_no_pool() {
    let nested = |_: u8| ProcessPool::new(NonZeroUsize::MIN).unwrap_err().to_string();
    let said = pool_of(1).map(nested, vec![0]).unwrap();
    assert_eq!(said, ["a worker cannot have a pool of its own"]);
}

fn kill_the_server() -> Vec<u32> {
    let server = ForkServer::start().unwrap().pid();
    kill(Pid::from_raw(server as i32), SIGKILL).unwrap();
    vec![server]
}

pub fn killed_while_idle() {
    let pool = pool_of(2);
    assert_eq!(pool.map(double, vec![1]).unwrap(), [2]);
    let mut gone = pool.worker_pids();
    gone.extend(kill_the_server());
    until(|| gone.iter().all(|&pid| is_gone(pid)).then_some(()));
    for _ in 0..2 {
        for error in pool.map_each(double, vec![1, 2, 3]).into_iter().map(Result::unwrap_err) {
            assert!(matches!(error.kind(), TaskErrorKind::Broken(_)), "{error}");
            assert_eq!(error.ran(), Ran::No);
        }
    }
    drop(pool);
    no_child_left();
}

pub fn killed_while_workers_run() {
    fn sleep(file: PathBuf) {
        fs::write(file, "running").unwrap();
        thread::sleep(Duration::from_secs(1000));
    }
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..4).map(|item| folder.path().join(item.to_string())).collect();
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    thread::scope(|scope| {
        scope.spawn(|| {
            until(|| (files[0].exists() && files[1].exists()).then_some(()));
            kill_the_server();
        });
        let answers = pool.map_each(sleep, files.clone());
        for (index, error) in answers.into_iter().map(Result::unwrap_err).enumerate() {
            match error.kind() {
                TaskErrorKind::WorkerDied(Death::Unknown { worker, pid }) => {
                    assert!(index < 2 && *worker == index, "{error}");
                    assert_eq!(*pid, Some(workers[index]));
                    assert_eq!(error.ran(), Ran::Unknown);
                }
                TaskErrorKind::Broken(_) => {
                    assert!(index >= 2, "{error}");
                    assert_eq!(error.ran(), Ran::No);
                }
                _ => panic!("{error}"),
            }
        }
    });
    until(|| workers.iter().all(|&pid| is_gone(pid)).then_some(()));
    drop(pool);
    no_child_left();
}

/// Checks that no child is left, not even a child that waits to be reaped.
fn no_child_left() {
    until(|| nix::sys::wait::waitpid(None, Some(nix::sys::wait::WaitPidFlag::WNOHANG)).err());
}
