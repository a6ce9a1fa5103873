//! `map_with`, and the contract of all stages.

use super::gate::{Gate, Gates, pass};
use super::*;
use kernel::{Executor, Ran};
use process_futures::MapOptions;
use std::cell::Cell;

fn options() -> MapOptions {
    MapOptions::default()
}

pub fn in_order() {
    let pool = pool(3);
    for buffersize in [None, Some(1), Some(2), Some(7), Some(1000)] {
        let options = MapOptions { buffersize: buffersize.map(count), ..options() };
        let squares = pool.map_with(square, 0..200, options).map(Result::unwrap);
        assert!(squares.eq((0..200).map(square)), "{buffersize:?}");
    }
}

pub fn in_the_order_of_their_ends() {
    let (pool, gates) = (pool(2), Gates::new());
    let options = MapOptions { unordered: true, ..options() };
    (1..6).for_each(|n| gates.gate(n).open());
    let items: Vec<Gate> = (0..6).map(|n| gates.gate(n)).collect();
    let mut map = pool.map_with(pass, items, options);
    let mut first: Vec<_> = map.by_ref().take(5).map(Result::unwrap).collect();
    first.sort_unstable();
    assert_eq!(first, [1, 2, 3, 4, 5]);
    gates.gate(0).open();
    assert_eq!(map.next().unwrap().unwrap(), 0);
    assert!(map.next().is_none());
}

pub fn of_nothing() {
    let pool = pool(1);
    assert!(pool.map_with(square, [], options()).next().is_none());
    let chunks = MapOptions { chunksize: count(3), unordered: true, ..options() };
    assert!(pool.map_with(square, [], chunks).next().is_none());
}

pub fn errors_do_not_end_it() {
    let pool = pool(2);
    for unordered in [false, true] {
        let options = MapOptions { unordered, ..options() };
        let mut outcomes: Vec<_> = pool
            .map_with(square_even, 0..10, options)
            .map(|outcome| outcome.map_err(|error| error.index() as u64))
            .collect();
        outcomes.sort_unstable();
        let (even, odd) = ([0, 4, 16, 36, 64].map(Ok), [1, 3, 5, 7, 9].map(Err));
        assert_eq!(outcomes, [even, odd].concat());
    }
}

/// Counts how many items were taken.
fn counted(read: &Cell<usize>, items: impl Iterator<Item = u64>) -> impl Iterator<Item = u64> {
    items.inspect(|_| read.set(read.get() + 1))
}

pub fn the_source_is_read_to_its_end_at_once() {
    let (pool, read) = (pool(1), Cell::new(0));
    let map = pool.map_with(square, counted(&read, 0..1000), options());
    assert_eq!(read.get(), 1000, "without a buffer size, as in Python");
    drop(map);
}

pub fn the_buffer_bounds_the_reading() {
    for (workers, buffersize) in [(1, 1), (2, 1), (2, 4), (3, 64)] {
        for unordered in [false, true] {
            let (pool, read) = (pool(workers), Cell::new(0));
            let options =
                MapOptions { buffersize: Some(count(buffersize)), unordered, ..options() };
            let mut map = pool.map_with(square, counted(&read, 0..300), options);
            assert_eq!(read.get(), buffersize, "it begins at once");
            for yielded in 0..300 {
                map.next().unwrap().unwrap();
                let ahead = read.get() - yielded;
                assert!(ahead <= buffersize, "{ahead} ahead of {buffersize}");
            }
            assert!(map.next().is_none());
            assert_eq!(read.get(), 300);
        }
    }
}

pub fn the_buffer_bounds_the_reading_in_chunks() {
    let (pool, read) = (pool(2), Cell::new(0));
    let options =
        MapOptions { buffersize: Some(count(3)), chunksize: count(10), ..MapOptions::default() };
    let mut map = pool.map_with(square, counted(&read, 0..205), options);
    for yielded in 0..205 {
        assert!(read.get() <= yielded + 30, "{} read, {yielded} yielded", read.get());
        assert_eq!(map.next().unwrap().unwrap(), square(yielded as u64));
    }
    assert!(map.next().is_none());
}

pub fn without_an_end() {
    let pool = pool(2);
    let options = MapOptions { buffersize: Some(count(8)), ..options() };
    let squares = pool.map_with(square, 0.., options).map(Result::unwrap).take(100);
    assert!(squares.eq((0..100).map(square)));
    assert_eq!(pool.submit(square, 3).result().unwrap(), 9);
}

pub fn a_long_one() {
    let pool = pool(2);
    let options = MapOptions { buffersize: Some(count(64)), ..options() };
    let sum: u64 = pool.map_with(square, 0..50_000, options).map(Result::unwrap).sum();
    assert_eq!(sum, (0..50_000).map(square).sum::<u64>());
}

pub fn chunks_of_all_sizes() {
    let pool = pool(2);
    for chunksize in [1, 2, 3, 7, 20, 21, 1000] {
        for unordered in [false, true] {
            let options = MapOptions { chunksize: count(chunksize), unordered, ..options() };
            let mut squares: Vec<_> =
                pool.map_with(square, 0..21, options).map(Result::unwrap).collect();
            if unordered {
                squares.sort_unstable();
            }
            assert!(squares.into_iter().eq((0..21).map(square)), "{chunksize}");
        }
    }
}

pub fn a_panic_in_a_chunk() {
    let pool = pool(1);
    let options = MapOptions { chunksize: count(4), ..options() };
    for (n, outcome) in pool.map_with(square_even, 0..10, options).enumerate() {
        match outcome {
            Ok(square) => assert!(n % 2 == 0 && square == (n * n) as u64),
            Err(error) => {
                assert_eq!((error.index(), error.ran(), n % 2), (n, Ran::Yes, 1));
                assert!(error.to_string().contains(&format!("no luck with {n}")), "{error}");
                assert!(error.to_string().contains("mod.rs:"), "the place: {error}");
            }
        }
    }
}

/// A task that ends its worker in the middle of a chunk.
fn die_at_five(n: u64) -> u64 {
    if n == 5 { process::exit(9) } else { n }
}

pub fn a_death_in_a_chunk() {
    let pool = pool(1);
    let options = MapOptions { chunksize: count(3), ..options() };
    let outcomes: Vec<_> = pool.map_with(die_at_five, 0..9, options).collect();
    for (n, outcome) in outcomes.iter().enumerate() {
        if (3..6).contains(&n) {
            assert!(matches!(death(outcome), Death::Exited { status: 9, .. }));
            let error = outcome.as_ref().unwrap_err();
            assert_eq!((error.index(), error.ran()), (n, Ran::Unknown));
        } else {
            assert_eq!(*outcome.as_ref().unwrap(), n as u64);
        }
    }
}

pub fn a_chunk_that_does_not_come_back() {
    /// A value that cannot be deserialised.
    #[derive(serde::Serialize)]
    struct OneWay;
    impl<'de> serde::Deserialize<'de> for OneWay {
        fn deserialize<D: serde::Deserializer<'de>>(_from: D) -> Result<Self, D::Error> {
            Err(serde::de::Error::custom("there is no way back"))
        }
    }
    fn go(_n: u64) -> OneWay {
        OneWay
    }
    fn come(_one_way: OneWay) -> u64 {
        1
    }
    let pool = pool(1);
    let options = MapOptions { chunksize: count(2), ..options() };
    let answers: Vec<_> = pool.map_with(go, 0..3, options).map(|o| o.err().unwrap()).collect();
    assert!(answers.iter().all(|error| error.ran() == Ran::Yes));
    let arguments = pool.map_with(come, [OneWay, OneWay, OneWay], options);
    let arguments: Vec<_> = arguments.map(Result::unwrap_err).collect();
    assert!(arguments.iter().all(|error| error.ran() == Ran::No));
    for (n, error) in answers.iter().chain(&arguments).enumerate() {
        assert_eq!(error.index(), n % 3);
        assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
    }
}

pub fn dropping_one_cancels_what_is_queued() {
    let (pool, gates) = (pool(1), Gates::new());
    let items: Vec<Gate> = (0..10).map(|n| gates.gate(n)).collect();
    let map = pool.map_with(pass, items, options());
    gates.gate(0).until_reached();
    drop(map);
    (0..10).for_each(|n| gates.gate(n).open());
    pool.shutdown(true, false);
    let run: Vec<u64> = (0..10).filter(|&n| gates.gate(n).is_reached()).collect();
    assert_eq!(run, [0]);
}

/// Also a map that was never asked for an answer: no call waits for an iterator that is gone.
pub fn dropping_one_that_was_never_asked() {
    let (pool, gates) = (pool(1), Gates::new());
    let gate = pool.submit(pass, gates.gate(9));
    gates.gate(9).until_reached();
    for n in 0..9 {
        let options = MapOptions { unordered: n % 2 == 0, ..options() };
        drop(pool.map_with(pass, [gates.gate(n)], options));
    }
    (0..10).for_each(|n| gates.gate(n).open());
    pool.shutdown(true, false);
    assert_eq!(gate.result().unwrap(), 9);
    assert!((0..9).all(|n| !gates.gate(n).is_reached()));
}

pub fn two_at_once() {
    let pool = pool(2);
    let options = MapOptions { buffersize: Some(count(5)), ..options() };
    let even = pool.map_with(square, (0..100).map(|n| 2 * n), options);
    let odd = pool.map_with(square, (0..100).map(|n| 2 * n + 1), options);
    for (n, (even, odd)) in (0..).zip(even.zip(odd)) {
        assert_eq!((even.unwrap(), odd.unwrap()), (square(2 * n), square(2 * n + 1)));
    }
}

pub fn the_contract() {
    fn through<E: Executor>(executor: &E) {
        assert_eq!(executor.workers().get(), 3);
        let squares = executor.map(square, (0..1000).collect()).unwrap();
        assert!(squares.into_iter().eq((0..1000).map(square)));
        let error = executor.map(square_even, vec![2, 4, 5, 6, 7]).unwrap_err();
        assert_eq!(error.index(), 2);
        let each = executor.map_each(square_even, vec![2, 3, 4]);
        assert_eq!(each[0].as_ref().unwrap() + each[2].as_ref().unwrap(), 20);
        assert_eq!(each[1].as_ref().unwrap_err().index(), 1);
        assert!(executor.map_each(square, Vec::new()).is_empty());
    }
    through(&pool(3));
}
