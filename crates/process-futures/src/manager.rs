//! The manager: the thread that pumps while nobody waits.
//!
//! Most callers submit and then wait, and pump by themselves. Waking a thread for each `submit`,
//! only for it to see that it is not needed, would cost more than a small task. So a manager that
//! has been woken stays on watch: it looks again after a short grace, without being asked, for as
//! long as the pool is in use, and sleeps when a grace has passed in which nothing happened. A call
//! for which nobody waits is seen to within one grace, and then promptly, since the manager pumps.

use crate::pump::Pump;
use crate::shared::Shared;
use nix::sys::signal::SigSet;
use std::sync::PoisonError;
use std::time::Duration;

/// How long a call may lie about before the manager sees to it. Much shorter, and on a busy machine
/// the manager would take the crew from a caller that has only lost its core for a moment.
pub const GRACE: Duration = Duration::from_millis(1);

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
            continue; // somebody is at it
        }
        if !state.has_calls() || !state.waiting.is_empty() {
            // Nothing to do, or somebody has been woken to do it.
            state.on_watch = false;
        } else if let Some(mut pump) = Pump::take(shared, &mut state) {
            (state.by_manager, state.reclaimed) = (true, false);
            while state.wants_manager() {
                drop(state);
                pump.turn(None);
                state = shared.lock();
            }
            drop(state);
            drop(pump);
            state = shared.lock();
        } else {
            state.on_watch = false; // whoever has the crew will wake us, if need be
        }
    }
    let crew = state.crew.take();
    drop(state);
    drop(crew); // waits until the workers are gone
}

/// Says that the pool is over, however the manager ends.
struct Over<'s>(&'s Shared);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.is_over_now();
    }
}
