//! Many calls: what is done for each of them does not grow with their number, and no answer is kept
//! that the program has let go.
//!
//! No case measures a time. What the cases count shows this much:
//!
//! - How often the process asks for its id: once for each way into the pool.
//! - How often the process allocates memory, and how many bytes: a step that copies or collects all
//!   calls for each call makes the bytes grow with the square of the number.
//! - A step that only looks through all calls for each call does neither. With a million calls
//!   such a step makes the case hang, which the limit of the case ends. With a hundred thousand
//!   calls the step may be fast enough to stay unseen.

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

/// What this process has allocated since its start, on all threads: how often, and how many bytes.
/// Memory that is given back is not subtracted.
static ALLOCATED: [AtomicUsize; 2] = [const { AtomicUsize::new(0) }; 2];

/// The C library's functions that allocate, for this program, with a count. The program's allocator
/// calls them, as the C library itself does. (glibc lets a program replace them, and has its own
/// under other names; with another C library nothing is counted.)
#[cfg(target_env = "gnu")]
mod counting {
    use super::{ALLOCATED, Relaxed};
    use std::ffi::c_void;

    unsafe extern "C" {
        fn __libc_malloc(size: usize) -> *mut c_void;
        fn __libc_calloc(count: usize, size: usize) -> *mut c_void;
        fn __libc_realloc(old: *mut c_void, size: usize) -> *mut c_void;
    }

    fn count(size: usize) {
        ALLOCATED[0].fetch_add(1, Relaxed);
        ALLOCATED[1].fetch_add(size, Relaxed);
    }

    /// SAFETY: the name is the C library's, and so are type and meaning. (The same below.)
    #[unsafe(no_mangle)]
    unsafe extern "C" fn malloc(size: usize) -> *mut c_void {
        count(size);
        // SAFETY: any size may be asked for.
        unsafe { __libc_malloc(size) }
    }

    #[unsafe(no_mangle)]
    unsafe extern "C" fn calloc(number: usize, size: usize) -> *mut c_void {
        count(number.saturating_mul(size));
        // SAFETY: any size may be asked for.
        unsafe { __libc_calloc(number, size) }
    }

    /// SAFETY: what the caller promises of `old`, it promises to the C library.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn realloc(old: *mut c_void, size: usize) -> *mut c_void {
        count(size);
        // SAFETY: see above.
        unsafe { __libc_realloc(old, size) }
    }
}

/// What a piece of work costs the process: how often it asks for its id, how often it allocates,
/// and how many bytes.
type Cost = [usize; 3];

/// The cost of `work`, and what the work has made.
fn cost<T>(work: impl FnOnce() -> T) -> (Cost, T) {
    let now = || [&ASKED, &ALLOCATED[0], &ALLOCATED[1]].map(|count| count.load(Relaxed));
    let before = now();
    let made = work();
    let after = now();
    (std::array::from_fn(|at| after[at] - before[at]), made)
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

/// The costs of every way in and out, with this many calls that no worker takes. So the pool does
/// the same steps in every run.
fn costs(number: u64) -> [(&'static str, Cost); 8] {
    let gates = Gates::new();
    let (pool, none) = many(&gates, 0);
    drop(none);
    let all = number as usize;
    let later = |futures: &[TaskFuture<u64>], when| {
        wait(futures.to_vec(), Some(Duration::ZERO), when).done.len()
    };
    let (submit, futures) =
        cost(|| (0..number).map(|n| pool.submit(square, n)).collect::<Vec<_>>());
    let (wait_in_vain, done) = cost(|| later(&futures, ReturnWhen::AllCompleted));
    assert_eq!(done, 0);
    let (register, completed) = cost(|| as_completed(futures.clone()));
    let (cancel, cancelled) = cost(|| futures.iter().all(TaskFuture::cancel));
    assert!(cancelled);
    let (count, counted) = cost(|| completed.count());
    assert_eq!(counted, all);
    let (wait, done) = cost(|| later(&futures, ReturnWhen::FirstException));
    assert_eq!(done, all, "to be cancelled is no error");
    let (map, items) = cost(|| pool.map_with(square, 0..number, MapOptions::default()));
    let (drop, ()) = cost(|| drop(items));
    gates.gate(0).open();
    [
        ("submit", submit),
        ("wait in vain", wait_in_vain),
        ("as_completed", register),
        ("cancel", cancel),
        ("its iterator", count),
        ("wait", wait),
        ("map_with", map),
        ("its drop", drop),
    ]
}

/// Ten times as many calls cost ten times as much, in the counts of [`Cost`]. The ratio may be
/// twelve, because a list that grows by doubling takes a little more or less than it needs; a cost
/// that grows with the square would give a hundred.
pub fn ten_times_as_many_cost_ten_times_as_much() {
    let [few, many] = [10_000, 100_000].map(costs);
    #[cfg(target_env = "gnu")]
    assert!(few[0].1[1] >= 10_000, "it is counted: {few:?}");
    for ((what, few), (_, many)) in few.into_iter().zip(many) {
        println!("{what}: {few:?} {many:?}"); // shown if it fails
        // A cancellation may wake the pool's manager, which then waits for its worker again. How
        // often this happens is the scheduler's choice, so up to ten steps and a thousand bytes for
        // each cancelled call count as linear. Elsewhere, the manager does little and now and then.
        let least = if what == "cancel" { [100_000, 100_000, 10_000_000] } else { [100; 3] };
        for ((few, many), least) in few.into_iter().zip(many).zip(least) {
            assert!(many <= 12 * few.max(least), "{what}: {few} for 10^4, {many} for 10^5");
        }
    }
}

/// A step that looks through all calls for each call would take 10^12 looks. The calls are cancelled
/// and have no answers, because a million answers take too long in a build that is not optimised:
/// what is done with answers is tried with a hundred thousand calls and no more.
pub fn a_million() {
    const MANY: u64 = 1_000_000;
    let gates = Gates::new();
    let (pool, futures) = many(&gates, MANY);
    let completed = as_completed(futures);
    pool.shutdown(false, true);
    assert_eq!(completed.filter(TaskFuture::cancelled).count(), MANY as usize);
    gates.gate(0).open();
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
