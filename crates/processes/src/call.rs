//! A function and its argument as bytes, and the answer back, on both sides of the socket.

use crate::frame::{Frame, Kind, body, read_body};
use fork_server::{Carry, TaskAddress, TaskFailure};
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// One function with one argument, ready to be sent to a worker.
#[derive(Debug)]
pub struct Call(pub(crate) Frame);

impl Call {
    /// Makes a call from a function and an argument.
    ///
    /// # Errors
    /// [`TaskErrorKind::NotInTemplate`] if the workers do not have the function, and
    /// [`TaskErrorKind::NotSerialised`] if the argument cannot be serialised.
    // ANCHOR: call
    pub fn new<A: Message, R: Message>(task: fn(A) -> R, item: &A) -> Result<Self, TaskErrorKind> {
        let address = TaskAddress::of::<OneItem, A, R>(task)?;
        let bytes = body(item, Vec::new()).map_err(TaskErrorKind::NotSerialised)?;
        Ok(Self(Frame::new(Kind::Call, 0, address.words(), bytes)))
    }
    // ANCHOR_END: call

    /// How many bytes travel to the worker.
    pub fn length(&self) -> usize {
        self.0.bytes.len()
    }
}

/// The worker's side of a call, where `A` and `R` are known again.
struct OneItem;

impl Carry for OneItem {
    // ANCHOR: carry
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        argument: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure> {
        let item =
            read_body(&argument).map_err(|why| (Ran::No, TaskErrorKind::NotDeserialised(why)))?;
        ran.set(Ran::Yes);
        let answer = task(item);
        // Write into the argument's buffer: for a large answer, fresh memory would cost more than
        // serialising.
        body(&answer, argument).map_err(|why| (Ran::Yes, TaskErrorKind::NotSerialised(why)))
    }
    // ANCHOR_END: carry
}

/// A worker's answer, in bytes as received.
#[derive(Debug)]
pub struct Answer(pub(crate) Frame);

impl Answer {
    /// How many bytes travelled from the worker.
    pub fn length(&self) -> usize {
        self.0.bytes.len()
    }

    /// Reads the answer. `R` is the result type of the function that was called.
    ///
    /// # Errors
    /// The error that the worker reports, or [`TaskErrorKind::NotDeserialised`] if the bytes are
    /// not an `R`. Each error says whether the task ran.
    pub fn read<R: Message>(&self) -> Result<R, TaskFailure> {
        let unreadable = |why| (Ran::Yes, TaskErrorKind::NotDeserialised(why));
        match self.0.header.kind {
            Kind::Answer => read_body(&self.0.bytes).map_err(unreadable),
            Kind::Failure | Kind::Call => Err(read_body(&self.0.bytes).unwrap_or_else(unreadable)),
        }
    }
}
