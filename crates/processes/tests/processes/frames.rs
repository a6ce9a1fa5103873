//! Arbitrary bytes from a worker: the parent does not panic, and takes no more memory than came.
//!
//! `just fuzz` tests the same property, without processes and for longer.

use crate::raw::{self, Way};
use crate::{pool_of, works};
use kernel::{Bytes, Executor, Message, TaskError};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::alloc::{GlobalAlloc, Layout, System};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, with a counter of the allocated bytes.
struct Counted;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn add(bytes: usize) {
    MOST.fetch_max(NOW.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

#[global_allocator]
static ALLOCATOR: Counted = Counted;

// SAFETY: it calls the system's allocator, and counts.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        // SAFETY: as above.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        if size > layout.size() {
            add(size - layout.size());
        } else {
            NOW.fetch_sub(layout.size() - size, Relaxed);
        }
        // SAFETY: as above.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Runs a closure. Returns its answer, and the most memory that this process took meanwhile, in
/// bytes.
fn measured<T>(run: impl FnOnce() -> T) -> (T, usize) {
    let before = NOW.load(Relaxed);
    MOST.store(before, Relaxed);
    let answer = run();
    (answer, MOST.load(Relaxed) - before)
}

/// The most memory that a map may take if a worker sends this many bytes: each byte a few times
/// (while the buffer grows, as a frame, as a value), and some megabytes for a large frame's first
/// block and for the decoder's reserve (serde: one). The limit for a frame is a gigabyte, so a pool
/// that reserved a promised length would exceed this bound.
fn bound(sent: usize) -> usize {
    8 * sent + (32 << 20)
}

/// Writes these bytes to the program in place of an answer, and exits.
fn send_and_die<R>(bytes: Bytes) -> R {
    raw::write(&bytes);
    Way::Sigkill.go()
}

/// A piece of the sent bytes: random bytes, or a header with a body, most of them nearly right.
fn piece(task: u64) -> impl Strategy<Value = Vec<u8>> {
    let numbers = prop_oneof![8 => Just(task), 1 => Just(task + 1), 1 => any::<u64>()];
    let kinds = prop_oneof![6 => Just(1u8), 3 => Just(2u8), 1 => any::<u8>()];
    // The length in the header: the true length, or any other.
    let lengths = prop_oneof![6 => Just(None), 3 => any::<u32>().prop_map(Some),
        1 => Just(Some(1 << 30))];
    let bodies = prop_oneof![9 => vec(any::<u8>(), 0..200), 1 => vec(any::<u8>(), 65_000..70_000)];
    let frame = (numbers, kinds, lengths, bodies).prop_map(|(number, kind, length, body)| {
        let length = length.unwrap_or(body.len() as u32);
        let mut bytes = raw::header(length, kind, number);
        bytes.extend(body);
        bytes
    });
    prop_oneof![4 => frame, 1 => vec(any::<u8>(), 0..300)]
}

pub fn any_bytes_are_survived_in_bounds() {
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    // The first call of a pool has the number 0.
    let sent = (vec(piece(0), 0..4), 0..6).prop_map(|(pieces, kind)| (pieces.concat(), kind));
    let property = |(sent, kind): (Vec<u8>, i32)| {
        let (pool, count) = (pool_of(1), sent.len());
        let (result, most) = measured(|| match kind {
            0 => map::<u64>(&pool, sent),
            1 => map::<String>(&pool, sent),
            2 => map::<Bytes>(&pool, sent),
            3 => map::<Vec<Vec<u32>>>(&pool, sent),
            4 => map::<BTreeMap<String, Option<f64>>>(&pool, sent),
            _ => map::<(char, bool, [u64; 4])>(&pool, sent),
        });
        prop_assert!(most <= bound(count), "{} bytes for {} sent: {:?}", most, count, result);
        // A false answer that came early may be taken for the next call's answer; the calls after
        // that are not affected.
        let _ = pool.map(|n: u64| 2 * n, vec![21]);
        works(&pool);
        Ok(())
    };
    TestRunner::new(config).run(&sent, property).unwrap();
}

fn map<R: Message>(pool: &impl Executor, sent: Vec<u8>) -> Result<(), TaskError> {
    pool.map(send_and_die::<R>, vec![sent.into()]).map(drop)
}

/// A header promises a gigabyte, which is within the limit, and no body follows.
pub fn a_promise_of_a_gigabyte_costs_little() {
    for (kind, sent) in [(1, 0), (1, 100_000), (2, 1_000_000)] {
        let pool = pool_of(1);
        let mut bytes = raw::header(1 << 30, kind, 0);
        bytes.resize(bytes.len() + sent, 0);
        let (result, most) = measured(|| map::<Bytes>(&pool, bytes));
        assert!(result.unwrap_err().to_string().contains("was killed by SIGKILL"));
        assert!(most <= bound(sent), "{most} bytes for {sent}");
        works(&pool);
    }
}

/// A frame of one byte over the limit is refused, and its worker cannot be used any more.
pub fn the_limit_holds_to_the_byte() {
    let pool = pool_of(1);
    let worker = pool.worker_pids();
    let bytes = raw::header((1 << 30) + 1, 1, 0);
    let stay = |bytes: Bytes| raw::write(&bytes);
    let (error, most) = measured(|| pool.map(stay, vec![bytes.into()]).unwrap_err());
    assert!(error.to_string().contains("no frame came: a body of 1073741825 bytes"), "{error}");
    assert!(most <= bound(0), "{most} bytes");
    works(&pool);
    assert_ne!(pool.worker_pids(), worker);
}
