//! How a worker runs a call of one item, or of several items.

use crate::wire::packet::{body, read_body};
use fork_server::panics::catch;
use fork_server::{Carry, TaskFailure};
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// A call of one item.
pub struct RunOne;

impl Carry for RunOne {
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        argument: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure> {
        let item = read_body(&argument).map_err(not_read)?;
        ran.set(Ran::Yes);
        let answer = task(item);
        // Write into the argument's buffer: for a large answer, fresh memory would cost more than
        // serialising.
        body(&answer, argument).map_err(not_written)
    }
}

/// A call of several items: one round trip for all of them. The answer is a list of `Result<R,
/// TaskFailure>`, with a place for each item: a panic costs only the item that panicked. A fault
/// that loses the whole answer costs all items.
pub struct RunEach;

impl Carry for RunEach {
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        argument: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure> {
        let items: Vec<A> = read_body(&argument).map_err(not_read)?;
        ran.set(Ran::Yes);
        let one =
            |item| catch(|| task(item)).map_err(|panic| (Ran::Yes, TaskErrorKind::Panicked(panic)));
        let answers: Vec<Result<R, TaskFailure>> = items.into_iter().map(one).collect();
        body(&answers, argument).map_err(not_written)
    }
}

fn not_read(why: String) -> TaskFailure {
    (Ran::No, TaskErrorKind::NotDeserialised(why))
}

fn not_written(why: String) -> TaskFailure {
    (Ran::Yes, TaskErrorKind::NotSerialised(why))
}
