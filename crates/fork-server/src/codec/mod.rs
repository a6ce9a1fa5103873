//! Values as bytes, and an error where a value would come back as another value.
//!
//! The bytes are [postcard](https://docs.rs/postcard)'s: short, and without a word about what they
//! mean. A reader that takes them for another type gets a wrong value and no error. Serde lets a
//! type do that to itself: a field that is skipped when it is written and not when it is read, or a
//! variant that only one side counts. So three checks stand around postcard:
//!
//! | check | when | sees |
//! |---|---|---|
//! | skipped fields are refused | always, while writing | `skip_serializing_if`, where it skips |
//! | shape: numbers of fields, names of variants | always, while reading | fields and variants that only one side knows |
//! | read back: the value read is written again | in debug builds, or if [`read_back`] says so | whatever the two writings tell apart |
//!
//! | file | its idea |
//! |---|---|
//! | `ser` | postcard's serialiser, which also counts and refuses |
//! | `de` | postcard reads the numbers and texts, and the parts are counted |
//! | `shape` | what both sides note, and where they may differ |
//! | `error` | one error for postcard's words and for the words that postcard forgets |
//!
//! A body is what postcard writes, with two bytes behind each variant's number (a hash of its
//! name), and four bytes at the end: the shape.
//!
//! # What no check sees
//!
//! - What the type itself leaves out on both sides: `#[serde(skip)]`, a duration in whole seconds.
//!   That is the type's own wish.
//! - In a body of more than 1 MiB, and in a release build: two halves of the same length that disagree, as a `serialize_with` in
//!   seconds and a `deserialize_with` in milliseconds.
//! - In a debug build: two halves that disagree and yet write the same bytes twice, and two values
//!   that changed places in a value with sequences or maps (see [`read_message`]).

mod de;
mod error;
mod ser;
mod shape;

use de::Reader;
use kernel::{Message, RemotePanic};
use ser::Writer;
use serde::{Serialize, de::DeserializeOwned};
use shape::Shape;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Whether values are read back: see [`read_back`].
static READ_BACK: AtomicBool = AtomicBool::new(cfg!(debug_assertions));

/// The longest body, in bytes, that is read back: 1 MiB. A longer body has, as a rule, many values
/// of few types, and mistakes are made by types.
const MOST_READ_BACK: usize = 1 << 20;

/// Turns reading back on or off, for the whole process. Bodies of at most 1 MiB are read back. It is on in builds with debug assertions
/// and off in others. Set it before `ForkServer::start()`: the workers have it as the program had
/// it then.
///
/// Turn it off for a type whose `Serialize` depends on more than the value, as on the time.
pub fn read_back(on: bool) {
    READ_BACK.store(on, Relaxed);
}

/// Appends a value to the buffer, as a body of at most `limit` bytes. What the buffer holds already
/// stays in front of it, so a header's room may come first.
///
/// # Errors
/// Why the value cannot be written, in words.
/// # Panics
/// If the value's `Serialize` panics: see [`caught`].
pub fn write<T: Serialize + ?Sized>(
    value: &T,
    buffer: Vec<u8>,
    limit: usize,
) -> Result<Vec<u8>, String> {
    let mut writer = Writer::new(buffer, limit);
    match value.serialize(&mut writer) {
        Ok(()) => Ok(writer.finish()),
        Err(error) if error.is_over_the_limit() => {
            Err(format!("over the limit of {limit} bytes for one frame"))
        }
        Err(error) => Err(error.to_string()),
    }
}

/// The value of a body that [`write()`] wrote. The value must take up the whole body: bytes that are
/// left over mean that writer and reader use different types, and then the value is wrong.
///
/// # Errors
/// Why the value cannot be read, in words.
/// # Panics
/// If the value's `Deserialize` panics: see [`caught`].
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    let (content, shape) = body.split_last_chunk().ok_or("a body without its last bytes")?;
    let mut reader = Reader::new(content);
    let value = T::deserialize(&mut reader).map_err(|error| error.to_string())?;
    match reader.finish() {
        (0, noted) if noted.bytes() == *shape => Ok(value),
        (0, _) => Err("written and read in different shapes (a skipped field or variant?)".into()),
        (left, _) => Err(format!("{left} bytes are left over")),
    }
}

/// As [`read`]; and if reading back is on, the value that was read is written once more. Different
/// bytes mean that a type's `Serialize` and `Deserialize` do not agree.
///
/// This check costs the reader one more writing, and no more reading. So it can stand where the
/// value arrives, and a `Deserialize` that does more than it should does so once, in the process
/// where it would do so anyway.
///
/// # Errors
/// The errors of [`read`], or that the value comes back as another one.
/// # Panics
/// If the value's `Deserialize` panics: see [`caught`].
pub fn read_message<T: Message>(body: &[u8]) -> Result<T, String> {
    let value = read(body)?;
    if READ_BACK.load(Relaxed) && body.len() <= MOST_READ_BACK {
        comes_back(&value, body)?;
    }
    Ok(value)
}

/// Compares a value with the body that it was read from.
///
/// A set or a map may have another order each time, because each has a random seed of its own; and
/// the order is all that may differ. So where something may stand in any order, the two writings
/// need only have the same length and each byte value equally often. Elsewhere they must be equal.
/// The shape at the end depends on the order, so it is left out.
///
/// If the value cannot be written a second time, nothing is said: it may never have to be.
fn comes_back<T: Serialize>(value: &T, body: &[u8]) -> Result<(), String> {
    let mut writer = Writer::new(Vec::with_capacity(body.len()), usize::MAX);
    let again = caught("Serialize", || value.serialize(&mut writer).map_err(|e| e.to_string()));
    if again.is_err() {
        return Ok(());
    }
    let any_order = writer.any_order;
    let again = writer.finish();
    let [first, second] = [body, &again].map(|body| &body[..body.len() - Shape::BYTES]);
    if first == second || any_order && census(first) == census(second) {
        return Ok(());
    }
    let at = first.iter().zip(second).take_while(|(first, second)| first == second).count();
    Err(format!(
        "it comes back as another value: written again, its bytes differ from byte {at} of {} on \
         (do its `Serialize` and `Deserialize` agree?)",
        first.len()
    ))
}

/// How often each byte value occurs.
fn census(bytes: &[u8]) -> [usize; 256] {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    counts
}

/// Reads or writes, and makes a panic of the value's own code into an error. `code` says whose
/// panic it is: `Serialize` or `Deserialize`.
///
/// Unwind safe: a buffer that is half written is dropped with the panic.
///
/// # Errors
/// The errors of the closure, or the panic's message.
pub fn caught<R>(code: &str, run: impl FnOnce() -> Result<R, String>) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|payload| {
        let message = RemotePanic::from_payload(&*payload).message;
        // A panic's value may panic again when it is dropped.
        mem::forget(payload);
        Err(format!("its `{code}` panicked: {message}"))
    })
}
