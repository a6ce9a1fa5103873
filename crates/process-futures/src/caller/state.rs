//! The state that a pool's lock guards: the core while no thread has it, and the calls that have
//! not ended.

use crate::caller::call_state::CallState;
use crate::caller::core::PoolCore;
use crate::caller::wake::Wake;
use crate::wire::packet::Packet;
use kernel::{Ran, TaskErrorKind};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{JoinHandle, Thread};
use std::time::{Duration, Instant};

/// How long a call may wait before the manager sends it. If this time were much shorter, then on a
/// busy machine the manager would take the pool's core from a caller that the scheduler has only
/// paused for a moment.
pub const GRACE: Duration = Duration::from_millis(1);

/// One pool's state. The pool's one lock ([`Shared::lock`](crate::caller::shared::Shared::lock))
/// guards every field, and each field's comment says which thread writes the field. Every change is
/// one step, made while holding the lock. A thread *has the core* while it drives, or for a single
/// step inside [`Shared::see_to`](crate::caller::shared::Shared::see_to).
#[derive(Debug)]
pub struct PoolState {
    /// The core, while no thread has it. A thread takes the core out to drive, and puts it back.
    /// The thread that ends the pool takes it out for good.
    pub core: Option<Box<PoolCore>>,
    /// Whether the manager has the core, and so gives it to any other thread that wants it. Set by
    /// the manager, cleared by the thread that brings the core home.
    pub by_manager: bool,
    /// Whether the manager is to bring the core home although no thread waits. Set by the thread
    /// that iterates over a map, cleared by the manager when it takes the core.
    pub reclaimed: bool,
    /// The threads that wait for an answer while another thread drives, each with its ticket. A
    /// waiting thread adds and removes itself.
    pub waiting: VecDeque<(u64, Thread)>,
    /// The next ticket. A waiting thread takes it and counts it up.
    pub next_ticket: u64,
    /// How often a thread began to drive, which tells the manager that some thread drives. Counted
    /// up by the thread that begins.
    pub turns: u64,
    /// Whether the manager will look within [`GRACE`] without being woken. Set by the thread that
    /// wakes the manager, cleared by the manager.
    pub on_watch: bool,
    /// The descriptor that ends the driving thread's wait. Set to `None` by the thread that ends
    /// the pool.
    pub wake: Option<Arc<Wake>>,
    /// Has the thread that ends the pool kill the workers. Set to `None` by the thread that ends the
    /// pool.
    pub hurry: Option<Arc<Wake>>,
    /// Whether `wake` is rung and not yet cleared. Set by the thread that rings, cleared by
    /// the driving thread.
    pub woken: bool,
    /// Whether the pool takes no more calls. Set by the thread that shuts the pool down.
    pub closed: bool,
    /// Whether the core is gone. Set by the thread that ends the pool: the manager, or, without a
    /// manager, the closing thread.
    pub over: bool,
    /// The calls that the core does not have yet, by their numbers. A submitting thread adds a
    /// call, and the thread that has the core takes out the next. A thread that cancels or gives up
    /// a call takes it out; a thread that shuts the pool down may take out all.
    pub queue: BTreeMap<u64, (Arc<CallState>, Packet)>,
    /// The calls that the core has, by the core's numbers. The thread that has the core adds a
    /// call, and the driving thread removes it when it has ended.
    pub running: BTreeMap<u64, Arc<CallState>>,
    /// The running calls that have timed out. A thread whose time is over adds its call, and the
    /// driving thread removes it.
    pub given_up: BTreeSet<u64>,
    /// Orders for the thread that has the core. Any thread adds an order; the thread that has the
    /// core carries the orders out and removes them. The thread that ends the pool drops the
    /// others.
    pub orders: Vec<Order>,
    /// Whether some worker could soon have run out of calls when calls were last sent. If not, a
    /// call may wait in the queue until an answer comes, and leave together with others. Written by
    /// the thread that has the core.
    pub hungry: bool,
    /// The function of the call that was last offered to the core. Written by the thread that has the core.
    /// Workers get many calls at a time as long as these calls are short, and measured times tell
    /// nothing about another function: a long call of another function must not wait behind others,
    /// nor others behind it.
    pub alike: [u64; 2],
    /// Since when no call has been running. Set by the driving thread, cleared by the thread that
    /// has the core when it sends a call, or when [`GRACE`] has passed.
    pub idle_since: Option<Instant>,
    /// The next call's number. A submitting thread takes it and counts it up.
    pub next_number: u64,
    /// The manager's handle. Set by the first thread that submits, taken by the thread that joins
    /// the manager.
    pub handle: Option<JoinHandle<()>>,
}

/// An order from another thread, which only the thread that has the core can carry out.
#[derive(Debug)]
pub enum Order {
    /// Send the workers' process ids.
    Pids(Sender<Vec<u32>>),
    /// Kill the workers, and start no others.
    KillWorkers,
}

impl PoolState {
    /// A pool that has no calls yet.
    pub fn new(core: PoolCore, wake: Wake) -> Self {
        Self {
            hurry: Some(Arc::clone(&core.hurry)),
            core: Some(Box::new(core)),
            by_manager: false,
            reclaimed: false,
            waiting: VecDeque::new(),
            next_ticket: 0,
            turns: 0,
            on_watch: false,
            wake: Some(Arc::new(wake)),
            woken: false,
            closed: false,
            over: false,
            queue: BTreeMap::new(),
            running: BTreeMap::new(),
            given_up: BTreeSet::new(),
            orders: Vec::new(),
            hungry: true,
            alike: [0; 2],
            idle_since: None,
            next_number: 0,
            handle: None,
        }
    }

    /// Has the manager bring the core home, for a caller that will drive soon. If the manager kept
    /// the core, manager and caller would wake each other for every answer of the stream.
    pub fn reclaim(&mut self) {
        if self.by_manager && !self.reclaimed {
            self.reclaimed = true;
            self.wake();
        }
    }

    /// Whether the manager, while it has the core, is to go on driving.
    pub fn wants_manager(&self) -> bool {
        self.has_calls() && self.waiting.is_empty() && !self.reclaimed
    }

    /// Ends the driving thread's wait, so that it looks at the state again.
    pub fn wake(&mut self) {
        if let (None, false, Some(wake)) = (&self.core, self.woken, &self.wake) {
            // The write fails only if the counter overflows, and the counter is never above one.
            self.woken = wake.ring();
        }
    }

    /// Gives the core its orders, and as many calls as it has room for.
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
            core.forget_times(); // the next tasks may be of another length
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
                let task = core.dispatch(call);
                state.hand_over(task);
                self.running.insert(task, state);
                self.idle_since = None;
                room -= 1;
            }
        }
        core.send();
        self.hungry = core.is_hungry();
    }

    /// Takes a call back that no worker has: the call ends in this error. Returns false if the call
    /// is elsewhere.
    pub fn withdraw(&mut self, call: &CallState, why: TaskErrorKind) -> bool {
        let queued = self.queue.remove(&call.number).is_some();
        if queued {
            call.settle(Err((Ran::No, why)));
            self.wake();
        }
        queued
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
