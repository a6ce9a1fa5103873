//! A function crosses to a worker as its address, and becomes a function again there.
//!
//! Nobody but this file turns a function into a number or a number into a function. The types `A`
//! and `R` are known where the call is made and where its answer is read, and nowhere between. What
//! carries them to the worker is the *trampoline*: [`trampoline`], compiled once for each pair of
//! types, whose address travels beside the function's.

use crate::image::has_code_at;
use crate::server::in_worker;
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// Why there is no answer, and whether the task may have run all the same: an error before anybody
/// knows which item it belongs to.
pub type TaskFailure = (Ran, TaskErrorKind);

/// How a pool's call is carried through in a worker: read the argument, run the task, write the
/// answer. A pool implements it for each kind of call that it has, without any `unsafe`.
pub trait Carry {
    /// Runs the task on the argument that these bytes hold, and gives the answer as bytes. `ran`
    /// becomes `Yes` right before the function is entered, and stays so if it panics.
    ///
    /// # Errors
    /// What went wrong, and whether the task ran.
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        argument: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure>;
}

/// What a trampoline is: the types are gone, the work is the same.
type Trampoline = unsafe fn(*const (), Vec<u8>, &Cell<Ran>) -> Result<Vec<u8>, TaskFailure>;

/// A function `fn(A) -> R`, and the code that knows `A` and `R`, in a form that travels.
#[derive(Clone, Copy, Debug)]
pub struct TaskAddress([u64; 2]);

impl TaskAddress {
    /// The address of a task, to be carried through by `C`.
    ///
    /// # Errors
    /// [`TaskErrorKind::NotInTemplate`] if the workers do not have the function.
    // ANCHOR: address
    pub fn of<C: Carry, A: Message, R: Message>(task: fn(A) -> R) -> Result<Self, TaskErrorKind> {
        let trampoline: Trampoline = trampoline::<C, A, R>;
        let addresses = [trampoline as *const (), task as *const ()];
        let addresses = addresses.map(|address| address.expose_provenance());
        if !addresses.iter().all(|&address| has_code_at(address)) {
            return Err(TaskErrorKind::NotInTemplate);
        }
        Ok(Self(addresses.map(|address| address as u64)))
    }
    // ANCHOR_END: address

    /// As two numbers, to be sent.
    pub fn words(self) -> [u64; 2] {
        self.0
    }

    /// Of two numbers that were received: a pool's call had them from [`TaskAddress::words`].
    pub fn received(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// In a worker: runs the task. A panic goes through, for the worker's loop to catch.
    ///
    /// # Errors
    /// Those of [`Carry::carry`].
    ///
    /// # Panics
    /// If this process is no worker, or if the program has no code at the addresses.
    pub fn run(self, argument: Vec<u8>, ran: &Cell<Ran>) -> Result<Vec<u8>, TaskFailure> {
        let addresses = self.0.map(|word| word as usize);
        assert!(in_worker() && addresses.iter().all(|&address| has_code_at(address)));
        let [trampoline, function] = addresses.map(std::ptr::with_exposed_provenance::<()>);
        // SAFETY: the numbers come from `TaskAddress::of`, in the program that this process is a
        // fork of: the first is a trampoline's address, in a segment that both have at one place.
        let trampoline = unsafe { std::mem::transmute::<*const (), Trampoline>(trampoline) };
        // SAFETY: `TaskAddress::of` took the function's address beside that of the trampoline for
        // its types.
        unsafe { trampoline(function, argument, ran) }
    }
}

/// The worker's side of a call, where the types are known again.
///
/// # Safety
/// `function` must be a `fn(A) -> R` of this program.
// ANCHOR: trampoline
unsafe fn trampoline<C: Carry, A: Message, R: Message>(
    function: *const (),
    argument: Vec<u8>,
    ran: &Cell<Ran>,
) -> Result<Vec<u8>, TaskFailure> {
    // SAFETY: the caller says that this is such a function, and a pointer has its size.
    let task = unsafe { std::mem::transmute::<*const (), fn(A) -> R>(function) };
    C::carry(task, argument, ran)
}
// ANCHOR_END: trampoline
