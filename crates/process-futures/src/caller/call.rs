//! Calls: a function and its argument, as a packet.

use crate::wire::packet::{Packet, PacketKind, body};
use crate::worker::run::{RunEach, RunOne};
use fork_server::{Carry, TaskAddress};
use kernel::{Message, TaskErrorKind};
use serde::Serialize;

/// Makes a call from a function and an argument.
///
/// The error is `NotInTemplate` if the workers do not have the function, and `NotSerialised` if the
/// argument cannot be written down.
pub fn call<A: Message, R: Message>(task: fn(A) -> R, item: &A) -> Result<Packet, TaskErrorKind> {
    make::<RunOne, A, R>(task, item)
}

/// Makes one call from a function and several arguments. The call's answer is read as
/// `Vec<Result<R, TaskFailure>>`: see [`RunEach`].
pub fn call_each<A: Message, R: Message>(
    task: fn(A) -> R,
    items: &Vec<A>,
) -> Result<Packet, TaskErrorKind> {
    make::<RunEach, A, R>(task, items)
}

fn make<C: Carry, A: Message, R: Message>(
    task: fn(A) -> R,
    argument: &impl Serialize,
) -> Result<Packet, TaskErrorKind> {
    let address = TaskAddress::of::<C, A, R>(task)?;
    let bytes = body(argument, Vec::new()).map_err(TaskErrorKind::NotSerialised)?;
    Ok(Packet::new(PacketKind::Call, 0, address.words(), bytes))
}
