//! The manager: the thread that drives the pool while no other thread waits.
//!
//! Most callers submit and then wait, and drive the pool themselves. To wake the manager for each
//! `submit`, when in most cases it is not needed, would cost more than a small task. So a manager
//! that has been woken stays on watch: as long as the pool is in use, it looks again after each
//! short grace period, and it sleeps when a period has passed in which nothing happened. A call for
//! which no thread waits is sent within one grace period; from then on the manager drives, and
//! calls are sent promptly.

use crate::caller::driver::Driver;
use crate::caller::shared::Shared;
use crate::caller::state::GRACE;
use nix::sys::signal::SigSet;
use std::sync::PoisonError;

/// The manager's main loop.
pub fn run(shared: &Shared) {
    // Block all signals here, so that the program's own threads handle them.
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
            // Nothing to do, or a waiting thread has been woken to drive.
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
            state.on_watch = false; // the thread that has the core wakes the manager if needed
        }
    }
    let core = state.core.take();
    drop(state);
    drop(core); // waits until the workers are gone
}

/// Marks the pool as over when the manager ends, also by a panic.
struct Over<'s>(&'s Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over_now();
    }
}
