//! Several items in one call: one journey for all of them.

use super::{Call, Failure, function, run};
use crate::ForkServer;
use crate::frame::{Frame, body};
use crate::worker::catch;
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

impl ForkServer {
    /// Makes a call of a function and an argument, for any worker of this server.
    ///
    /// # Errors
    /// [`TaskErrorKind::NotInTemplate`] if the workers do not have the function, and
    /// [`TaskErrorKind::NotSerialised`] if the argument cannot be written down.
    pub fn call<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        item: &A,
    ) -> Result<Call, TaskErrorKind> {
        Call::by(run::<A, R>, self.image(), task as *const (), item)
    }

    /// Makes one call of a function and several arguments. Its answer is a list to be read as
    /// `Vec<Result<R, Failure>>`, with a place for each item: a panic costs the item that it
    /// happened in. Whatever keeps the whole answer from coming costs all of them.
    ///
    /// # Errors
    /// As for [`ForkServer::call`].
    pub fn call_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: &Vec<A>,
    ) -> Result<Call, TaskErrorKind> {
        Call::by(run_each::<A, R>, self.image(), task as *const (), items)
    }
}

/// As [`run`](super::run), for each item of a list.
///
/// # Safety
/// `task` must be a `fn(A) -> R` of this program.
unsafe fn run_each<A: Message, R: Message>(
    task: *const (),
    call: Frame,
    ran: &Cell<Ran>,
) -> Result<Vec<u8>, Failure> {
    let items: Vec<A> =
        call.read().map_err(|why| (Ran::No, TaskErrorKind::NotDeserialised(why)))?;
    // SAFETY: the caller says that this is such a function.
    let task = unsafe { function::<A, R>(task) };
    ran.set(Ran::Yes);
    let one =
        |item| catch(|| task(item)).map_err(|panic| (Ran::Yes, TaskErrorKind::Panicked(panic)));
    let answers: Vec<Result<R, Failure>> = items.into_iter().map(one).collect();
    body(&answers, call.bytes).map_err(|why| (Ran::Yes, TaskErrorKind::NotSerialised(why)))
}
