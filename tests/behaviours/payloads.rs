//! Payloads: large payloads, empty payloads, and payloads that refuse to travel.

use crate::contract::{assert_squares, workers};
use kernel::{Bytes, Executor, Ran, TaskError, TaskErrorKind};
use one_change_tests::{Place, Stage};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

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

/// A number that travels well, except for five values.
#[derive(Debug, PartialEq)]
struct Moody(u64);

/// The value that refuses to be serialised.
const UNWRITABLE: u64 = 1_000;
/// The value that is serialised, and refuses to be deserialised.
const UNREADABLE: u64 = 2_000;
/// The value that serialises to more bytes than it reads back.
const LONG: u64 = 3_000;
/// The value that panics while it is serialised.
const PANICS_WHEN_WRITTEN: u64 = 4_000;
/// The value that is serialised, and panics while it is deserialised.
const PANICS_WHEN_READ: u64 = 5_000;

impl Serialize for Moody {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UNWRITABLE => Err(ser::Error::custom("it refuses to be written")),
            LONG => (LONG, 7_u8).serialize(to),
            PANICS_WHEN_WRITTEN => panic!("it panics when written"),
            n => n.serialize(to),
        }
    }
}

impl<'de> Deserialize<'de> for Moody {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        match u64::deserialize(from)? {
            UNREADABLE => Err(de::Error::custom("it refuses to be read")),
            PANICS_WHEN_READ => panic!("it panics when read"),
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

/// Where a bad item stands among ten, so that both workers have good items before it and after it.
const BAD: usize = 3;

/// Ten items, of which one is bad.
fn ten<A>(item: impl Fn(u64) -> A, bad: A) -> Vec<A> {
    let mut items: Vec<A> = (0..10).map(item).collect();
    items[BAD] = bad;
    items
}

/// Maps over ten items, asserts that the good ones have their answers and that the executor goes
/// on, and returns the outcome of the bad one.
fn outcome<A, R, E>(stage: &Stage<E>, task: fn(A) -> R, items: Vec<A>) -> Result<R, TaskError>
where
    A: kernel::Message,
    R: kernel::Message,
    E: Executor,
{
    let executor = (stage.make)(workers(2));
    let mut answers = executor.map_each(task, items);
    assert_eq!(answers.len(), 10);
    let bad = answers.remove(BAD);
    for answer in answers {
        answer.map(drop).expect("a good item has its answer");
    }
    assert_squares(&executor, 10);
    bad
}

/// Asserts that the bad item alone has an error, with these words in it, if the item travels; and
/// that it has an answer if it does not travel.
fn costs_one_item<A, R, E>(
    stage: &Stage<E>,
    (task, items): (fn(A) -> R, Vec<A>),
    travels: bool,
    (words, ran): (&str, Ran),
) where
    A: kernel::Message,
    R: kernel::Message,
    E: Executor,
{
    match outcome(stage, task, items) {
        Ok(_) => assert!(!travels, "a value that does not travel has an answer"),
        Err(error) => {
            assert!(travels, "{error}");
            assert!(error.to_string().contains(words), "not told in its own words: {error}");
            assert_eq!((error.index(), error.ran()), (BAD, ran), "{error}");
        }
    }
}

fn moody_argument<E: Executor>(stage: &Stage<E>, bad: u64, words: &str) {
    let work = ((|moody| moody.0) as fn(Moody) -> u64, ten(Moody, Moody(bad)));
    costs_one_item(stage, work, arguments_travel(stage.place), (words, Ran::No));
}

fn moody_answer<E: Executor>(stage: &Stage<E>, bad: u64, words: &str) {
    let work = (Moody as fn(u64) -> Moody, ten(|n| n, bad));
    costs_one_item(stage, work, answers_travel(stage.place), (words, Ran::Yes));
}

pub fn an_argument_that_panics_when_written<E: Executor>(stage: &Stage<E>) {
    moody_argument(stage, PANICS_WHEN_WRITTEN, "it panics when written");
}

pub fn an_argument_that_panics_when_read<E: Executor>(stage: &Stage<E>) {
    moody_argument(stage, PANICS_WHEN_READ, "it panics when read");
}

pub fn an_answer_that_panics_when_written<E: Executor>(stage: &Stage<E>) {
    moody_answer(stage, PANICS_WHEN_WRITTEN, "it panics when written");
}

pub fn an_answer_that_panics_when_read<E: Executor>(stage: &Stage<E>) {
    moody_answer(stage, PANICS_WHEN_READ, "it panics when read");
}

/// A number that must be even, as its type says to whatever reads it.
#[derive(Serialize, Deserialize)]
#[serde(try_from = "u64")]
struct Even(u64);

impl TryFrom<u64> for Even {
    type Error = String;

    fn try_from(n: u64) -> Result<Self, String> {
        if n.is_multiple_of(2) { Ok(Self(n)) } else { Err(format!("{n} is not even")) }
    }
}

pub fn an_argument_that_is_refused_in_its_own_words<E: Executor>(stage: &Stage<E>) {
    let work = ((|even| even.0) as fn(Even) -> u64, ten(|n| Even(2 * n), Even(77)));
    costs_one_item(stage, work, arguments_travel(stage.place), ("77 is not even", Ran::No));
}

pub fn an_answer_that_is_refused_in_its_own_words<E: Executor>(stage: &Stage<E>) {
    let work = (Even as fn(u64) -> Even, ten(|n| 2 * n, 77));
    costs_one_item(stage, work, answers_travel(stage.place), ("77 is not even", Ran::Yes));
}

/// Without its first field, this value's bytes may look like the bytes of another value. An error
/// is allowed; another value is not.
pub fn a_skipped_field_never_becomes_another_value<E: Executor>(stage: &Stage<E>) {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Skipping {
        #[serde(skip_serializing_if = "Option::is_none")]
        maybe: Option<u8>,
        number: u8,
        text: String,
    }
    let whole = |n: u64| Skipping { maybe: Some(n as u8), number: 2, text: "text".to_owned() };
    // Written as 1, 2, 5, 0: the number, and a text of two characters. Read from the first field
    // on, these four are something, the number 5, and no text.
    let skipping = Skipping { maybe: None, number: 1, text: "\u{5}\0".to_owned() };
    // There and back, and each way alone.
    if let Ok(answer) = outcome(stage, |value: Skipping| value, ten(whole, skipping.clone())) {
        assert_eq!(answer, skipping);
    }
    let look = |value: Skipping| (value.maybe, value.number);
    if let Ok(answer) = outcome(stage, look, ten(whole, skipping.clone())) {
        assert_eq!(answer, (None, 1));
    }
    fn make(n: u64) -> Skipping {
        let maybe = (n != 13).then_some(7);
        Skipping { maybe, number: 1, text: "\u{5}\0".to_owned() }
    }
    if let Ok(answer) = outcome(stage, make, ten(|n| n, 13)) {
        assert_eq!(answer, skipping);
    }
}

/// serde writes a path as text, and a path on Unix need not be text.
pub fn a_path_that_is_not_text<E: Executor>(stage: &Stage<E>) {
    let path = || PathBuf::from(OsStr::from_bytes(b"not-\xff-text"));
    let good = |n: u64| PathBuf::from(n.to_string());
    let work = ((|path| path.as_os_str().len()) as fn(PathBuf) -> usize, ten(good, path()));
    costs_one_item(stage, work, arguments_travel(stage.place), ("UTF-8", Ran::No));
    fn make(n: u64) -> PathBuf {
        let name: &[u8] = if n == 13 { b"not-\xff-text" } else { b"text" };
        PathBuf::from(OsStr::from_bytes(name))
    }
    let work = (make as fn(u64) -> PathBuf, ten(|n| n, 13));
    costs_one_item(stage, work, answers_travel(stage.place), ("UTF-8", Ran::Yes));
    let same = outcome(stage, |path: PathBuf| path, ten(good, path()));
    assert!(same.is_err() || same.unwrap() == path());
}
