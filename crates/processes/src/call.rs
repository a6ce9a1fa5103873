//! A function and its argument as bytes, and the answer back: both ends of the journey.
//!
//! Nobody but this file turns a function into a number or a number into a function. The types `A`
//! and `R` are known where the call is made and where its answer is read, and nowhere between. What
//! carries them to the worker is the *trampoline*: [`run`], compiled once for each pair of types,
//! whose address travels beside the function's.

use crate::frame::{Frame, Kind};
use crate::image::Image;
use kernel::{Message, Ran, RemotePanic, TaskErrorKind};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::Cell;

/// What a trampoline is: the types are gone, the work is the same.
type Trampoline = unsafe fn(*const (), &Frame, &Cell<bool>, Vec<u8>) -> Result<Vec<u8>, Trouble>;

/// Why a worker has no answer, short of a panic.
type Trouble = (Kind, String);

/// One function with one argument, ready to be sent to a worker.
#[derive(Debug)]
pub struct Call(pub(crate) Frame);

impl Call {
    /// Writes the argument down.
    // ANCHOR: call
    pub(crate) fn new<A: Message, R: Message>(
        image: &Image,
        task: fn(A) -> R,
        item: &A,
    ) -> Result<Self, TaskErrorKind> {
        let trampoline: Trampoline = run::<A, R>;
        let addresses = [trampoline as *const (), task as *const ()];
        let words = addresses.map(|address| address.expose_provenance() as u64);
        if !words.iter().all(|&word| image.has_code_at(word as usize)) {
            return Err(TaskErrorKind::NotInTemplate);
        }
        write(item, Frame::room())
            .and_then(|bytes| Frame::new(Kind::Call, 0, false, words, bytes))
            .map(Self)
            .map_err(TaskErrorKind::NotSerialised)
    }
    // ANCHOR_END: call
}

/// A worker's answer, as it came.
#[derive(Debug)]
pub struct Answer(pub(crate) Frame);

impl Answer {
    /// How long the worker took for it, from the argument's bytes to the answer's.
    pub(crate) fn nanoseconds(&self) -> u64 {
        self.0.header.words[0]
    }

    /// Reads the answer. The type is that of the function that was called.
    ///
    /// # Errors
    /// What the worker says went wrong, or [`TaskErrorKind::NotDeserialised`] if the bytes are not
    /// an `R`; with each, whether the task ran.
    pub fn read<R: Message>(&self) -> Result<R, (Ran, TaskErrorKind)> {
        let body = self.0.body();
        let kind = match self.0.header.kind {
            Kind::Answer => {
                return read(body).map_err(|why| (Ran::Yes, TaskErrorKind::NotDeserialised(why)));
            }
            Kind::Panicked => read(body).map(TaskErrorKind::Panicked),
            Kind::NotSerialised => read(body).map(TaskErrorKind::NotSerialised),
            Kind::NotDeserialised => read(body).map(TaskErrorKind::NotDeserialised),
            Kind::Call => Err("a worker sent a call".to_owned()),
        };
        let ran = if self.0.header.ran { Ran::Yes } else { Ran::No };
        Err((ran, kind.unwrap_or_else(TaskErrorKind::NotDeserialised)))
    }
}

/// The worker's side of a call: reads the argument, runs the function, writes the answer down.
///
/// `called` becomes true right before the function is entered, and stays so if it panics.
///
/// # Safety
/// `function` must be a `fn(A) -> R` of this program.
// ANCHOR: trampoline
unsafe fn run<A: Message, R: Message>(
    function: *const (),
    call: &Frame,
    called: &Cell<bool>,
    room: Vec<u8>,
) -> Result<Vec<u8>, Trouble> {
    let item: A = read(call.body()).map_err(|why| (Kind::NotDeserialised, why))?;
    // SAFETY: the caller says that this is such a function, and a pointer has its size.
    let task = unsafe { std::mem::transmute::<*const (), fn(A) -> R>(function) };
    called.set(true);
    write(&task(item), room).map_err(|why| (Kind::NotSerialised, why))
}
// ANCHOR_END: trampoline

/// Runs a call that came from the pool. A panic goes through, for the worker to catch.
pub(crate) fn enter(call: &Frame, called: &Cell<bool>) -> Result<Vec<u8>, Trouble> {
    let [trampoline, function] =
        call.header.words.map(|word| std::ptr::with_exposed_provenance::<()>(word as usize));
    // SAFETY: calls are made by `Call::new` in the program that this process is a fork of. It wrote
    // a trampoline's address here, in a segment of code that both have at the same place.
    let trampoline = unsafe { std::mem::transmute::<*const (), Trampoline>(trampoline) };
    // SAFETY: `Call::new` took the function's address beside that of the trampoline for its types.
    unsafe { trampoline(function, call, called, Frame::room()) }
}

/// Appends the value's bytes.
pub(crate) fn write<T: Serialize>(value: &T, room: Vec<u8>) -> Result<Vec<u8>, String> {
    postcard::to_extend(value, room).map_err(|error| error.to_string())
}

/// Reads a value from exactly these bytes.
pub(crate) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, String> {
    match postcard::take_from_bytes(bytes) {
        Ok((value, [])) => Ok(value),
        // Postcard itself would let it pass. But bytes that nobody asked for say that the writer
        // and the reader do not mean the same type, and then the value is a wrong one.
        Ok((_, rest)) => Err(format!("{} bytes are left over", rest.len())),
        Err(error) => Err(error.to_string()),
    }
}

/// A frame that tells of a panic.
pub(crate) fn panicked(panic: &RemotePanic) -> Result<Vec<u8>, String> {
    write(panic, Frame::room())
}
