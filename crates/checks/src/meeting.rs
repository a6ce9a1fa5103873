//! A rendezvous inside one process: it shows without a clock whether items are in progress at once.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How long an item waits for the others. The other items arrive within milliseconds, if they come
/// at all.
const PATIENCE: Duration = Duration::from_secs(5);

/// A place where a number of items meet: each item waits there until all of them are in progress.
#[derive(Debug)]
pub struct Meeting {
    wanted: usize,
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Debug, Default)]
struct State {
    here: usize,
    most: usize,
    /// One item has waited in vain, so the others need not wait.
    given_up: bool,
}

impl Meeting {
    /// A meeting of this many items.
    pub const fn of(wanted: usize) -> Self {
        let state = State { here: 0, most: 0, given_up: false };
        Self { wanted, state: Mutex::new(state), news: Condvar::new() }
    }

    /// Waits until all items have arrived, or until five seconds are over. Returns whether the
    /// items met. Once they have met, every later call returns `true` at once.
    pub fn attend(&self) -> bool {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.here += 1;
        state.most = state.most.max(state.here);
        self.news.notify_all();
        let waiting = |state: &mut State| state.most < self.wanted && !state.given_up;
        let (mut state, over) = self
            .news
            .wait_timeout_while(state, PATIENCE, waiting)
            .unwrap_or_else(PoisonError::into_inner);
        state.here -= 1;
        state.given_up |= over.timed_out();
        self.news.notify_all();
        state.most >= self.wanted
    }

    /// The largest number of items that were here at once.
    pub fn most(&self) -> usize {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).most
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn two_meet_on_two_threads() {
        let meeting = Meeting::of(2);
        let met = thread::scope(|scope| {
            let other = scope.spawn(|| meeting.attend());
            [meeting.attend(), other.join().unwrap()]
        });
        assert_eq!((met, meeting.most()), ([true; 2], 2));
        // An item that comes later need not wait.
        assert!(meeting.attend());
    }

    #[test]
    fn one_alone_waits_in_vain_and_only_once() {
        let meeting = Meeting::of(2);
        assert!(!meeting.attend());
        assert!(!meeting.attend());
        assert_eq!(meeting.most(), 1);
    }
}
