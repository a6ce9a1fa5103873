//! A function and its argument as bytes, and the answer back: both ends of the journey.
//!
//! Nobody but this file turns a function into a number or a number into a function. The types `A`
//! and `R` are known where the call is made and where its answer is read, and nowhere between. What
//! carries them to the worker is the *trampoline*: [`run`], compiled once for each pair of types,
//! whose address travels beside the function's.

mod chunk;

use crate::frame::{Frame, Kind, body};
use crate::image::Image;
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// Why there is no answer, and whether the task may have run all the same.
pub type Failure = (Ran, TaskErrorKind);

/// What a trampoline is: the types are gone, the work is the same.
type Trampoline = unsafe fn(*const (), Frame, &Cell<Ran>) -> Result<Vec<u8>, Failure>;

/// One function with one argument, ready to be sent to a worker.
#[derive(Debug)]
pub struct Call(pub(crate) Frame);

impl Call {
    // ANCHOR: call
    fn by<B: Message>(
        trampoline: Trampoline,
        image: &Image,
        function: *const (),
        argument: &B,
    ) -> Result<Self, TaskErrorKind> {
        let addresses = [trampoline as *const (), function];
        let addresses = addresses.map(|address| address.expose_provenance());
        if !addresses.iter().all(|&address| image.has_code_at(address)) {
            return Err(TaskErrorKind::NotInTemplate);
        }
        let words = addresses.map(|address| address as u64);
        let bytes = body(argument, Vec::new()).map_err(TaskErrorKind::NotSerialised)?;
        Ok(Self(Frame::new(Kind::Call, 0, words, bytes)))
    }
    // ANCHOR_END: call

    /// The same for calls of one function with one type of argument, and rarely for others. It says
    /// which calls may be judged by each other's time, and no more: addresses are no names.
    pub fn alike(&self) -> [u64; 2] {
        [self.0.header.first, self.0.header.second]
    }

    /// How many bytes travel to the worker.
    pub fn length(&self) -> usize {
        self.0.bytes.len()
    }
}

/// A worker's answer, as it came.
#[derive(Debug)]
pub struct Answer(pub(crate) Frame);

impl Answer {
    /// How long the worker took for it, from the argument's bytes to the answer's.
    pub(crate) fn nanoseconds(&self) -> u64 {
        self.0.header.first
    }

    /// How many bytes travelled from the worker.
    pub fn length(&self) -> usize {
        self.0.bytes.len()
    }

    /// Reads the answer. The type is that of the function that was called.
    ///
    /// # Errors
    /// What the worker says went wrong, or [`TaskErrorKind::NotDeserialised`] if the bytes are not
    /// an `R`; with each, whether the task ran.
    pub fn read<R: Message>(&self) -> Result<R, Failure> {
        let unreadable = |why| (Ran::Yes, TaskErrorKind::NotDeserialised(why));
        match self.0.header.kind {
            Kind::Answer => self.0.read().map_err(unreadable),
            Kind::Failure | Kind::Call => Err(self.0.read().unwrap_or_else(unreadable)),
        }
    }
}

/// The worker's side of a call: reads the argument, runs the function, writes the answer down.
///
/// `ran` becomes `Yes` right before the function is entered, and stays so if it panics.
///
/// # Safety
/// `function` must be a `fn(A) -> R` of this program.
// ANCHOR: trampoline
unsafe fn run<A: Message, R: Message>(
    function: *const (),
    call: Frame,
    ran: &Cell<Ran>,
) -> Result<Vec<u8>, Failure> {
    let item: A = call.read().map_err(|why| (Ran::No, TaskErrorKind::NotDeserialised(why)))?;
    // SAFETY: the caller says that this is such a function.
    let task = unsafe { self::function::<A, R>(function) };
    ran.set(Ran::Yes);
    let answer = task(item);
    // Into the argument's buffer: fresh memory for a large answer would cost more than to fill it.
    body(&answer, call.bytes).map_err(|why| (Ran::Yes, TaskErrorKind::NotSerialised(why)))
}

/// The function at this address.
///
/// # Safety
/// It must be a `fn(A) -> R` of this program.
unsafe fn function<A, R>(address: *const ()) -> fn(A) -> R {
    // SAFETY: the caller says that this is such a function, and a pointer has its size.
    unsafe { std::mem::transmute::<*const (), fn(A) -> R>(address) }
}
// ANCHOR_END: trampoline

/// Runs a call that came from the pool. A panic goes through, for the worker to catch.
pub(crate) fn enter(call: Frame, ran: &Cell<Ran>) -> Result<Vec<u8>, Failure> {
    let pointer = |word| std::ptr::with_exposed_provenance::<()>(word as usize);
    let [trampoline, function] = [call.header.first, call.header.second].map(pointer);
    // SAFETY: calls are made by `Call::new` in the program that this process is a fork of. It wrote
    // a trampoline's address here, in a segment of code that both have at the same place.
    let trampoline = unsafe { std::mem::transmute::<*const (), Trampoline>(trampoline) };
    // SAFETY: `Call::new` took the function's address beside that of the trampoline for its types.
    unsafe { trampoline(function, call, ran) }
}
