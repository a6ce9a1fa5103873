//! The orders of a pool for keeps to its core: run an initializer, keep limits, give calls up, end
//! at once.

use crate::caller::core::{Event, PoolCore};
use crate::caller::limits::INITIALIZER;
use crate::caller::worker_handle::WorkerHandle;
use crate::wire::packet::Packet;
use kernel::{Ran, TaskErrorKind};
use std::num::NonZeroUsize;

impl PoolCore {
    /// Has every worker run this call before any other: the present workers, and the workers that
    /// replace them. If the initializer fails, the pool is broken, because workers without it would
    /// give wrong answers.
    ///
    /// Call this before the first call is dispatched.
    pub fn initialize(&mut self, mut call: Packet) {
        call.set_task(INITIALIZER);
        for worker in self.workers.iter_mut().flatten() {
            worker.give_first(&call);
        }
        self.limits.initializer = Some(call);
    }

    /// Lets each worker, also the present workers, have this many calls, and replaces the worker
    /// then. Call this before the first call is dispatched.
    pub fn limit_calls(&mut self, calls_per_worker: NonZeroUsize) {
        let calls_per_worker = calls_per_worker.get();
        self.limits.calls_per_worker = calls_per_worker;
        for worker in self.workers.iter_mut().flatten() {
            worker.left = calls_per_worker;
        }
    }

    /// Lets this many workers die, with no answer from any worker between, before the pool gives
    /// up. With 0, the first death breaks the pool.
    pub fn limit_deaths(&mut self, most_deaths: usize) {
        self.limits.most_deaths = most_deaths;
    }

    /// Gives a call up. If the call waits, it is taken back. If a worker runs the call, that worker
    /// is killed and replaced, and its death is not counted. If a worker has the call behind
    /// another call, nothing happens, because a kill would cost the other call. So repeat this
    /// after each poll until the call's event has come.
    pub fn give_up(&mut self, task: u64) {
        if let Some(at) = self.queue.iter().position(|call| call.header.task == task) {
            self.queue.remove(at);
            let outcome = Err((Ran::No, TaskErrorKind::Cancelled));
            self.events.push(Event { task, outcome });
        }
        let is_it = |worker: &Option<WorkerHandle>| {
            worker.as_ref().is_some_and(|it| it.first() == Some(task) && !it.dismissed)
        };
        if let Some(at) = self.workers.iter().position(is_it) {
            self.workers[at].as_mut().expect("it is there").dismissed = true;
            self.kill(at, "the pool killed it, because its call was given up");
        }
    }

    /// Kills all workers and starts no others. Running calls end in the death of their worker,
    /// waiting calls in [`TaskErrorKind::Broken`].
    pub fn kill_workers(&mut self) {
        self.broken.get_or_insert_with(|| "its workers were killed".to_owned());
        for at in 0..self.workers.len() {
            self.kill(at, "the program had the pool's workers killed");
        }
        // A worker that leaves may hang on its way out.
        for &number in &self.leaving {
            let _ = self.channel.as_ref().map(|channel| channel.kill(number));
        }
    }
}
