//! A call: a function and its argument, on the pool's side and on the worker's.

use crate::frame::{Frame, Header, Kind, read_body, write, write_answer};
use fork_server::{Carry, TaskAddress, TaskFailure, codec::caught};
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// Makes a call from a function and an argument, ready to be sent to a worker.
///
/// # Errors
/// [`TaskErrorKind::NotInTemplate`] if the workers do not have the function, and
/// [`TaskErrorKind::NotSerialised`] if the argument cannot be serialised.
// ANCHOR: call
pub fn call<A: Message, R: Message>(task: fn(A) -> R, item: &A) -> Result<Frame, TaskErrorKind> {
    let address = TaskAddress::of::<OneItem, A, R>(task)?;
    let header = Header::new(Kind::Call, 0, address.words()); // the pool gives it a number
    caught("Serialize", || write(header, item, Vec::new())).map_err(TaskErrorKind::NotSerialised)
}
// ANCHOR_END: call

/// The worker's side of a call, where `A` and `R` are known again.
struct OneItem;

impl Carry for OneItem {
    // ANCHOR: carry
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        call: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure> {
        let item =
            read_body(&call).map_err(|why| (Ran::No, TaskErrorKind::NotDeserialised(why)))?;
        ran.set(Ran::Yes);
        let answer = task(item);
        write_answer(&answer, call).map_err(|why| (Ran::Yes, TaskErrorKind::NotSerialised(why)))
    }
    // ANCHOR_END: carry
}
