//! Stage 2: scoped threads, started for one call and joined before it returns.
//!
//! [`std::thread::scope`] promises that no thread outlives the call. That promise is what lets a
//! task borrow from its caller ([`Threads::map_closure`]), with nothing but the standard library.
//!
//! [`Split`] decides which thread runs which item. Chunks are assigned before their cost is known;
//! a queue gives the next item to a thread that is free.
//!
//! A call starts no more threads than it has items. If the system refuses a thread, the call goes
//! on with the threads that started, and the caller's thread does the missing thread's part: a
//! refusal costs time, and no answer.

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
    stack_size: Option<usize>,
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
        Self { workers, split, stack_size: None }
    }

    /// The same executor, with this many bytes of stack for each thread. The system rounds the
    /// number up to whole pages, and uses memory only for the pages that a thread touches.
    ///
    /// The default is 2 MiB, or the number of bytes in the environment variable `RUST_MIN_STACK`.
    /// A program's main thread usually has 8 MiB, so a deep recursion that works in a loop may
    /// need this setting on threads: a thread that runs out of its stack ends the whole program.
    ///
    /// ```
    /// # use {kernel::Executor, std::num::NonZeroUsize, threads::Threads};
    /// let threads = Threads::new(NonZeroUsize::new(2).unwrap()).with_stack_size(16 << 20);
    /// assert_eq!(threads.map(|n: u64| n + 1, vec![1, 2])?, [2, 3]);
    /// # Ok::<(), kernel::TaskError>(())
    /// ```
    pub fn with_stack_size(self, bytes: usize) -> Self {
        Self { stack_size: Some(bytes), ..self }
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
    /// If the closure panics, once every thread has ended, with the closure's own panic.
    // ANCHOR: map_closure
    pub fn map_closure<'items, A, R, F>(&self, task: F, items: &'items [A]) -> Vec<R>
    where
        A: Sync,
        R: Send,
        F: Fn(&'items A) -> R + Sync,
    {
        let next = AtomicUsize::new(0);
        let answers = self.on_threads(items.len(), || {
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

    /// Runs the same closure on each thread, and gathers what each returns. More threads than parts
    /// would find nothing to do, so there are at most as many as `parts`.
    fn on_threads<R: Send>(&self, parts: usize, work: impl Fn() -> Vec<R> + Sync) -> Vec<R> {
        let wanted = self.workers.get().min(parts);
        thread::scope(|scope| {
            let start = || {
                let mut thread = thread::Builder::new();
                if let Some(bytes) = self.stack_size {
                    thread = thread.stack_size(bytes);
                }
                thread.spawn_scoped(scope, &work)
            };
            // The first refusal is the last attempt: a system that is short of threads does not
            // get a thousand more requests.
            let threads: Vec<_> = (0..wanted).map_while(|_| start().ok()).collect();
            // The caller works in place of each thread that is missing, so every part is done, and
            // there are still no more workers than wanted.
            let missing = threads.len()..wanted;
            let mut answers: Vec<R> = missing.flat_map(|_| work()).collect();
            for thread in threads {
                // A panic continues in the caller, as it would without threads.
                answers.extend(thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            }
            answers
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
        let count = items.len();
        let queue = Mutex::new(items.into_iter().enumerate());
        let take = || queue.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.on_threads(count, || {
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
        let chunks: Vec<Vec<_>> = sizes
            .map(|size| items.by_ref().take(size).collect())
            .take_while(|chunk: &Vec<_>| !chunk.is_empty())
            .collect();
        let count = chunks.len();
        // A thread takes one chunk and no second, also if it is done early. The chunks stay here
        // until they are taken: a chunk that was moved into its thread's closure would be lost if
        // the system refused that thread.
        let chunks = Mutex::new(chunks.into_iter());
        let take = || chunks.lock().unwrap_or_else(PoisonError::into_inner).next();
        self.on_threads(count, || {
            let chunk = take().unwrap_or_default();
            chunk.into_iter().map(|(index, item)| (index, catch_panic(index, task, item))).collect()
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
                // With few items, the last workers' chunks are empty, and need no thread.
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
