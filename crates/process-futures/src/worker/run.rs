//! How a worker runs a call of one item, or of several items.

use crate::wire::packet::{body, cleared, read_body};
use crate::wire::parts::{Parts, parts};
use fork_server::codec::read_message;
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

/// A call of several items: one round trip for all of them. Arguments and answers are
/// [`parts`](crate::wire::parts) of the bodies, each read, run and written by itself. So a panic
/// costs only the item that panicked, also while it is read or written.
pub struct RunEach;

impl Carry for RunEach {
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        arguments: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure> {
        let mut outcomes = Parts::new(cleared(Vec::new()));
        for argument in parts(&arguments) {
            let (begun, argument) = (Cell::new(Ran::No), || read_message(argument));
            let run = || {
                let item = argument().map_err(not_read)?;
                begun.set(Ran::Yes);
                ran.set(Ran::Yes);
                Ok(task(item))
            };
            let panicked = |panic| Err((begun.get(), TaskErrorKind::Panicked(panic)));
            outcomes.push_outcome(catch(run).unwrap_or_else(panicked));
        }
        Ok(outcomes.finish())
    }
}

fn not_read(why: String) -> TaskFailure {
    (Ran::No, TaskErrorKind::NotDeserialised(why))
}

fn not_written(why: String) -> TaskFailure {
    (Ran::Yes, TaskErrorKind::NotSerialised(why))
}
