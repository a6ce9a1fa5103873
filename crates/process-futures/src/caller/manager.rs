//! The manager: the thread that drives while no other thread waits.
//!
//! Most callers submit and then wait, and drive by themselves. Waking a thread for each `submit`,
//! only for it to see that it is not needed, would cost more than a small task. So a manager that
//! has been woken stays on watch: it looks again after a short grace, without being asked, for as
//! long as the pool is in use, and sleeps when a grace has passed in which nothing happened. A call
//! for which no thread waits is seen to within one grace, and then promptly, since the manager drives.

use crate::caller::driver::Driver;
use crate::caller::shared::Shared;
use crate::caller::state::GRACE;
use nix::sys::signal::SigSet;
use std::sync::PoisonError;

/// The manager's life.
pub fn run(shared: &Shared) {
    // Signals are for the program's threads.
    let _ = SigSet::all().thread_block();
    let _over = Over(shared);
    let mut state = shared.lock();
    while !state.is_finished() {
        if !state.on_watch {
            state = shared.manager.wait(state).unwrap_or_else(PoisonError::into_inner);
            continue;
        }
        let turns = state.turns;
        let watched = shared.manager.wait_timeout(state, GRACE);
        state = watched.unwrap_or_else(PoisonError::into_inner).0;
        if state.turns != turns {
            continue; // some thread drives
        }
        if !state.has_calls() || !state.waiting.is_empty() {
            // Nothing to do, or a waiting thread has been woken to do it.
            state.on_watch = false;
        } else if let Some(mut driver) = Driver::take(shared, &mut state) {
            (state.by_manager, state.reclaimed) = (true, false);
            while state.wants_manager() {
                drop(state);
                driver.drive(None);
                state = shared.lock();
            }
            drop(state);
            drop(driver);
            state = shared.lock();
        } else {
            state.on_watch = false; // the thread that has the core will wake us, if need be
        }
    }
    let core = state.core.take();
    drop(state);
    drop(core); // waits until the workers are gone
}

/// Says that the pool is over, however the manager ends.
struct Over<'s>(&'s Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over_now();
    }
}
