//! The worker's life: a call, an answer, until the pool closes the socket.
//!
//! A worker has one thread, waits for nothing but its socket, and writes each answer before it
//! starts the next call. So what the pool has not heard of when the worker dies is the one call
//! that was running and those that had not begun, and the two are told apart by counting.

use crate::call::enter;
use crate::frame::{Frame, Kind, body};
use crate::inbox::Inbox;
use crate::wire::{retry, send};
use kernel::{Ran, RemotePanic, TaskErrorKind};
use nix::sys::socket::MsgFlags;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice, Write};
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Serves the pool at the other end of the socket until that end is closed.
// ANCHOR: worker_loop
pub fn serve(socket: OwnedFd) -> nix::Result<()> {
    note_panics();
    let mut inbox = Inbox::default();
    loop {
        // Blocking, both ways: a worker has nothing else to do. The pool never blocks, and that is
        // enough for the two not to wait for each other.
        let Some(call) = inbox.take().expect("the pool sends frames") else {
            match retry(|| inbox.fill(&socket, MsgFlags::empty()))? {
                0 => return Ok(()), // the pool has no more for us
                _ => continue,
            }
        };
        let answer = answer(call);
        // What the task printed is on its way before its answer is.
        let _ = io::stdout().flush();
        let mut rest = &answer.bytes[..];
        while !rest.is_empty() {
            let part = [IoSlice::new(rest)];
            rest = &rest[retry(|| send(&socket, &part, &[], MsgFlags::empty()))?..];
        }
        inbox.use_buffer(answer.bytes);
    }
}
// ANCHOR_END: worker_loop

/// Runs the call, and has an answer whatever happens short of the process's end.
// ANCHOR: answer
fn answer(call: Frame) -> Frame {
    let (start, task, ran) = (Instant::now(), call.header.task, Cell::new(Ran::No));
    let outcome = catch(|| enter(call, &ran))
        .unwrap_or_else(|panic| Err((ran.get(), TaskErrorKind::Panicked(panic))));
    let (kind, bytes) = match outcome {
        Ok(bytes) => (Kind::Answer, bytes),
        Err(failure) => {
            (Kind::Failure, body(&failure, Vec::new()).expect("words fit into a frame"))
        }
    };
    let nanoseconds = start.elapsed().as_nanos() as u64;
    Frame::new(kind, task, [nanoseconds, 0], bytes)
}
// ANCHOR_END: answer

/// Runs it, and makes of a panic what [`note_panics`] has noted of it.
///
/// Unwind safe: an item moves in, and a task captures nothing. A `static` that it left half changed
/// is its own, as under every executor.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, RemotePanic> {
    NOTED.take(); // what an earlier task has caught by itself
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let mut panic = RemotePanic::from_payload(&*payload);
        (panic.location, panic.backtrace) = NOTED.take();
        // A payload may panic again when it is dropped. Its memory is not worth the risk.
        std::mem::forget(payload);
        panic
    })
}

thread_local! {
    /// Whether this thread is the one that runs the tasks.
    static RUNS_TASKS: Cell<bool> = const { Cell::new(false) };
    /// Place and backtrace of the last panic on it.
    static NOTED: RefCell<(Option<String>, Option<String>)> = const { RefCell::new((None, None)) };
}

/// Notes each panic's place and backtrace, which are known to the hook and to nobody after it.
///
/// The message is not printed here: it comes back in the item's error, and the caller decides. A
/// worker is a process of the pool's own, so the hook takes nothing from the program; the parent's
/// hook stays as it is. Threads that a task starts keep the hook from before.
fn note_panics() {
    RUNS_TASKS.set(true);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        if !RUNS_TASKS.get() {
            return before(panic);
        }
        // It asks `RUST_BACKTRACE` and `RUST_LIB_BACKTRACE` by itself.
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        NOTED.set((panic.location().map(ToString::to_string), trace));
    }));
}
