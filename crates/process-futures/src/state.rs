//! What the lock of a pool guards: the crew while nobody has it, and the calls that have not ended.

use crate::manager;
use crate::slot::Slot;
use nix::sys::eventfd::EventFd;
use processes::Call;
use processes::crew::Crew;
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::{JoinHandle, Thread};
use std::time::Instant;

/// One pool's state. Every change to it is one step, made under the lock.
#[derive(Debug)]
pub struct State {
    /// Whoever takes it out pumps. `None` too once the pool is over.
    pub crew: Option<Box<Crew>>,
    /// The manager has taken it, and gives it to any other who wants it.
    pub by_manager: bool,
    /// The manager is to bring it home, though nobody waits.
    pub reclaimed: bool,
    /// Threads that wait for an answer and would pump, but another does. By ticket.
    pub waiting: VecDeque<(u64, Thread)>,
    pub next_ticket: u64,
    /// How often the crew was taken. By this the manager knows that somebody pumps.
    pub turns: u64,
    /// The manager will look within [`manager::GRACE`], without being woken.
    pub on_watch: bool,
    /// Makes whoever pumps come back from its wait. `None` once the pool is over.
    pub kicks: Option<Arc<EventFd>>,
    /// Somebody has written to it.
    pub kicked: bool,
    /// No more calls are taken.
    pub closed: bool,
    /// The crew is gone.
    pub over: bool,
    /// Calls that no worker has, by their numbers.
    pub queue: BTreeMap<u64, (Arc<Slot>, Call)>,
    /// Calls that the crew has, by its own numbers for them.
    pub running: BTreeMap<u64, Arc<Slot>>,
    /// Those of them that have timed out.
    pub given_up: Vec<u64>,
    pub orders: Vec<Order>,
    /// Some worker might have run out of calls when this was last looked at, by who pumps. Where
    /// none does, a call may lie in the queue until an answer comes: it will leave with others.
    pub hungry: bool,
    /// Which function was handed out last. Workers get many calls at a time as long as these are
    /// short, and by that only calls of one function can be judged: a long one of another is not to
    /// wait behind others, nor others behind it.
    pub alike: [u64; 2],
    /// Since when no call has been running.
    pub idle_since: Option<Instant>,
    pub next_number: u64,
    pub handle: Option<JoinHandle<()>>,
}

/// What only the holder of the crew can do, for somebody else.
#[derive(Debug)]
pub enum Order {
    /// Tell the workers' process ids.
    Pids(Sender<Vec<u32>>),
    /// Kill them, and start no others.
    KillWorkers,
}

impl State {
    /// A pool of which nobody has asked anything.
    pub fn new(crew: Crew, kicks: EventFd) -> Self {
        Self {
            crew: Some(Box::new(crew)),
            by_manager: false,
            reclaimed: false,
            waiting: VecDeque::new(),
            next_ticket: 0,
            turns: 0,
            on_watch: false,
            kicks: Some(Arc::new(kicks)),
            kicked: false,
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

    /// Has the manager bring the crew home, for a caller who will pump before long. Two threads
    /// that share a stream of answers wake each other for each of them.
    pub fn reclaim(&mut self) {
        if self.by_manager && !self.reclaimed {
            self.reclaimed = true;
            self.kick();
        }
    }

    /// Whether the manager, with the crew in its hands, is to go on.
    pub fn wants_manager(&self) -> bool {
        self.has_calls() && self.waiting.is_empty() && !self.reclaimed
    }

    /// Makes whoever pumps come back from its wait, and look.
    pub fn kick(&mut self) {
        if let (None, false, Some(kicks)) = (&self.crew, self.kicked, &self.kicks) {
            // It fails only if the counter overflows, and that is never above one.
            self.kicked = kicks.write(1).is_ok();
        }
    }

    /// Gives the crew its orders, and as many calls as it wants.
    pub fn step(&mut self, crew: &mut Crew) {
        for order in self.orders.drain(..) {
            match order {
                Order::Pids(to) => _ = to.send(crew.worker_pids()),
                Order::KillWorkers => crew.kill_workers(),
            }
        }
        for &task in &self.given_up {
            crew.give_up(task);
        }
        if self.idle_since.take_if(|since| since.elapsed() > manager::GRACE).is_some() {
            crew.forget_pace(); // what comes now may be of another size
        }
        while let Some((_, (_, call))) = self.queue.first_key_value() {
            let alike = call.alike();
            if mem::replace(&mut self.alike, alike) != alike {
                crew.forget_pace();
            }
            let mut room = crew.room();
            if room == 0 {
                break;
            }
            while let Some(entry) = self.queue.first_entry().filter(|_| room > 0) {
                if entry.get().1.alike() != alike {
                    break;
                }
                let (slot, call) = entry.remove();
                slot.hand_over();
                self.running.insert(crew.dispatch(call), slot);
                self.idle_since = None;
                room -= 1;
            }
        }
        crew.send();
        self.hungry = crew.is_hungry();
    }

    /// Whether there are calls that have not ended.
    pub fn has_calls(&self) -> bool {
        !self.queue.is_empty() || !self.running.is_empty()
    }

    /// Whether nothing is left to do and nothing will come.
    pub fn is_finished(&self) -> bool {
        self.closed && !self.has_calls() && self.crew.is_some()
    }
}
