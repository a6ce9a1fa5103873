//! Bytes: many, large, crossing, wrong.

use crate::{pool_of, until};
use kernel::{Bytes, Executor, Ran, TaskErrorKind};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, sigaction};
use nix::unistd::getpid;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

fn same<T>(value: T) -> T {
    value
}

/// Tiny items first, then ten megabytes in each item: a worker writes a large answer while a large
/// argument is on its way to the other worker. A pool that only writes, or only reads, waits for
/// ever.
pub fn ten_megabytes_both_ways_at_once() {
    let large = |byte| Bytes::from(vec![byte; 10_000_000]);
    let tiny = (0..500).map(|_| Bytes::new());
    let items: Vec<Bytes> = tiny.chain((0..8).map(large)).collect();
    assert!(pool_of(1).map(same, items.clone()).unwrap() == items);
    assert!(pool_of(2).map(same, items.clone()).unwrap() == items);
}

pub fn one_answer_of_many_megabytes() {
    let pool = pool_of(1);
    for length in [0, 1, 65_503, 65_504, 65_505, 65_536, 262_144, 100_000_000] {
        let answer = pool.map(|length: u64| vec![7; length as usize].into(), vec![length]);
        let answer: Vec<Bytes> = answer.unwrap();
        assert!(answer[0].len() == length as usize && answer[0].iter().all(|&byte| byte == 7));
        // Then the same bytes go the other way, with a small item on each side.
        let items = vec![Bytes::new(), answer[0].clone(), Bytes::from(vec![1])];
        assert!(pool.map(same, items.clone()).unwrap() == items);
    }
}

pub fn tiny_items_by_the_hundred_thousand() {
    let items: Vec<u64> = (0..100_000).collect();
    assert_eq!(pool_of(2).map(same, items.clone()).unwrap(), items);
    assert_eq!(pool_of(2).map(same, vec![(); 10_000]).unwrap().len(), 10_000);
    assert_eq!(pool_of(2).map(same::<u64>, Vec::new()).unwrap().len(), 0);
}

/// A type that serialises as two numbers and deserialises from one.
#[derive(Debug)]
struct Chatty;

impl Serialize for Chatty {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (1u8, 2u8).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Chatty {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        u8::deserialize(deserializer).map(|_| Self)
    }
}

pub fn left_over_bytes_are_refused() {
    let pool = pool_of(1);
    for (error, ran) in [
        (pool.map(|_: Chatty| (), vec![Chatty]).unwrap_err(), Ran::No),
        (pool.map(|_: u8| Chatty, vec![0]).unwrap_err(), Ran::Yes),
    ] {
        assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
        assert_eq!(error.ran(), ran, "{error}");
        assert!(error.to_string().contains("1 bytes are left over"), "{error}");
    }
}

/// A value that cannot be serialised, or cannot be deserialised.
#[derive(Debug)]
enum Odd {
    Unwritable,
    Unreadable,
    PanicsWhenRead,
    KillsWhenRead,
}

impl Serialize for Odd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Unwritable => Err(serde::ser::Error::custom("cannot be written")),
            Self::Unreadable => 1u8.serialize(serializer),
            Self::PanicsWhenRead => 2u8.serialize(serializer),
            Self::KillsWhenRead => 3u8.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Odd {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match u8::deserialize(deserializer)? {
            2 => panic!("while it is read"),
            3 => std::process::abort(),
            _ => Err(serde::de::Error::custom("cannot be read")),
        }
    }
}

pub fn what_cannot_be_written_or_read() {
    let pool = pool_of(1);
    let argument = |item: Odd| pool.map(|_: Odd| (), vec![item]).unwrap_err();
    let error = argument(Odd::Unwritable);
    assert!(matches!(error.kind(), TaskErrorKind::NotSerialised(_)), "{error}");
    assert_eq!(error.ran(), Ran::No);
    let error = argument(Odd::Unreadable);
    assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
    assert_eq!(error.ran(), Ran::No);
    let error = argument(Odd::PanicsWhenRead);
    assert!(matches!(error.kind(), TaskErrorKind::Panicked(_)), "{error}");
    assert_eq!(error.ran(), Ran::No, "it panicked before the task was called");
    let error = argument(Odd::KillsWhenRead);
    assert!(matches!(error.kind(), TaskErrorKind::WorkerDied(_)), "{error}");
    assert_eq!(error.ran(), Ran::Unknown);
    let error = pool.map(|_: u8| Odd::Unwritable, vec![0]).unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::NotSerialised(_)), "{error}");
    assert_eq!(error.ran(), Ran::Yes);
    let error = pool.map(|_: u8| Odd::Unreadable, vec![0]).unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
    assert_eq!(error.ran(), Ran::Yes);
    assert_eq!(pool.map(same, vec![1, 2, 3]).unwrap(), [1, 2, 3]);
}

/// A value that serialises to one byte more than a frame may have. The memory is never touched, so
/// it costs nothing unless it is copied.
struct Huge;

impl Serialize for Huge {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(&vec![0; (1 << 30) + 1])
    }
}

impl<'de> Deserialize<'de> for Huge {
    fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
        panic!("it never arrives")
    }
}

pub fn over_the_limit() {
    let pool = pool_of(1);
    let Err(error) = pool.map(|_: Huge| (), vec![Huge]) else { panic!("it arrived") };
    assert!(matches!(error.kind(), TaskErrorKind::NotSerialised(_)), "{error}");
    assert!(error.to_string().contains("over the limit"), "{error}");
    assert_eq!(error.ran(), Ran::No);
    let Err(error) = pool.map(|_: u8| Huge, vec![0]) else { panic!("it arrived") };
    assert!(matches!(error.kind(), TaskErrorKind::NotSerialised(_)), "{error}");
    assert!(error.to_string().contains("over the limit"), "{error}");
    assert_eq!(error.ran(), Ran::Yes);
    assert_eq!(pool.map(same, vec![1]).unwrap(), [1]);
}

/// A function of the C library stands for a function of a library that was opened later: neither
/// lies in the program itself.
pub fn functions_that_no_worker_has() {
    let address = libc::getpid as *const ();
    // SAFETY: the function is never called, as the test checks.
    let foreign = unsafe { std::mem::transmute::<*const (), fn(u64) -> u64>(address) };
    let pool = pool_of(1);
    for error in pool.map_each(foreign, vec![1, 2]).into_iter().map(Result::unwrap_err) {
        assert!(matches!(error.kind(), TaskErrorKind::NotInTemplate), "{error}");
        assert_eq!(error.ran(), Ran::No);
    }
    assert_eq!(pool.map(same, vec![1]).unwrap(), [1]);
}

/// Signals interrupt system calls, in the program and in the workers.
pub fn signals_in_the_middle() {
    static CAUGHT: AtomicU32 = AtomicU32::new(0);
    extern "C" fn count(_: i32) {
        CAUGHT.fetch_add(1, Relaxed);
    }
    // Install the handler without SA_RESTART, so that system calls are interrupted.
    let action = SigAction::new(SigHandler::Handler(count), SaFlags::empty(), SigSet::empty());
    // SAFETY: the handler adds to an atomic number, which a handler may.
    unsafe { sigaction(Signal::SIGUSR1, &action) }.unwrap();
    let (pool, done) = (pool_of(2), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Relaxed) {
                let _ = kill(getpid(), Signal::SIGUSR1);
                thread::sleep(Duration::from_micros(200));
            }
        });
        for _ in 0..20 {
            let items: Vec<Bytes> = (0..20).map(|n| Bytes::from(vec![n; 300_000])).collect();
            assert!(pool.map(same, items.clone()).unwrap() == items);
        }
        until(|| (CAUGHT.load(Relaxed) > 20).then_some(()));
        done.store(true, Relaxed);
    });
}
