//! Stage 2: scoped threads, started for one call and joined before it returns.
//!
//! [`std::thread::scope`] promises that no thread outlives the call. That promise is what lets a
//! task borrow from its caller ([`Threads::map_closure`]), with nothing but the standard library.
//!
//! [`Split`] decides which thread runs which item. Chunks are assigned before their cost is known;
//! a queue gives the next item to a thread that is free.

#![forbid(unsafe_code)]

use kernel::{Executor, Message, TaskError, catch_panic};
use std::num::NonZeroUsize;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How items are assigned to threads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Split {
    /// Contiguous chunks of `items / workers`, rounded up: what `chunks(n.div_ceil(workers))`
    /// gives, and what most programs do first. With ten items and four workers the chunks are 3, 3,
    /// 3 and 1; with ten items and nine workers, four workers get nothing at all.
    CeilChunks,
    /// Contiguous chunks whose sizes differ by one at most: 3, 3, 2 and 2.
    BalancedChunks,
    /// One queue: a worker that is free takes the next item.
    #[default]
    Queue,
}

/// Runs items on threads that live for one call.
#[derive(Clone, Copy, Debug)]
pub struct Threads {
    workers: NonZeroUsize,
    split: Split,
}

/// An item or an answer, with the item's index.
type Numbered<T> = (usize, T);

impl Threads {
    /// An executor with this many threads for each call, fed from a queue. The threads start with
    /// the call, not here.
    pub fn new(workers: NonZeroUsize) -> Self {
        Self::with_split(workers, Split::Queue)
    }

    /// An executor with this many threads for each call, with the items assigned as `split` says.
    pub fn with_split(workers: NonZeroUsize, split: Split) -> Self {
        Self { workers, split }
    }

    /// `map` for any closure, on borrowed items. The closure may capture references to anything
    /// that outlives the call, because the threads end before the call does.
    ///
    /// The queue is one atomic counter here: the items stay where they are, and a worker only has
    /// to take an index. (This method always uses the queue, whatever the executor's split.)
    ///
    /// ```
    /// # use {std::num::NonZeroUsize, threads::Threads};
    /// let factor = 3; // borrowed by the closure, on two threads
    /// let items = [1, 2, 3];
    /// let answers = Threads::new(NonZeroUsize::new(2).unwrap()).map_closure(|n| n * factor, &items);
    /// assert_eq!(answers, [3, 6, 9]);
    /// ```
    ///
    /// # Panics
    /// If the closure panics, once every thread has ended, with the closure's own panic; also if
    /// the system refuses a thread.
    // ANCHOR: map_closure
    pub fn map_closure<'items, A, R, F>(&self, task: F, items: &'items [A]) -> Vec<R>
    where
        A: Sync,
        R: Send,
        F: Fn(&'items A) -> R + Sync,
    {
        let next = AtomicUsize::new(0);
        let answers = self.on_every_thread(|| {
            let mut mine = Vec::new();
            // Relaxed: the counter assigns an item to a thread, and publishes no other data. The
            // items were there before the threads started, and joining the threads publishes the
            // answers.
            while let Some((index, item)) = {
                let index = next.fetch_add(1, Relaxed);
                items.get(index).map(|item| (index, item))
            } {
                mine.push((index, task(item)));
            }
            mine
        });
        in_order(answers)
    }
    // ANCHOR_END: map_closure

    /// Runs the same closure on every thread, and gathers what each thread returns.
    fn on_every_thread<R: Send>(&self, work: impl Fn() -> Vec<R> + Sync) -> Vec<R> {
        thread::scope(|scope| {
            let work = &work;
            let threads: Vec<_> = (0..self.workers.get()).map(|_| scope.spawn(work)).collect();
            let gather = |thread: thread::ScopedJoinHandle<'_, Vec<R>>| {
                // A panic continues in the caller, as it would without threads.
                thread.join().unwrap_or_else(|panic| resume_unwind(panic))
            };
            threads.into_iter().flat_map(gather).collect()
        })
    }

    // ANCHOR: queue
    fn queue<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Numbered<Result<R, TaskError>>> {
        // An item moves to the thread that takes it, and only one thread at a time can move the
        // next item out: hence a mutex, held while taking and not while working.
        let queue = Mutex::new(items.into_iter().enumerate());
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.on_every_thread(|| {
            let mut mine = Vec::new();
            while let Some((index, item)) = take() {
                mine.push((index, catch_panic(index, task, item)));
            }
            mine
        })
    }
    // ANCHOR_END: queue

    // ANCHOR: chunks
    fn chunks<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
        sizes: impl Iterator<Item = usize>,
    ) -> Vec<Numbered<Result<R, TaskError>>> {
        let mut items = items.into_iter().enumerate();
        thread::scope(|scope| {
            let threads: Vec<_> = sizes
                .map(|size| {
                    let chunk: Vec<_> = items.by_ref().take(size).collect();
                    scope.spawn(move || {
                        let run = |(index, item)| (index, catch_panic(index, task, item));
                        chunk.into_iter().map(run).collect::<Vec<_>>()
                    })
                })
                .collect();
            threads
                .into_iter()
                .flat_map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)))
                .collect()
        })
    }
    // ANCHOR_END: chunks
}

impl Executor for Threads {
    fn map_each<A: Message, R: Message>(
        &self,
        task: fn(A) -> R,
        items: Vec<A>,
    ) -> Vec<Result<R, TaskError>> {
        let (count, workers) = (items.len(), self.workers.get());
        let answers = match self.split {
            Split::Queue => self.queue(task, items),
            Split::CeilChunks => {
                let size = count.div_ceil(workers);
                // Every worker gets a thread, also a worker for which no item is left.
                let sizes = (0..workers).map(|_| size);
                self.chunks(task, items, sizes)
            }
            Split::BalancedChunks => {
                let sizes =
                    (0..workers).map(|w| count / workers + usize::from(w < count % workers));
                self.chunks(task, items, sizes)
            }
        };
        in_order(answers)
    }

    fn workers(&self) -> NonZeroUsize {
        self.workers
    }
}

/// Sorts the answers by item: threads finish in any order.
fn in_order<R>(mut answers: Vec<Numbered<R>>) -> Vec<R> {
    answers.sort_unstable_by_key(|&(index, _)| index);
    answers.into_iter().map(|(_, answer)| answer).collect()
}
