//! The interpreter lock: `Python/ceval_gil.c` of CPython (`ceval_gil.h` up to 3.11), in Rust.
//!
//! Whoever wants the lock waits for one switch interval. If the lock has not changed hands by then,
//! the waiter raises a flag, the drop request. The holder reads the flag when it can (see
//! [`Interpreter::run`](crate::Interpreter::run)), lets go, and then waits until somebody else has
//! had the lock.
//!
//! An ordinary mutex would not do. Its holder would have to let go again and again, since it cannot
//! know that somebody waits; and it would win the lock back nearly every time, because it runs
//! already while the waiter must be woken first. CPython up to 3.1 was like that: it let go every
//! 100 instructions, and threads that compute starved those that answer.

use spans::{Span, now_ns};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a waiter waits before it asks for the lock: CPython's default, five milliseconds
/// (`DEFAULT_INTERVAL`, `sys.setswitchinterval`). Short enough for a program that answers people,
/// long enough that the cost of a hand-over, some microseconds, does not show.
pub const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

/// What the lock knows of time. Programs use [`SystemClock`]; a test brings its own, and so decides
/// when an interval is over without waiting for it.
pub trait Clock: Sync {
    /// Waits until `woken` is notified or a switch interval is over. Gives the guard back, and
    /// whether the interval is over.
    fn wait<'a, T>(&self, woken: &Condvar, guard: MutexGuard<'a, T>) -> (MutexGuard<'a, T>, bool);

    /// The time, in nanoseconds since some fixed moment.
    fn now_ns(&self) -> u64;
}

/// The clock of the machine, `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    /// How long a waiter waits before it asks for the lock (`sys.setswitchinterval`).
    pub interval: Duration,
}

impl Clock for SystemClock {
    fn wait<'a, T>(&self, woken: &Condvar, guard: MutexGuard<'a, T>) -> (MutexGuard<'a, T>, bool) {
        let waited = woken.wait_timeout(guard, self.interval);
        let (guard, result) = waited.unwrap_or_else(PoisonError::into_inner);
        (guard, result.timed_out())
    }

    fn now_ns(&self) -> u64 {
        now_ns()
    }
}

/// The one lock of an interpreter.
#[derive(Debug)]
pub struct Lock<C> {
    /// Held for moments only, never while a program runs (CPython's `gil->mutex`).
    state: Mutex<State>,
    /// Notified when the lock is free (`gil->cond`).
    free: Condvar,
    /// Notified when the lock has a new holder (`gil->switch_cond`). CPython has a mutex of its own
    /// for this one; here the one mutex is enough, and no wake-up can be lost between two.
    switched: Condvar,
    /// The flag (`gil_drop_request`, since 3.13 a bit of `eval_breaker`). It stands outside of the
    /// mutex so that the holder can read it at every backward jump: a load, no more.
    ///
    /// Relaxed everywhere: the flag carries no news but itself. If the holder sees it one jump
    /// late, nothing is lost, and all else is published by the mutex.
    drop_request: AtomicBool,
    clock: C,
}

#[derive(Debug, Default)]
struct State {
    /// Who holds the lock now: a thread's lane.
    holder: Option<u32>,
    /// Who held it last, or holds it now (`gil->last_holder`).
    last_holder: Option<u32>,
    /// Since when the holder has it. Only kept up while recording.
    since_ns: u64,
    /// How often a holder was another than the one before (`gil->switch_number`).
    hand_overs: u64,
    recording: Option<Vec<Span>>,
}

impl<C: Clock> Lock<C> {
    pub(crate) fn new(clock: C) -> Self {
        let (state, drop_request) = (Mutex::default(), AtomicBool::new(false));
        Self { state, free: Condvar::new(), switched: Condvar::new(), drop_request, clock }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics between the first and the last write under this mutex, so a poisoned state
        // is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lock, and takes it for this lane (`take_gil`).
    pub(crate) fn take(&self, lane: u32) -> Turn<'_, C> {
        let mut state = self.state();
        while state.holder.is_some() {
            let hand_overs = state.hand_overs;
            let interval_over;
            (state, interval_over) = self.clock.wait(&self.free, state);
            // Asked for only if the same holder had it all the time. Otherwise each of many waiters
            // would ask somebody who has only begun.
            if interval_over && state.holder.is_some() && state.hand_overs == hand_overs {
                self.drop_request.store(true, Relaxed);
            }
        }
        state.holder = Some(lane);
        if state.last_holder != Some(lane) {
            state.hand_overs += u64::from(state.last_holder.is_some());
            state.last_holder = Some(lane);
            // All, not one: several may have let go and wait for this, and only those of them that
            // were not the last holder may go on.
            self.switched.notify_all();
        }
        if state.recording.is_some() {
            state.since_ns = self.clock.now_ns();
        }
        // Whoever asked, this taker's turn has only begun. Others ask again after an interval.
        self.drop_request.store(false, Relaxed);
        Turn { lock: self, lane }
    }

    /// Lets go (`drop_gil`).
    fn let_go(&self, lane: u32) {
        let mut state = self.state();
        debug_assert_eq!(state.holder, Some(lane), "only the holder lets go");
        state.holder = None;
        let start_ns = state.since_ns;
        if let Some(spans) = &mut state.recording {
            spans.push(Span { pid: process::id(), lane, start_ns, end_ns: self.clock.now_ns() });
        }
        self.free.notify_one();
        // Forced switching (`FORCE_SWITCHING`): whoever was asked for the lock does not come back
        // for it before somebody else has had it. That somebody exists, so this cannot wait for
        // ever: the flag is raised by a waiter, a waiter does not give up, and the flag is lowered
        // only when the lock is taken.
        while self.is_asked_for() && state.last_holder == Some(lane) {
            state = self.switched.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Does somebody ask the holder to let go?
    pub(crate) fn is_asked_for(&self) -> bool {
        self.drop_request.load(Relaxed)
    }

    /// How often the lock has been taken by another thread than the one that had it before. The
    /// count only grows: look before and after.
    pub fn hand_overs(&self) -> u64 {
        self.state().hand_overs
    }

    /// From now on, notes who holds the lock from when to when. What was noted before is forgotten.
    ///
    /// A turn costs two looks at the clock then, and a span stays in memory for each: some two
    /// hundred a second while threads compete for the lock.
    pub fn start_recording(&self) {
        let mut state = self.state();
        state.recording = Some(Vec::new());
        state.since_ns = self.clock.now_ns();
    }

    /// Ends the recording. The spans are in the order in which the turns ended, and do not overlap;
    /// a turn that has not ended is not among them. Lanes are those of
    /// [`timed`](spans::timed), so that a picture of who held the lock fits one of who
    /// ran which item.
    pub fn stop_recording(&self) -> Vec<Span> {
        self.state().recording.take().unwrap_or_default()
    }
}

/// The lock, held. Dropping it lets go, also when a native panics.
pub(crate) struct Turn<'lock, C: Clock> {
    lock: &'lock Lock<C>,
    lane: u32,
}

impl<C: Clock> Drop for Turn<'_, C> {
    fn drop(&mut self) {
        self.lock.let_go(self.lane);
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use std::sync::atomic::AtomicU64;
    use std::sync::mpsc::{Receiver, Sender, channel};
    use std::thread;

    /// A clock that the test drives. An interval is over when the test says so and not before; the
    /// time goes on by one nanosecond each time that somebody looks.
    #[derive(Debug)]
    pub(crate) struct TestClock {
        begun: Sender<()>,
        is_over: AtomicBool,
        now_ns: AtomicU64,
    }

    impl TestClock {
        /// The clock, and the end of a channel that tells of each wait that has begun.
        pub(crate) fn new() -> (Self, Receiver<()>) {
            let (begun, waits) = channel();
            (Self { begun, is_over: AtomicBool::new(false), now_ns: AtomicU64::new(0) }, waits)
        }
    }

    impl Clock for TestClock {
        fn wait<'a, T>(
            &self,
            woken: &Condvar,
            guard: MutexGuard<'a, T>,
        ) -> (MutexGuard<'a, T>, bool) {
            // Told under the mutex: whoever hears of it and then takes the mutex finds the waiter
            // asleep.
            self.begun.send(()).unwrap();
            let guard = woken.wait(guard).unwrap();
            (guard, self.is_over.swap(false, Relaxed))
        }

        fn now_ns(&self) -> u64 {
            self.now_ns.fetch_add(1, Relaxed)
        }
    }

    impl Lock<TestClock> {
        /// Ends the interval of whoever waits. Returns when the waiter has drawn its conclusion
        /// and waits again.
        pub(crate) fn end_interval(&self, waits: &Receiver<()>) {
            let state = self.state();
            self.clock.is_over.store(true, Relaxed);
            self.free.notify_all();
            drop(state);
            waits.recv().unwrap();
        }
    }

    #[test]
    fn a_waiter_asks_after_an_interval_and_the_holder_that_lets_go_does_not_win_it_back() {
        let (clock, waits) = TestClock::new();
        let lock = Lock::new(clock);
        // Often, since an unfair lock is fair now and then.
        for round in 1..=50 {
            let turn = lock.take(0);
            thread::scope(|scope| {
                scope.spawn(|| drop(lock.take(1)));
                waits.recv().unwrap();
                // Woken too early, for nothing: no reason to ask.
                drop(lock.state());
                lock.free.notify_all();
                waits.recv().unwrap();
                assert!(!lock.is_asked_for());
                lock.end_interval(&waits);
                assert!(lock.is_asked_for());
                assert_eq!(lock.state().holder, Some(0), "asking takes nothing away");
                drop(turn);
                assert_eq!(lock.state().last_holder, Some(1));
                assert!(!lock.is_asked_for());
            });
            assert_eq!(lock.hand_overs(), 2 * round - 1);
        }
    }

    #[test]
    fn a_waiter_does_not_ask_a_holder_that_has_only_begun() {
        let (clock, waits) = TestClock::new();
        let lock = Lock::new(clock);
        let turn = lock.take(0);
        thread::scope(|scope| {
            scope.spawn(|| drop(lock.take(1)));
            waits.recv().unwrap();
            // The interval ends while the lock goes from lane 0 to lane 2, unseen by lane 1.
            let mut state = lock.state();
            state.holder = Some(2);
            state.last_holder = Some(2);
            state.hand_overs += 1;
            drop(state);
            lock.end_interval(&waits);
            assert!(!lock.is_asked_for());
            // An interval later lane 2 has had its time.
            lock.end_interval(&waits);
            assert!(lock.is_asked_for());
            std::mem::forget(turn);
            drop(Turn { lock: &lock, lane: 2 });
        });
    }

    #[test]
    fn the_same_thread_again_is_no_hand_over() {
        let lock = Lock::new(SystemClock { interval: SWITCH_INTERVAL });
        for lane in [4, 4, 5, 5, 4] {
            drop(lock.take(lane));
        }
        assert_eq!(lock.hand_overs(), 2);
    }

    #[test]
    fn turns_are_recorded_while_asked_to() {
        let lock = Lock::new(TestClock::new().0);
        drop(lock.take(0));
        lock.start_recording(); // looks at the clock: 0
        drop(lock.take(0)); // 1 to 2
        drop(lock.take(3)); // 3 to 4
        let unfinished = lock.take(3);
        let spans = lock.stop_recording();
        drop(unfinished);
        let told: Vec<_> = spans.iter().map(|s| (s.lane, s.start_ns, s.end_ns)).collect();
        assert_eq!(told, [(0, 1, 2), (3, 3, 4)]);
        assert!(lock.stop_recording().is_empty());
        // Begun in the middle of a turn: it is told from there on.
        let turn = lock.take(7);
        lock.start_recording();
        drop(turn);
        assert_eq!(lock.stop_recording().len(), 1);
    }
}
