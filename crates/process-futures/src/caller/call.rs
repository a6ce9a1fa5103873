//! Calls: a function and its argument, as a packet.

use crate::wire::packet::{Packet, PacketKind, body, cleared};
use crate::wire::parts::Parts;
use crate::worker::run::{RunEach, RunOne};
use fork_server::TaskAddress;
use fork_server::codec::caught;
use kernel::{Message, TaskErrorKind};

/// Makes a call from a function and an argument.
///
/// The error is `NotInTemplate` if the workers do not have the function, and `NotSerialised` if the
/// argument cannot be written down.
pub fn call<A: Message, R: Message>(task: fn(A) -> R, item: &A) -> Result<Packet, TaskErrorKind> {
    let address = TaskAddress::of::<RunOne, A, R>(task)?;
    let bytes = caught("Serialize", || body(item, Vec::new()));
    let bytes = bytes.map_err(TaskErrorKind::NotSerialised)?;
    Ok(Packet::new(PacketKind::Call, 0, address.words(), bytes))
}

/// Makes one call from a function and several arguments. The call's answer has an outcome for each
/// item that is in the call: see [`RunEach`].
///
/// An argument that cannot be written down is not in the call. The list has the error of each such
/// item, at its place.
pub fn call_each<A: Message, R: Message>(
    task: fn(A) -> R,
    items: &[A],
) -> (Result<Packet, TaskErrorKind>, Vec<Option<TaskErrorKind>>) {
    let mut written = Parts::new(cleared(Vec::new()));
    let unwritten = items.iter().map(|item| {
        let write = || written.push(item);
        caught("Serialize", write).err().map(TaskErrorKind::NotSerialised)
    });
    let unwritten = unwritten.collect();
    let call = TaskAddress::of::<RunEach, A, R>(task)
        .map(|address| Packet::new(PacketKind::Call, 0, address.words(), written.finish()));
    (call, unwritten)
}
