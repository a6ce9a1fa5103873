//! Values whose own code panics on their way: when the argument is written or read, when the answer
//! is written or read. A panic costs its item, with an error that says whether the item ran, and it
//! never unwinds into the program.

use super::*;
use kernel::Ran;
use process_futures::MapOptions;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The moment of a panic.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Panics {
    Never,
    ArgumentWritten,
    ArgumentRead,
    AnswerWritten,
    AnswerRead,
}
use Panics::{AnswerRead, AnswerWritten, ArgumentRead, ArgumentWritten, Never};

/// A number on its way to a worker.
struct Argument(u64, Panics);

/// The number's double on its way back.
#[derive(Debug)]
struct Answer(u64, Panics);

/// Writes the pair, unless this is the moment to panic.
fn write<S: Serializer>(to: S, n: u64, panics: Panics, now: Panics) -> Result<S::Ok, S::Error> {
    assert!(panics != now, "no way for {n}");
    (n, panics).serialize(to)
}

/// Reads a pair, unless this is the moment to panic.
fn read<'de, D: Deserializer<'de>>(from: D, now: Panics) -> Result<(u64, Panics), D::Error> {
    let (n, panics) = Deserialize::deserialize(from)?;
    assert!(panics != now, "no way for {n}");
    Ok((n, panics))
}

impl Serialize for Argument {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write(to, self.0, self.1, ArgumentWritten)
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(from, ArgumentRead).map(|(n, panics)| Self(n, panics))
    }
}

impl Serialize for Answer {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        write(to, self.0, self.1, AnswerWritten)
    }
}

impl<'de> Deserialize<'de> for Answer {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        read(from, AnswerRead).map(|(n, panics)| Self(n, panics))
    }
}

fn double(Argument(n, panics): Argument) -> Answer {
    Answer(2 * n, panics)
}

/// Checks that the error belongs to this moment, and names the panic.
fn belongs(error: &TaskError, panics: Panics) {
    let (ran, is_kind) = match (panics, error.kind()) {
        (ArgumentWritten, kind) => (Ran::No, matches!(kind, TaskErrorKind::NotSerialised(_))),
        (ArgumentRead, kind) => (Ran::No, matches!(kind, TaskErrorKind::Panicked(_))),
        // A chunk's answers are written one by one, and each is caught by itself.
        (AnswerWritten, TaskErrorKind::Panicked(_) | TaskErrorKind::NotSerialised(_)) => {
            (Ran::Yes, true)
        }
        (AnswerRead, kind) => (Ran::Yes, matches!(kind, TaskErrorKind::NotDeserialised(_))),
        _ => (Ran::Unknown, false),
    };
    assert!(is_kind, "{panics:?}: {error}");
    assert_eq!(error.ran(), ran, "{panics:?}: {error}");
    assert!(error.to_string().contains("no way for "), "{panics:?}: {error}");
}

pub fn an_argument_that_panics_when_written() {
    let pool = pool(1);
    let workers = pool.worker_pids();
    let future = pool.submit(double, Argument(3, ArgumentWritten));
    assert!(future.done(), "no worker has to be asked");
    belongs(&future.result().unwrap_err(), ArgumentWritten);
    assert_eq!(pool.submit(double, Argument(4, Never)).result().unwrap().0, 8);
    assert_eq!(pool.worker_pids(), workers);
}

/// The answer is kept as bytes and read each time, so it panics each time.
pub fn an_answer_that_panics_when_read() {
    let pool = pool(1);
    let workers = pool.worker_pids();
    let future = pool.submit(double, Argument(3, AnswerRead));
    for _ in 0..2 {
        belongs(&future.result().unwrap_err(), AnswerRead);
        assert!(future.done() && !future.cancelled());
        assert_eq!(pool.submit(double, Argument(4, Never)).result().unwrap().0, 8);
    }
    let in_time = future.result_timeout(Duration::ZERO).expect("it has ended");
    belongs(&in_time.unwrap_err(), AnswerRead);
    assert_eq!(pool.worker_pids(), workers);
}

/// Of two chunks of four items, the second has one bad item, at each place.
pub fn one_bad_item_in_a_chunk() {
    const ITEMS: usize = 8;
    let pool = pool(1);
    let workers = pool.worker_pids();
    for panics in [ArgumentWritten, ArgumentRead, AnswerWritten, AnswerRead] {
        for (bad, unordered) in (4..ITEMS).flat_map(|bad| [(bad, false), (bad, true)]) {
            let item = |n| Argument(n as u64, if n == bad { panics } else { Never });
            let options = MapOptions { chunksize: count(4), unordered, ..MapOptions::default() };
            let outcomes: Vec<_> = pool.map_with(double, (0..ITEMS).map(item), options).collect();
            assert_eq!(outcomes.len(), ITEMS);
            // One worker answers the chunks in their order, and so the items.
            for (n, outcome) in outcomes.into_iter().enumerate() {
                match outcome {
                    Ok(Answer(double, _)) => assert!(n != bad && double == 2 * n as u64),
                    Err(error) => {
                        assert_eq!((error.index(), n), (bad, bad), "{panics:?}: {error}");
                        belongs(&error, panics);
                    }
                }
            }
        }
    }
    assert_eq!(pool.worker_pids(), workers, "no worker has died");
}
