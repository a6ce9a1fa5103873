//! The behaviours of worker processes alone: dying without the program, being replaced, staying,
//! and sharing nothing.

use crate::contract::{assert_squares, workers};
use kernel::{Executor, Ran, TaskErrorKind};
use one_change_tests::Stage;
use one_change_tests::meeting::{self, Guest, WHERE_THEY_MUST_MEET, guests};
use one_change_tests::{own_process, surroundings};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::{Mutex, mpsc};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

pub fn a_panic_is_told_with_its_place<E: Executor>(stage: &Stage<E>) {
    fn explode(_: u8) {
        panic!("here");
    }
    let error = (stage.make)(workers(2)).map(explode, vec![0]).unwrap_err();
    let TaskErrorKind::Panicked(panic) = error.kind() else { panic!("not told as one: {error}") };
    let place = panic.location.as_deref().expect("a place");
    assert!(place.contains("processes_only.rs:"), "{place}");
}

/// Ends its process on 13 and on 14, each in its own way.
fn deadly(n: u64) -> u64 {
    match n {
        13 => process::exit(3),
        14 => process::abort(),
        n => n,
    }
}

pub fn a_death_costs_one_item<E: Executor>(stage: &Stage<E>) {
    let mut answers = (stage.make)(workers(2)).map_each(deadly, vec![13, 1, 2, 3]).into_iter();
    let error = answers.next().unwrap().unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::WorkerDied(_)), "{error}");
    assert_eq!((error.index(), error.ran()), (0, Ran::Unknown));
    assert_eq!(answers.map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
}

/// As many deaths as workers, and then good items.
pub fn the_dead_are_replaced<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(2));
    let mut answers = executor.map_each(deadly, vec![13, 14, 1, 2, 3]).into_iter();
    assert!(answers.next().unwrap().is_err());
    assert!(answers.next().unwrap().is_err());
    assert_eq!(answers.map(Result::unwrap).collect::<Vec<_>>(), [1, 2, 3]);
    assert_squares(&executor, 10);
}

pub fn the_workers_stay<E: Executor>(stage: &Stage<E>) {
    /// The process id, if all items met: then each item has a worker of its own.
    fn meet(guest: Guest) -> Option<u32> {
        meeting::meet(guest).then(process::id)
    }
    let executor = (stage.make)(workers(3));
    let processes = || -> BTreeSet<u32> {
        let folder = tempfile::tempdir().unwrap();
        let answers = executor.map(meet, guests(folder.path(), 3, WHERE_THEY_MUST_MEET)).unwrap();
        answers.into_iter().map(|process| process.expect("they meet")).collect()
    };
    let first = processes();
    assert_eq!(first.len(), 3);
    assert!(!first.contains(&process::id()));
    assert_eq!(processes(), first);
}

/// A lock that another thread of the caller holds while the work is done. A worker has a lock of
/// its own; a child that is forked at this moment has a copy that stays locked for ever.
pub fn threads_do_no_harm<E: Executor>(stage: &Stage<E>) {
    static LOCK: Mutex<()> = Mutex::new(());
    fn take_the_lock(n: u64) -> u64 {
        let _turn = LOCK.lock().unwrap();
        n
    }
    let (locked, is_locked) = mpsc::channel();
    let (done, is_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        scope.spawn(move || {
            let _turn = LOCK.lock().unwrap();
            locked.send(()).unwrap();
            let _ = is_done.recv();
        });
        is_locked.recv().unwrap();
        let answers = (stage.make)(workers(2)).map(take_the_lock, vec![1, 2, 3]).unwrap();
        assert_eq!(answers, [1, 2, 3]);
        drop(done);
    });
}

/// How [`it_dies_with_the_program`] starts the program that is to be killed.
pub const PROGRAM: &str = "--the-program";

/// The program that is to be killed: its workers write their process ids into the folder and sleep.
pub fn program<E: Executor>(stage: &Stage<E>, folder: &Path) {
    fn sleep(file: PathBuf) {
        fs::write(file, process::id().to_string()).unwrap();
        thread::sleep(Duration::from_secs(60));
    }
    let files = (0..2).map(|worker| folder.join(worker.to_string())).collect();
    let _ = (stage.make)(workers(2)).map(sleep, files);
}

pub fn it_dies_with_the_program<E: Executor>(stage: &Stage<E>) {
    let folder = tempfile::tempdir().unwrap();
    let mut program = surroundings::program(env::current_exe().unwrap())
        .args([PROGRAM, stage.label])
        .arg(folder.path())
        .spawn()
        .unwrap();
    let number = |file| fs::read_to_string(folder.path().join(file)).ok()?.parse().ok();
    let workers: Vec<u32> = ["0", "1"].map(|file| until(|| number(file))).to_vec();
    program.kill().unwrap();
    program.wait().unwrap();
    for worker in workers {
        until(|| is_gone(worker).then_some(()));
    }
}

/// Waits for something to happen.
fn until<T>(mut there: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = there() {
            return found;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "it does not come");
        thread::sleep(Duration::from_millis(2));
    }
}

/// Whether this process has ended. (It may still wait to be reaped by the process that has
/// inherited it.)
fn is_gone(process: u32) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat"))
        .map_or(true, |stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

/// Two workers at once report their open descriptors. No worker may have a descriptor of the other
/// worker or of the program.
pub fn descriptors_are_not_inherited<E: Executor>(stage: &Stage<E>) {
    #[derive(Serialize, Deserialize)]
    struct Item {
        guest: Guest,
        program: u32,
    }
    fn open(item: Item) -> (BTreeSet<String>, BTreeSet<String>) {
        assert!(meeting::meet(item.guest), "the other worker does not come");
        (own_process::lines_to_others(process::id()), own_process::lines_to_others(item.program))
    }
    let folder = tempfile::tempdir().unwrap();
    let guests = guests(folder.path(), 2, WHERE_THEY_MUST_MEET).into_iter();
    let items = guests.map(|guest| Item { guest, program: process::id() }).collect();
    let inherited = own_process::inherited();
    let answers = (stage.make)(workers(2)).map(open, items).unwrap();
    let [(one, programs), (other, _)] = &answers[..] else { panic!("two items, two answers") };
    let (one, other) = (one - inherited, other - inherited);
    assert!(!one.is_empty() && !other.is_empty(), "a worker has its line");
    assert!(one.is_disjoint(&other), "both workers have {:?}", &one & &other);
    for worker in [&one, &other] {
        let shared = worker & &(programs - inherited);
        assert!(shared.is_empty(), "a worker has the program's {shared:?}");
    }
}
