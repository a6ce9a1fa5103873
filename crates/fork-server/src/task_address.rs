//! A function crosses to a worker as its address, and becomes a function again there.
//!
//! Only this file turns a function into a number or a number into a function. The types `A` and `R`
//! are known where the call is made and where its answer is read, and nowhere between. A
//! *trampoline* carries the types to the worker: [`trampoline`] is compiled once for each pair of
//! types, and its address travels beside the function's address.

use crate::image::has_code_at;
use crate::server::in_worker;
use kernel::{Message, Ran, TaskErrorKind};
use std::cell::Cell;

/// Why there is no answer, and whether the task may have run all the same: an error that does not
/// know its item yet.
pub type TaskFailure = (Ran, TaskErrorKind);

/// How a pool's call is carried through in a worker: read the argument, run the task, write the
/// answer. A pool implements this trait for each of its kinds of call, without any `unsafe`.
pub trait Carry {
    /// Runs the task on the argument that these bytes hold, and gives the answer as bytes. `ran`
    /// becomes `Yes` right before the function is entered, and stays `Yes` if the function panics.
    ///
    /// # Errors
    /// What went wrong, and whether the task ran.
    fn carry<A: Message, R: Message>(
        task: fn(A) -> R,
        argument: Vec<u8>,
        ran: &Cell<Ran>,
    ) -> Result<Vec<u8>, TaskFailure>;
}

/// The type of every trampoline: `A` and `R` do not appear in it.
type Trampoline = unsafe fn(*const (), Vec<u8>, &Cell<Ran>) -> Result<Vec<u8>, TaskFailure>;

/// A function `fn(A) -> R`, and the code that knows `A` and `R`, in a form that travels.
#[derive(Clone, Copy, Debug)]
pub struct TaskAddress([u64; 2]);

impl TaskAddress {
    /// The address of a task, whose call `C` carries through.
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

    /// The two addresses as numbers, to be sent.
    pub fn words(self) -> [u64; 2] {
        self.0
    }

    /// Makes a task's address from two received numbers. The sender had the numbers from
    /// [`TaskAddress::words`].
    pub fn received(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// Runs the task in a worker. A panic is not caught here: the worker's loop catches it.
    ///
    /// # Errors
    /// The errors of [`Carry::carry`].
    /// # Panics
    /// If this process is no worker, or if the program has no code at the addresses.
    pub fn run(self, argument: Vec<u8>, ran: &Cell<Ran>) -> Result<Vec<u8>, TaskFailure> {
        let addresses = self.0.map(|word| word as usize);
        assert!(in_worker() && addresses.iter().all(|&address| has_code_at(address)));
        let [trampoline, function] = addresses.map(std::ptr::with_exposed_provenance::<()>);
        // SAFETY: assumed, as the crate's Soundness section says: the numbers come from
        // `TaskAddress::of`, in the program that this process is a fork of. The first is then a
        // trampoline's address, in a segment that both processes have at the same address.
        let trampoline = unsafe { std::mem::transmute::<*const (), Trampoline>(trampoline) };
        // SAFETY: `TaskAddress::of` took the function's address beside the address of the
        // trampoline for the function's types.
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
