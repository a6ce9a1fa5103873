//! A panic in a worker becomes a value that travels, with its place and its backtrace.

use crate::last_words::{say, unsay};
use kernel::RemotePanic;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, catch_unwind};

/// Runs the closure, and turns a panic into the value that [`note_panics`] has noted.
///
/// # Errors
/// The panic: its message, and its place and backtrace as far as they are known.
///
/// Unwind safe: an item moves in, and a task captures nothing. A `static` that a task leaves half
/// changed is the task's own concern, as under every executor.
pub fn catch<T>(run: impl FnOnce() -> T) -> Result<T, RemotePanic> {
    forget(); // what an earlier task has caught by itself
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let mut panic = RemotePanic::from_payload(&*payload);
        (panic.location, panic.backtrace) = forget();
        // A payload may panic again when it is dropped. To free the payload's memory is not worth
        // the risk.
        std::mem::forget(payload);
        panic
    })
}

thread_local! {
    /// Whether this thread is the one that runs the tasks.
    static RUNS_TASKS: Cell<bool> = const { Cell::new(false) };
    /// The place and backtrace of the last panic on this thread.
    static NOTED: RefCell<(Option<String>, Option<String>)> = const { RefCell::new((None, None)) };
}

/// Takes what is noted.
fn forget() -> (Option<String>, Option<String>) {
    unsay();
    NOTED.take()
}

/// Notes each panic's place and backtrace, which only the panic hook can know.
///
/// The message is not printed here: it comes back in the item's error, and the caller decides
/// whether to print it. A worker is a process of the pool's own, so the hook takes nothing from the
/// program, whose own hook stays as it is. Threads that a task starts keep the hook from before.
///
/// A panic that cannot unwind aborts the process after the hook, and the hook cannot know this. So
/// the text of every panic is among the worker's last words until the panic is caught.
pub fn note_panics() {
    RUNS_TASKS.set(true);
    let before = panic::take_hook();
    panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        let at = place.as_ref().map(|place| format!(", at {place}")).unwrap_or_default();
        say(&(RemotePanic::text(panic.payload()) + &at));
        if !RUNS_TASKS.get() {
            return before(panic);
        }
        // `capture` reads `RUST_BACKTRACE` and `RUST_LIB_BACKTRACE` by itself.
        let trace = Backtrace::capture();
        let trace = (trace.status() == BacktraceStatus::Captured).then(|| trace.to_string());
        NOTED.set((place, trace));
    }));
}
