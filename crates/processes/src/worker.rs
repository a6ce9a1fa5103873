//! The worker's life: a call, an answer, until the pool closes the socket.
//!
//! A worker has one thread, waits for nothing but its socket, and writes each answer before it
//! starts the next call. So what the pool has not heard of when the worker dies is the one call
//! that was running and those that had not begun, and the two are told apart by counting.

use crate::call::{enter, panicked};
use crate::frame::{Frame, Kind};
use crate::inbox::Inbox;
use crate::wire::{retry, send};
use kernel::RemotePanic;
use nix::sys::socket::MsgFlags;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::io::{self, IoSlice, Write};
use std::os::fd::OwnedFd;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::time::Instant;

/// Serves the pool at the other end of the socket until that end is closed.
// ANCHOR: worker_loop
pub fn serve(socket: OwnedFd) {
    note_panics();
    let mut inbox = Inbox::default();
    loop {
        // Blocking, both ways: a worker has nothing else to do. The pool never blocks, and that is
        // enough for the two not to wait for each other.
        let call = match inbox.take() {
            Ok(Some(call)) => call,
            Ok(None) => match retry(|| inbox.fill(&socket, MsgFlags::empty())) {
                Ok(0) | Err(_) => return, // the pool is gone, or has no more for us
                Ok(_) => continue,
            },
            Err(why) => panic!("the pool sent what is no frame: {why}"),
        };
        let answer = answer(call);
        // What the task printed is on its way before its answer is.
        let _ = io::stdout().flush();
        let mut rest = &answer.bytes[..];
        while !rest.is_empty() {
            let part = [IoSlice::new(rest)];
            match retry(|| send(&socket, &part, &[], MsgFlags::empty())) {
                Ok(sent) => rest = &rest[sent..],
                Err(_) => return,
            }
        }
    }
}
// ANCHOR_END: worker_loop

/// Runs the call, and has an answer whatever happens short of the process's end.
// ANCHOR: answer
fn answer(call: Frame) -> Frame {
    let start = Instant::now();
    let task = call.header.task;
    let called = Cell::new(false);
    // Unwind safe: the call is dropped here and the function captures nothing. A `static` that the
    // task left half changed is the task's own, as under every executor.
    let outcome = match catch_unwind(AssertUnwindSafe(|| enter(&call, &called))) {
        Ok(Ok(bytes)) => (Kind::Answer, Ok(bytes)),
        Ok(Err((kind, why))) => (kind, text(why)),
        Err(payload) => {
            let mut panic = RemotePanic::from_payload(&*payload);
            (panic.location, panic.backtrace) = NOTED.take().unwrap_or_default();
            // A payload may panic again when it is dropped. Its memory is not worth the risk.
            std::mem::forget(payload);
            (Kind::Panicked, panicked(&panic))
        }
    };
    let frame = |kind, bytes| {
        let nanoseconds = start.elapsed().as_nanos() as u64;
        Frame::new(kind, task, called.get(), [nanoseconds, 0], bytes)
    };
    let (kind, bytes) = outcome;
    // An answer over the limit is one more reason to have none.
    let answer = bytes.and_then(|bytes| frame(kind, bytes));
    answer
        .or_else(|why| text(why).and_then(|bytes| frame(Kind::NotSerialised, bytes)))
        .expect("a sentence fits into a frame")
}
// ANCHOR_END: answer

/// The body for a sentence.
fn text(why: String) -> Result<Vec<u8>, String> {
    crate::call::write(&why, Frame::room())
}

thread_local! {
    /// Whether this thread is the one that runs the tasks.
    static RUNS_TASKS: Cell<bool> = const { Cell::new(false) };
    /// Place and backtrace of the last panic on it.
    static NOTED: RefCell<Option<(Option<String>, Option<String>)>> = const { RefCell::new(None) };
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
        // Asks `RUST_BACKTRACE` and `RUST_LIB_BACKTRACE` by itself.
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        NOTED.set(Some((panic.location().map(ToString::to_string), trace)));
    }));
}
