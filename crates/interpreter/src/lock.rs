//! The interpreter lock: `Python/ceval_gil.c` of CPython (`ceval_gil.h` up to 3.11), in Rust.
//!
//! A thread that wants the lock waits for one switch interval. If the lock has not changed hands by
//! then, the waiting thread sets a flag, the drop request. The holder reads the flag at its next
//! backward jump (see [`Interpreter::run`](crate::Interpreter::run)), releases the lock, and then
//! waits until another thread has had the lock.
//!
//! An ordinary mutex is not enough. Its holder cannot know that another thread waits, so the holder
//! would have to release the mutex again and again. The holder would also win the mutex back nearly
//! every time, because the holder is running already, while the waiting thread must be woken first.
//! CPython up to 3.1 worked like that: the holder released the lock every 100 instructions, and
//! threads that compute starved threads that answer.

use spans::{Span, now_ns};
use std::process;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a thread waits before it requests the lock: CPython's default, five milliseconds
/// (`DEFAULT_INTERVAL`, `sys.setswitchinterval`). The interval is short enough for a program that
/// answers people, and long enough that the cost of a hand-over, some microseconds, does not show.
pub const SWITCH_INTERVAL: Duration = Duration::from_millis(5);

/// The lock's source of time. Programs use [`SystemClock`]; a test brings its own clock, and so
/// decides when an interval is over, without waiting.
pub trait Clock: Sync {
    /// Waits until `woken` is notified or a switch interval is over. Returns the guard, and whether
    /// the interval is over.
    fn wait<'a, T>(&self, woken: &Condvar, guard: MutexGuard<'a, T>) -> (MutexGuard<'a, T>, bool);

    /// The time, in nanoseconds since some fixed moment.
    fn now_ns(&self) -> u64;
}

/// The clock of the machine, `CLOCK_MONOTONIC`.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock {
    /// How long a thread waits before it requests the lock (`sys.setswitchinterval`).
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
    /// This mutex is held for moments only, never while a program runs (CPython's `gil->mutex`).
    state: Mutex<State>,
    /// Notified when the lock is free (`gil->cond`).
    free: Condvar,
    /// Notified when the lock has a new holder (`gil->switch_cond`). CPython has a second mutex for
    /// this condition; here one mutex is enough, and no wake-up can be lost between two mutexes.
    switched: Condvar,
    /// The drop request (`gil_drop_request`, since 3.13 a bit of `eval_breaker`). The flag stands
    /// outside of the mutex so that the holder can read it at every backward jump with a single
    /// load.
    ///
    /// All accesses are Relaxed: the flag publishes no other data. If the holder sees the flag one
    /// jump late, nothing is lost, and the mutex publishes everything else.
    drop_request: AtomicBool,
    clock: C,
}

#[derive(Debug, Default)]
struct State {
    /// The lane of the thread that holds the lock now.
    holder: Option<u32>,
    /// The lane of the thread that holds the lock, or held it last (`gil->last_holder`).
    last_holder: Option<u32>,
    /// Since when the holder has had the lock. The time is noted only while recording.
    since_ns: u64,
    /// How often the lock went to another thread than the last holder (`gil->switch_number`).
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
        // is still consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the lock, and takes it for this lane (`take_gil`).
    pub(crate) fn take(&self, lane: u32) -> Turn<'_, C> {
        let mut state = self.state();
        while state.holder.is_some() {
            let hand_overs = state.hand_overs;
            let interval_over;
            (state, interval_over) = self.clock.wait(&self.free, state);
            // Request the lock only if the same thread has held it for the whole interval.
            // Otherwise each of many waiting threads would send a request to a holder that has only
            // begun.
            if interval_over && state.holder.is_some() && state.hand_overs == hand_overs {
                self.drop_request.store(true, Relaxed);
            }
        }
        state.holder = Some(lane);
        if state.last_holder != Some(lane) {
            state.hand_overs += u64::from(state.last_holder.is_some());
            state.last_holder = Some(lane);
            // Notify all threads, not one: several may have released the lock and wait here, and
            // only a thread that was not the last holder may go on.
            self.switched.notify_all();
        }
        if state.recording.is_some() {
            state.since_ns = self.clock.now_ns();
        }
        // Clear every request, because this thread's turn has only begun. Other waiting threads
        // request the lock again after an interval.
        self.drop_request.store(false, Relaxed);
        Turn { lock: self, lane }
    }

    /// Releases the lock (`drop_gil`).
    fn let_go(&self, lane: u32) {
        let mut state = self.state();
        debug_assert_eq!(state.holder, Some(lane), "only the holder lets go");
        state.holder = None;
        let start_ns = state.since_ns;
        if let Some(spans) = &mut state.recording {
            spans.push(Span { pid: process::id(), lane, start_ns, end_ns: self.clock.now_ns() });
        }
        self.free.notify_one();
        // Forced switching (`FORCE_SWITCHING`): a holder that was asked for the lock waits until
        // another thread has had the lock. This wait always ends: a waiting thread has set the
        // flag, a waiting thread does not give up, and the flag is cleared only when the lock is
        // taken.
        while self.is_asked_for() && state.last_holder == Some(lane) {
            state = self.switched.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Whether a waiting thread asks the holder to release the lock.
    pub(crate) fn is_asked_for(&self) -> bool {
        self.drop_request.load(Relaxed)
    }

    /// How often the lock has been taken by another thread than its last holder. The count only
    /// grows: read it before and after, and subtract.
    pub fn hand_overs(&self) -> u64 {
        self.state().hand_overs
    }

    /// From now on, notes which thread holds the lock from when to when. Earlier notes are dropped.
    ///
    /// While recording, each turn costs two readings of the clock and keeps one span in memory:
    /// some two hundred spans a second while threads compete for the lock.
    pub fn start_recording(&self) {
        let mut state = self.state();
        state.recording = Some(Vec::new());
        state.since_ns = self.clock.now_ns();
    }

    /// Ends the recording. The spans are in the order in which the turns ended, and do not overlap;
    /// a turn that has not ended has no span. The lanes are those of
    /// [`timed`](spans::timed), so that a picture of the lock's holders fits a picture of
    /// the items.
    pub fn stop_recording(&self) -> Vec<Span> {
        self.state().recording.take().unwrap_or_default()
    }
}

/// The lock, held. Dropping a `Turn` releases the lock, also when a native panics.
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
    /// time advances by one nanosecond with each reading.
    #[derive(Debug)]
    pub(crate) struct TestClock {
        begun: Sender<()>,
        is_over: AtomicBool,
        now_ns: AtomicU64,
    }

    impl TestClock {
        /// The clock, and the receiving end of a channel that reports each wait that has begun.
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
            // Send while holding the mutex: a thread that receives this and then takes the mutex
            // finds the waiting thread asleep.
            self.begun.send(()).unwrap();
            let guard = woken.wait(guard).unwrap();
            (guard, self.is_over.swap(false, Relaxed))
        }

        fn now_ns(&self) -> u64 {
            self.now_ns.fetch_add(1, Relaxed)
        }
    }

    impl Lock<TestClock> {
        /// Ends the interval of the waiting thread. Returns when that thread has acted on it and
        /// waits again.
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
        // Repeat often, since an unfair lock is fair now and then.
        for round in 1..=50 {
            let turn = lock.take(0);
            thread::scope(|scope| {
                scope.spawn(|| drop(lock.take(1)));
                waits.recv().unwrap();
                // A wake-up before the interval is over is no reason for a request.
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
            // The interval ends while the lock goes from lane 0 to lane 2, while lane 1 does not
            // notice.
            let mut state = lock.state();
            state.holder = Some(2);
            state.last_holder = Some(2);
            state.hand_overs += 1;
            drop(state);
            lock.end_interval(&waits);
            assert!(!lock.is_asked_for());
            // After one more interval, lane 2 has held the lock for a whole interval.
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
        // Recording begins in the middle of a turn: the turn's span begins there.
        let turn = lock.take(7);
        lock.start_recording();
        drop(turn);
        assert_eq!(lock.stop_recording().len(), 1);
    }
}
