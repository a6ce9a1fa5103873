//! Payloads: large payloads, empty payloads, and payloads that refuse to travel.

use crate::contract::{assert_squares, workers};
use kernel::{Bytes, Executor, Ran, TaskErrorKind};
use one_change_tests::{Place, Stage};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};

/// Ten million bytes with a period that is a prime number, so that no block looks like another.
fn ten_megabytes(seed: u8) -> Bytes {
    const PERIOD: usize = 65_537;
    let pattern = (0..PERIOD).map(|at| (at * at + at / 251) as u8 ^ seed).collect::<Vec<u8>>();
    let mut bytes = pattern.repeat(10_000_000 / PERIOD + 1);
    bytes.truncate(10_000_000);
    Bytes::from(bytes)
}

fn backwards(mut bytes: Bytes) -> Bytes {
    bytes.reverse();
    bytes
}

pub fn large_argument_and_answer<E: Executor>(stage: &Stage<E>) {
    let answers = (stage.make)(workers(2)).map(backwards, vec![ten_megabytes(0)]).unwrap();
    assert!(answers == [backwards(ten_megabytes(0))]);
}

/// More large items than workers: while a worker sends its answer, its next argument is under way,
/// and a process that writes without reading waits for ever.
pub fn large_items_in_a_row<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(2));
    let answers = executor.map(backwards, (0..5).map(ten_megabytes).collect()).unwrap();
    assert!(answers == (0..5).map(|seed| backwards(ten_megabytes(seed))).collect::<Vec<_>>());
    assert_squares(&executor, 10);
}

/// An answer without bytes is not the same as no answer.
pub fn nothing_at_all<E: Executor>(stage: &Stage<E>) {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Nothing;
    let executor = (stage.make)(workers(2));
    assert_eq!(executor.map(|()| (), vec![(); 50]).unwrap(), [(); 50]);
    assert_eq!(
        executor.map(|Nothing| Nothing, vec![Nothing, Nothing]).unwrap(),
        [Nothing, Nothing]
    );
    assert_eq!(executor.map(|()| 7_u8, vec![(); 3]).unwrap(), [7; 3]);
    assert_eq!(executor.map(drop::<u8>, vec![1, 2, 3]).unwrap(), [(); 3]);
}

/// A number that travels well, except for three values.
#[derive(Debug, PartialEq)]
struct Moody(u64);

/// The value that refuses to be serialised.
const UNWRITABLE: u64 = 1_000;
/// The value that is serialised, and refuses to be deserialised.
const UNREADABLE: u64 = 2_000;
/// The value that serialises to more bytes than it reads back.
const LONG: u64 = 3_000;

impl Serialize for Moody {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UNWRITABLE => Err(ser::Error::custom("it refuses to be written")),
            LONG => (LONG, 7_u8).serialize(to),
            n => n.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Moody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from)? {
            UNREADABLE => Err(de::Error::custom("it refuses to be read")),
            n => Ok(Self(n)),
        }
    }
}

/// Asserts the error of an item that does not travel, beside a good item on the other worker.
fn assert_fails<A, R, E>(stage: &Stage<E>, task: fn(A) -> R, items: [A; 2], expected: (&str, Ran))
where
    A: kernel::Message,
    R: kernel::Message + PartialEq + std::fmt::Debug,
    E: Executor,
{
    let executor = (stage.make)(workers(2));
    let mut answers = executor.map_each(task, items.into()).into_iter();
    let error = answers.next().unwrap().expect_err("the first does not travel");
    let kind = match error.kind() {
        TaskErrorKind::NotSerialised(_) => "not serialised",
        TaskErrorKind::NotDeserialised(_) => "not deserialised",
        other => panic!("told as something else: {other}"),
    };
    assert_eq!((kind, error.ran(), error.index()), (expected.0, expected.1, 0), "{error}");
    answers.next().unwrap().expect("the second travels well");
    assert!(answers.next().is_none());
    assert_squares(&executor, 10);
}

/// Asserts that both items work: within one memory nothing is serialised, so nothing can fail.
fn assert_works<A, R, E>(stage: &Stage<E>, task: fn(A) -> R, items: [A; 2])
where
    A: kernel::Message,
    R: kernel::Message,
    E: Executor,
{
    assert_eq!((stage.make)(workers(2)).map(task, items.into()).unwrap().len(), 2);
}

fn arguments_travel(place: Place) -> bool {
    place == Place::Processes
}

fn answers_travel(place: Place) -> bool {
    matches!(place, Place::Forks | Place::Processes)
}

fn argument<E: Executor>(stage: &Stage<E>, value: u64, expected: &str) {
    let (task, items) = ((|moody| moody.0) as fn(Moody) -> u64, [Moody(value), Moody(1)]);
    if arguments_travel(stage.place) {
        assert_fails(stage, task, items, (expected, Ran::No));
    } else {
        assert_works(stage, task, items);
    }
}

fn answer<E: Executor>(stage: &Stage<E>, value: u64, expected: &str) {
    let (task, items) = (Moody as fn(u64) -> Moody, [value, 1]);
    if answers_travel(stage.place) {
        assert_fails(stage, task, items, (expected, Ran::Yes));
    } else {
        assert_works(stage, task, items);
    }
}

pub fn an_argument_that_cannot_be_written<E: Executor>(stage: &Stage<E>) {
    argument(stage, UNWRITABLE, "not serialised");
}

pub fn an_argument_that_cannot_be_read<E: Executor>(stage: &Stage<E>) {
    argument(stage, UNREADABLE, "not deserialised");
}

pub fn an_argument_that_is_not_read_to_its_end<E: Executor>(stage: &Stage<E>) {
    argument(stage, LONG, "not deserialised");
}

pub fn an_answer_that_cannot_be_written<E: Executor>(stage: &Stage<E>) {
    answer(stage, UNWRITABLE, "not serialised");
}

pub fn an_answer_that_cannot_be_read<E: Executor>(stage: &Stage<E>) {
    answer(stage, UNREADABLE, "not deserialised");
}

pub fn an_answer_that_is_not_read_to_its_end<E: Executor>(stage: &Stage<E>) {
    answer(stage, LONG, "not deserialised");
}
