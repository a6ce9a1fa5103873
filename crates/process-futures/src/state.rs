//! What a pool's threads share: the crew while nobody has it, and the calls that have not ended.
//!
//! Every change is made under one lock, which is held for nothing of the caller's (no
//! serialisation, no task, no iterator) and never while somebody waits for an answer.

use crate::mailbox::Mailbox;
use crate::manager;
use crate::slot::Slot;
use kernel::{Ran, TaskErrorKind};
use nix::sys::eventfd::EventFd;
use processes::crew::{Crew, Event};
use processes::{Call, ForkServer};
use std::collections::{BTreeMap, VecDeque};
use std::mem;
use std::num::NonZeroUsize;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, Thread};
use std::time::Instant;

/// One pool, as its handle, its futures and its manager see it.
#[derive(Debug)]
pub struct Shared {
    state: Mutex<State>,
    /// Wakes the manager.
    pub manager: Condvar,
    /// Wakes whoever waits for the pool's end.
    over: Condvar,
    pub server: &'static ForkServer,
    pub workers: NonZeroUsize,
    /// The process that made the pool. In a fork of it no thread pumps and a lock may be held by a
    /// thread that is not there, so every way in asks this first.
    owner: u32,
}

/// What the lock guards.
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
    kicked: bool,
    /// No more calls are taken.
    closed: bool,
    /// The crew is gone.
    over: bool,
    /// Calls that no worker has, by their numbers.
    queue: BTreeMap<u64, (Arc<Slot>, Call)>,
    /// Calls that the crew has, by its own numbers for them.
    running: BTreeMap<u64, Arc<Slot>>,
    /// Those of them that have timed out.
    given_up: Vec<u64>,
    orders: Vec<Order>,
    /// Some worker might have run out of calls when this was last looked at, by who pumps. Where
    /// none does, a call may lie in the queue until an answer comes: it will leave with others.
    hungry: bool,
    /// Which function was handed out last. Workers get many calls at a time as long as these are
    /// short, and by that only calls of one function can be judged: a long one of another is not to
    /// wait behind others, nor others behind it.
    alike: [u64; 2],
    /// Since when no call has been running.
    idle_since: Option<Instant>,
    next_number: u64,
    handle: Option<JoinHandle<()>>,
}

/// What only the holder of the crew can do, for somebody else.
#[derive(Debug)]
pub enum Order {
    /// Tell the workers' process ids.
    Pids(Sender<Vec<u32>>),
    /// Kill them, and start no others.
    KillWorkers,
}

impl Shared {
    pub fn new(crew: Crew, kicks: EventFd) -> Arc<Self> {
        let (server, workers) = (crew.server(), crew.workers());
        let state = State {
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
        };
        Arc::new(Self {
            state: Mutex::new(state),
            manager: Condvar::new(),
            over: Condvar::new(),
            server,
            workers,
            owner: std::process::id(),
        })
    }

    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether this process may use the pool, and not a fork of the one that may.
    pub fn is_ours(&self) -> bool {
        self.owner == std::process::id()
    }

    /// Takes a call over. What could not be made a call, or comes too late, has ended at once.
    ///
    /// `item` is its number for an error, if it is not the call's own; the mailbox is told of its
    /// end. A call with a mailbox is one of several: [`Shared::see_to`] is for the caller to say,
    /// and if that takes its time, the manager comes first.
    pub fn submit(
        self: &Arc<Self>,
        call: Result<Call, TaskErrorKind>,
        item: Option<usize>,
        watcher: Option<(&Arc<Mailbox>, usize)>,
    ) -> Arc<Slot> {
        if !self.is_ours() {
            let slot = Slot::new(0, item.unwrap_or(0));
            slot.settle(Err((Ran::No, not_ours())));
            watcher.inspect(|(mailbox, number)| slot.watch(mailbox, *number));
            return slot;
        }
        let mut state = self.lock();
        let number = state.next_number;
        state.next_number += 1;
        let slot = Slot::new(number, item.unwrap_or(number as usize));
        watcher.inspect(|(mailbox, number)| slot.watch(mailbox, *number));
        match call.and_then(|call| self.open(&mut state).map(|()| call)) {
            Ok(call) => {
                state.queue.insert(number, (Arc::clone(&slot), call));
                match watcher {
                    Some(_) => self.pass_on(&mut state),
                    None => self.see_to(&mut state),
                }
            }
            Err(kind) => _ = slot.settle(Err((Ran::No, kind))),
        }
        slot
    }

    /// Whether calls are taken. Sees to it that there is a manager for them.
    fn open(self: &Arc<Self>, state: &mut State) -> Result<(), TaskErrorKind> {
        if state.closed {
            return Err(TaskErrorKind::Broken("it was shut down before this call came".to_owned()));
        }
        if state.handle.is_none() {
            let shared = Arc::clone(self);
            let thread = thread::Builder::new().name("process-futures".to_owned());
            let handle = thread.spawn(move || manager::run(&shared)).map_err(|error| {
                TaskErrorKind::Broken(format!("its manager thread cannot start: {error}"))
            })?;
            state.handle = Some(handle);
        }
        Ok(())
    }

    /// Has new calls and orders seen to: here and now if nobody pumps, else by who does.
    pub fn see_to(&self, state: &mut State) {
        let urgent = !state.orders.is_empty() || !state.given_up.is_empty();
        match state.crew.take() {
            Some(mut crew) => {
                if urgent || !state.queue.is_empty() && crew.is_hungry() {
                    state.step(&mut crew);
                }
                state.crew = Some(crew);
                self.pass_on(state);
            }
            // If nobody is hungry now, somebody is after some answer, and that is news by itself.
            None if urgent || state.hungry => state.kick(),
            None => {}
        }
    }

    /// Takes note of what has happened, as the one who pumps.
    pub fn note(&self, state: &mut State, events: Vec<Event>) {
        if let (true, Some(kicks)) = (mem::take(&mut state.kicked), &state.kicks) {
            let _ = kicks.read();
        }
        for event in events {
            if let Some(slot) = state.running.remove(&event.task) {
                state.given_up.retain(|&task| task != event.task);
                slot.settle(event.outcome);
            }
        }
        if state.running.is_empty() {
            state.idle_since.get_or_insert_with(Instant::now);
        }
    }

    /// The crew has come home: wakes who takes it next, if anybody must.
    ///
    /// A thread that waits comes first. Who has been woken and has, in the meantime, got what it
    /// waited for, passes on in its turn: a wake-up is never lost on somebody who does not need it.
    pub fn pass_on(&self, state: &mut State) {
        if state.crew.is_none() {
            return;
        }
        if let Some((_, thread)) = state.waiting.front() {
            thread.unpark();
        } else if (state.has_calls() || state.closed) && !state.on_watch {
            state.on_watch = true;
            self.manager.notify_one();
        }
    }

    /// Cancels a call that no worker has. Says whether it is cancelled.
    pub fn cancel(&self, slot: &Slot) -> bool {
        if !slot.is_done() && self.is_ours() {
            let mut state = self.lock();
            if state.queue.remove(&slot.number).is_some() {
                slot.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
                state.kick();
            }
        }
        slot.is_cancelled()
    }

    /// The call's time is over, unless it has ended: it is taken back or its worker is killed.
    pub fn time_out(&self, slot: &Arc<Slot>) {
        let mut state = self.lock();
        if slot.is_done() {
            return;
        }
        let is_it = |(_, other): &(&u64, &Arc<Slot>)| Arc::ptr_eq(other, slot);
        if state.queue.remove(&slot.number).is_some() {
            slot.settle(Err((Ran::No, TaskErrorKind::TimedOut)));
            state.kick();
        } else if let Some((&task, _)) = state.running.iter().find(is_it) {
            // It stays among the running ones until its worker is dead and replaced.
            slot.settle(Err((Ran::Unknown, TaskErrorKind::TimedOut)));
            state.given_up.push(task);
            self.see_to(&mut state);
        }
    }

    /// Takes no more calls. Those that no worker has are cancelled, if asked for, and the workers
    /// are killed, if asked for.
    pub fn close(&self, cancel: bool, kill: bool) {
        let mut state = self.lock();
        if state.over {
            return;
        }
        state.closed = true;
        if cancel {
            for (slot, _) in mem::take(&mut state.queue).into_values() {
                slot.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
            }
        }
        if kill {
            state.orders.push(Order::KillWorkers);
            self.see_to(&mut state);
        }
        if state.handle.is_some() {
            state.on_watch = true;
            self.manager.notify_one();
            state.kick();
        } else {
            // Nobody has submitted anything, so nobody waits or pumps either.
            let Some(crew) = state.crew.take() else { return };
            drop(state);
            drop(crew);
            self.is_over_now();
        }
    }

    /// Waits until a closed pool has run its calls and its workers are gone.
    pub fn join(&self) {
        let mut state = self.lock();
        while !state.over {
            state = self.over.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let handle = state.handle.take();
        drop(state);
        // A panic of the manager would have been printed, and leaves nothing to do here.
        handle.map(JoinHandle::join);
    }

    /// The crew is gone, and all calls have ended.
    pub fn is_over_now(&self) {
        let mut state = self.lock();
        state.over = true;
        state.kicks = None;
        state.orders.clear(); // who asked for something gets no answer, and knows it
        self.over.notify_all();
    }

    /// Gives an order to whoever has the crew. Says whether there is one.
    pub fn order(&self, order: Order) -> bool {
        let mut state = self.lock();
        if state.over {
            return false;
        }
        state.orders.push(order);
        self.see_to(&mut state);
        true
    }
}

impl State {
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

/// The error in a fork of the program.
pub fn not_ours() -> TaskErrorKind {
    TaskErrorKind::Broken("it belongs to another process, of which this is a fork".to_owned())
}
