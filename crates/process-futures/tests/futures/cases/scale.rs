//! Many calls: what is done for each of them does not grow with their number, and no answer is kept
//! that the program has let go. The cases count steps and bytes. A step that grows with the number
//! of calls makes a case hang, which its limit ends.

use super::gate::{Gates, pass};
use super::*;
use kernel::Bytes;
use peak_alloc::PeakAlloc;
use process_futures::{MapOptions, ReturnWhen, TaskFuture, as_completed, wait};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// How often this process has asked for its id.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// The C library's function, for this program, with a count. To ask whose pool it is is a system
/// call, and the pool is to ask once in a while, not once for each future.
///
/// SAFETY: the name is the C library's, and so are type and meaning.
#[unsafe(no_mangle)]
extern "C" fn getpid() -> libc::pid_t {
    ASKED.fetch_add(1, Relaxed);
    // SAFETY: this system call has no arguments and cannot fail.
    unsafe { libc::syscall(libc::SYS_getpid) as libc::pid_t }
}

/// How often the process asks for its id in `work`.
fn asked(work: impl FnOnce()) -> usize {
    let before = ASKED.load(Relaxed);
    work();
    ASKED.load(Relaxed) - before
}

/// A pool of one worker that is at a gate, and many calls behind it.
fn many(gates: &Gates, number: u64) -> (ProcessPoolExecutor, Vec<TaskFuture<u64>>) {
    let pool = pool(1);
    let first = pool.submit(pass, gates.gate(0));
    gates.gate(0).until_reached();
    drop(first);
    let futures = (0..number).map(|n| pool.submit(square, n)).collect();
    (pool, futures)
}

pub fn whose_pool_it_is_is_asked_once_for_many() {
    const MANY: u64 = 5000;
    let gates = Gates::new();
    assert_eq!(asked(|| _ = process::id()), 1, "it is counted");
    let (pool, futures) = many(&gates, MANY);
    let wait = |when| _ = wait(futures.clone(), Some(Duration::ZERO), when);
    assert!(asked(|| wait(ReturnWhen::AllCompleted)) < 100);
    assert!(asked(|| wait(ReturnWhen::FirstException)) < 100);
    assert!(asked(|| drop(as_completed(futures.clone()))) < 100);
    let map = pool.map_with(square, 0..MANY, MapOptions::default());
    assert!(asked(|| drop(map)) < 100);
    gates.gate(0).open();
    let each = asked(|| assert_eq!(as_completed(futures.clone()).count(), MANY as usize));
    assert!(each < 10 * MANY as usize, "{each} for {MANY} futures");
    let timeout = Some(Duration::ZERO);
    let mut map = pool.map_with(
        sleep_for_ever,
        vec![(); 1000],
        MapOptions { timeout, ..MapOptions::default() },
    );
    let each = asked(|| assert!(map.all(|outcome| is_timed_out(&outcome))));
    assert!(each < 10_000, "{each} for 1000 items");
}

pub fn as_completed_of_a_hundred_thousand() {
    let pool = pool(2);
    let futures: Vec<_> = (0..100_000).map(|n| pool.submit(square, n)).collect();
    let sum: u64 = as_completed(futures).map(|future| future.result().unwrap()).sum();
    assert_eq!(sum, (0..100_000).map(square).sum::<u64>());
}

pub fn two_hundred_thousand_that_wait() {
    const MANY: u64 = 200_000;
    let gates = Gates::new();
    let (pool, futures) = many(&gates, MANY);
    drop(as_completed(futures.clone()));
    assert_eq!(
        wait(futures.clone(), Some(Duration::ZERO), ReturnWhen::FirstCompleted).done.len(),
        0
    );
    let completed = as_completed(futures.clone());
    assert!(futures[..1000].iter().all(TaskFuture::cancel));
    assert!(futures.iter().rev().take(1000).all(TaskFuture::cancel));
    let map = pool.map_with(square, 0..MANY, MapOptions::default());
    drop(map);
    pool.shutdown(false, true);
    assert!(futures.iter().all(TaskFuture::cancelled));
    assert_eq!(completed.count(), MANY as usize);
    let failed = wait(futures, None, ReturnWhen::FirstException);
    assert_eq!(failed.done.len(), MANY as usize, "to be cancelled is no error");
    gates.gate(0).open();
}

pub fn a_map_of_a_hundred_thousand_whose_time_is_over() {
    let pool = pool(2);
    for unordered in [false, true] {
        let options =
            MapOptions { timeout: Some(Duration::ZERO), unordered, ..MapOptions::default() };
        let map = pool.map_with(sleep_for_ever, vec![(); 100_000], options);
        assert_eq!(map.filter(is_timed_out).count(), 100_000);
    }
}

fn a_mebibyte(n: u8) -> Bytes {
    Bytes::from(vec![n; 1 << 20])
}

pub fn as_completed_keeps_no_answer() {
    let pool = pool(2);
    let futures: Vec<_> = (0..100).map(|n| pool.submit(a_mebibyte, n)).collect();
    wait(futures.clone(), None, ReturnWhen::AllCompleted);
    let mut completed = as_completed(futures);
    // The soak, which is a part of this program (`examples.rs`), counts what is allocated.
    let before = PeakAlloc.current_usage();
    assert!(before >= 100 << 20, "it is counted");
    for future in completed.by_ref().take(90) {
        assert_eq!(future.result().unwrap().len(), 1 << 20);
    }
    let freed = before.saturating_sub(PeakAlloc.current_usage());
    assert!(freed >= 80 << 20, "{freed} bytes are freed");
    assert_eq!(completed.len(), 10);
}
