//! What the lock of a pool guards: the core while no thread has it, and the calls that have not
//! ended.

use crate::caller::call_state::CallState;
use crate::caller::core::PoolCore;
use crate::wire::packet::Packet;
use nix::sys::eventfd::EventFd;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a call may lie about before the manager sees to it. Much shorter, and on a busy machine
/// the manager would take the pool core from a caller that the system has only stopped for a moment.
pub const GRACE: Duration = Duration::from_millis(1);

/// One pool's state. The pool's one lock ([`Shared::lock`](crate::caller::shared::Shared::lock))
/// guards every field; the comments say which thread writes it. Every change is one step, made
/// under the lock.
#[derive(Debug)]
pub struct PoolState {
    /// A thread that takes it out drives, and puts it back. `None` too once the pool is over.
    pub core: Option<Box<PoolCore>>,
    /// The manager has taken the core, and gives it to any other thread that wants it. Set by the
    /// manager, cleared by the thread that brings the core home.
    pub by_manager: bool,
    /// The manager is to bring the core home, though no thread waits. Set by a map, cleared by the
    /// manager when it takes the core.
    pub reclaimed: bool,
    /// Threads that wait for an answer and would drive, but another does; each with its ticket. A
    /// waiting thread adds and removes itself.
    pub waiting: VecDeque<(u64, Thread)>,
    /// Counted up by the waiting threads.
    pub next_ticket: u64,
    /// How often the core was taken: counted up by the thread that takes it. By this the manager
    /// knows that some thread drives.
    pub turns: u64,
    /// The manager will look within [`GRACE`], without being woken. Set by the thread that wakes the
    /// manager, cleared by the manager.
    pub on_watch: bool,
    /// Makes the driving thread come back from its wait. Set to `None` by the thread that ends the
    /// pool.
    pub wakes: Option<Arc<EventFd>>,
    /// `wakes` is written. Set by the thread that writes, cleared by the driving thread.
    pub woken: bool,
    /// No more calls are taken. Set by the thread that shuts the pool down.
    pub closed: bool,
    /// The core is gone. Set by the thread that let it go: the manager, or else the closing thread.
    pub over: bool,
    /// Calls that no worker has, by their numbers. Submitting threads add; the driving thread takes
    /// out the next, a cancelling thread its own.
    pub queue: BTreeMap<u64, (Arc<CallState>, Packet)>,
    /// Calls that the core has, by its own numbers for them. Written by the driving thread.
    pub running: BTreeMap<u64, Arc<CallState>>,
    /// Those of the running calls that have timed out. A thread whose time is over adds, the driving
    /// thread removes.
    pub given_up: Vec<u64>,
    /// Added by any thread, carried out by the driving thread.
    pub orders: Vec<Order>,
    /// Some worker might have run out of calls when the driving thread last looked. Where none has,
    /// a call may lie in the queue until an answer comes: it will leave with others.
    pub hungry: bool,
    /// Which function was handed out last, written by the driving thread. Workers get many calls at
    /// a time as long as these are short, and by that only calls of one function can be judged: a
    /// long call of another function is not to wait behind others, nor others behind it.
    pub alike: [u64; 2],
    /// Since when no call has been running. Written by the driving thread.
    pub idle_since: Option<Instant>,
    /// Counted up by the submitting threads.
    pub next_number: u64,
    /// The manager's. Set by the first thread that submits, taken by the one that joins it.
    pub handle: Option<JoinHandle<()>>,
}

/// What only the driving thread can do, for another one.
#[derive(Debug)]
pub enum Order {
    /// Tell the workers' process ids.
    Pids(Sender<Vec<u32>>),
    /// Kill them, and start no others.
    KillWorkers,
}

impl PoolState {
    /// A pool that has no calls yet.
    pub fn new(core: PoolCore, wakes: EventFd) -> Self {
        Self {
            core: Some(Box::new(core)),
            by_manager: false,
            reclaimed: false,
            waiting: VecDeque::new(),
            next_ticket: 0,
            turns: 0,
            on_watch: false,
            wakes: Some(Arc::new(wakes)),
            woken: false,
            closed: false,
            over: false,
            queue: BTreeMap::new(),
            running: BTreeMap::new(),
            given_up: Vec::new(),
            orders: Vec::new(),
            hungry: true,
            alike: [0; 2],
            idle_since: None,
            next_number: 0,
            handle: None,
        }
    }

    /// Has the manager bring the core home, for a caller that will drive before long. Two threads
    /// that share a stream of answers wake each other for each of them.
    pub fn reclaim(&mut self) {
        if self.by_manager && !self.reclaimed {
            self.reclaimed = true;
            self.wake();
        }
    }

    /// Whether the manager, with the core in its hands, is to go on.
    pub fn wants_manager(&self) -> bool {
        self.has_calls() && self.waiting.is_empty() && !self.reclaimed
    }

    /// Makes the driving thread come back from its wait, and look.
    pub fn wake(&mut self) {
        if let (None, false, Some(wakes)) = (&self.core, self.woken, &self.wakes) {
            // It fails only if the counter overflows, and that is never above one.
            self.woken = wakes.write(1).is_ok();
        }
    }

    /// Gives the core its orders, and as many calls as it wants.
    pub fn step(&mut self, core: &mut PoolCore) {
        for order in self.orders.drain(..) {
            match order {
                Order::Pids(to) => _ = to.send(core.worker_pids()),
                Order::KillWorkers => core.kill_workers(),
            }
        }
        for &task in &self.given_up {
            core.give_up(task);
        }
        if self.idle_since.take_if(|since| since.elapsed() > GRACE).is_some() {
            core.forget_times(); // what comes now may be of another size
        }
        while let Some((_, (_, call))) = self.queue.first_key_value() {
            let alike = call.alike();
            if mem::replace(&mut self.alike, alike) != alike {
                core.forget_times();
            }
            let mut room = core.room();
            if room == 0 {
                break;
            }
            while let Some(entry) = self.queue.first_entry().filter(|_| room > 0) {
                if entry.get().1.alike() != alike {
                    break;
                }
                let (state, call) = entry.remove();
                state.hand_over();
                self.running.insert(core.dispatch(call), state);
                self.idle_since = None;
                room -= 1;
            }
        }
        core.send();
        self.hungry = core.is_hungry();
    }

    /// Whether there are calls that have not ended.
    pub fn has_calls(&self) -> bool {
        !self.queue.is_empty() || !self.running.is_empty()
    }

    /// Whether nothing is left to do and nothing will come.
    pub fn is_finished(&self) -> bool {
        self.closed && !self.has_calls() && self.core.is_some()
    }
}
