//! A map: one function over a stream of items, as far ahead as you allow.

use crate::caller::call::{call, call_each};
use crate::caller::call_state::{CallState, not_ours};
use crate::caller::completions::Completions;
use crate::caller::shared::Shared;
use crate::wire::packet::PacketKind;
use crate::wire::parts::{parts, read_outcome};
use kernel::{Message, Ran, TaskError, TaskErrorKind};
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The options of [`map_with`](crate::ProcessPoolExecutor::map_with). The defaults are Python's:
/// one item in a call, no bound, no limit, answers in the order of the items.
#[derive(Clone, Copy, Debug)]
pub struct MapOptions {
    /// How many items travel in one call. Larger chunks cost less for each item. A worker's death
    /// costs all items of the worker's chunk ([`Ran::Unknown`]); a panic costs only the item that
    /// panicked.
    pub chunksize: NonZeroUsize,
    /// How many calls may be submitted whose answers have not been yielded: the source is read at
    /// most `buffersize` times `chunksize` items ahead of you. With `None`, the source is read to
    /// its end at once, before `map_with` returns. (Python has `buffersize` since 3.14.)
    pub buffersize: Option<NonZeroUsize>,
    /// The time from the call of `map_with` in which all answers have to be there. When the time is
    /// over, calls that no worker has are withdrawn ([`Ran::No`]), workers that run a call are
    /// killed and replaced ([`Ran::Unknown`]), each item of these calls yields `TimedOut`, and the
    /// source is read no further. An answer that came in time is yielded however late you ask. The
    /// limit is checked when you ask for the next answer; no worker is killed before you ask.
    ///
    /// (In Python the iterator raises `TimeoutError` when the time is over, and running tasks go
    /// on.)
    pub timeout: Option<Duration>,
    /// Yields answers in the order in which they come, and not in the order of the items. (Python's
    /// `multiprocessing.Pool` has `imap_unordered` for this.)
    pub unordered: bool,
}

impl Default for MapOptions {
    fn default() -> Self {
        Self { chunksize: NonZeroUsize::MIN, buffersize: None, timeout: None, unordered: false }
    }
}

/// The iterator of [`map_with`](crate::ProcessPoolExecutor::map_with): an answer or an error for
/// each item that was read from the source. An error's index is the item's index, counted from 0.
///
/// The source is read on the thread that asks for the answers. Dropping the iterator cancels its
/// calls that no worker has, also if the iterator was never asked for an answer. (Python's iterator
/// cancels nothing before it is asked for its first answer, because a generator's `finally` is not
/// run if the generator has not begun. Here one rule is enough: no call waits for an iterator that
/// is gone.) To run calls without their answers, [`submit`](crate::ProcessPoolExecutor::submit)
/// them.
///
/// In a fork of the program that made the pool, each item whose answer had not come before the fork
/// yields `Broken`, and the program's own iterator still yields all answers.
///
/// No lock guards the fields: the thread that asks for the answers owns the iterator.
#[must_use = "dropping it cancels the calls that no worker has"]
pub struct Map<A, R, I> {
    shared: Arc<Shared>,
    task: fn(A) -> R,
    /// The source. `None` when the source is read to its end, or will not be read further.
    source: Option<I>,
    options: MapOptions,
    deadline: Option<Instant>,
    /// Calls whose answers have not been yielded, by the place of their first item in the source.
    calls: BTreeMap<usize, Chunk>,
    completions: Arc<Completions>,
    /// How many items have been read, and in how many chunks.
    read: (usize, usize),
    /// The answers of one chunk, to be yielded next.
    answers: VecDeque<(usize, Result<R, TaskError>)>,
}

/// The items of one call.
struct Chunk {
    call: Arc<CallState>,
    first: usize,
    length: usize,
    /// The items that are not in the call, because they could not be written down. (Empty for a call
    /// of one item.)
    unwritten: Vec<Option<TaskErrorKind>>,
}

impl<A: Message, R: Message, I: Iterator<Item = A>> Map<A, R, I> {
    pub(crate) fn new(
        shared: Arc<Shared>,
        task: fn(A) -> R,
        source: I,
        options: MapOptions,
    ) -> Self {
        let mut map = Self {
            shared,
            task,
            source: Some(source),
            options,
            deadline: options.timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
            calls: BTreeMap::new(),
            completions: Completions::new(),
            read: (0, 0),
            answers: VecDeque::new(),
        };
        map.fill();
        map
    }

    /// Reads the source and submits calls, as far as the options allow.
    ///
    /// A large buffer is filled again when an eighth of it is empty: calls that leave together cost
    /// one system call, and wake their worker once. If the source is slow, the manager sends the
    /// calls that were made so far.
    fn fill(&mut self) {
        let most = self.options.buffersize.map_or(usize::MAX, NonZeroUsize::get);
        let eighth = if most / 8 >= self.shared.workers.get() { most / 8 } else { 1 };
        if self.calls.len() > most - eighth || self.source.is_none() {
            return;
        }
        while self.source.is_some() && self.calls.len() < most {
            self.read_one();
        }
        if let Some(mut state) = self.shared.lock_if_ours() {
            state.reclaim();
            self.shared.see_to(&mut state);
        }
    }

    /// Reads one chunk from the source and submits it.
    fn read_one(&mut self) {
        let Some(source) = &mut self.source else { return };
        let size = self.options.chunksize.get();
        let (first, number) = self.read;
        let ((call, unwritten), length) = if size == 1 {
            let Some(item) = source.next() else { return self.source = None };
            ((call(self.task, &item), Vec::new()), 1)
        } else {
            let items: Vec<A> = source.take(size).collect();
            if items.is_empty() {
                return self.source = None;
            }
            (call_each(self.task, &items), items.len())
        };
        self.read = (first + length, number + 1);
        let call = self.shared.submit(call, Some(first), Some((&self.completions, number)));
        self.calls.insert(number, Chunk { call, first, length, unwritten });
    }

    /// The next answer, with its item's index.
    pub(crate) fn next_with_index(&mut self) -> Option<(usize, Result<R, TaskError>)> {
        // A chunk counts against the buffer until its last answer is yielded.
        if self.answers.is_empty() {
            self.fill();
            let number = self.await_one()?;
            let chunk = self.calls.remove(&number)?;
            if self.options.chunksize == NonZeroUsize::MIN {
                return Some((chunk.first, chunk.call.read()));
            }
            self.answers = chunk.read();
        }
        self.answers.pop_front()
    }

    /// Waits for the call whose turn it is, and returns its number. `None` if no call is left.
    fn await_one(&mut self) -> Option<usize> {
        let (&first, chunk) = self.calls.first_key_value()?;
        if !self.shared.is_ours() {
            // In a fork of the program the calls that have not ended never will, and the lock of
            // the completions may be held for ever. So each call is read as it is, in order.
            return Some(first);
        }
        let (completions, unordered) = (&self.completions, self.options.unordered);
        let ready = || {
            if unordered {
                return !completions.is_empty();
            }
            completions.clear();
            chunk.call.is_done()
        };
        let in_time = ready() || {
            completions.read_here();
            self.shared.wait_until(self.deadline, ready)
        };
        if !in_time {
            self.source = None;
            // Go from the last call to the first, so that no later call takes the place of a
            // withdrawn call at a worker.
            self.shared.time_out(self.calls.values().rev().map(|chunk| &chunk.call));
        }
        if unordered { completions.take() } else { Some(first) }
    }
}

impl Chunk {
    /// The outcome of each item.
    fn read<R: Message>(self) -> VecDeque<(usize, Result<R, TaskError>)> {
        let missing = TaskErrorKind::NotDeserialised("its part of the answer".to_owned());
        // The answer, and the failure of each item that has no part in it.
        let (answer, failure) = match self.call.outcome() {
            Some(Ok(answer)) if answer.header.kind == PacketKind::Answer => {
                (Some(answer), (Ran::Unknown, missing))
            }
            Some(Ok(answer)) => (None, answer.failure()),
            Some(Err(failure)) => (None, failure.clone()),
            None => (None, (Ran::Unknown, not_ours())), // only in a fork of the program
        };
        let mut outcomes = answer.into_iter().flat_map(|answer| parts(&answer.bytes));
        let mut unwritten = self.unwritten.into_iter();
        let outcome = |index| {
            let outcome = match unwritten.next().flatten() {
                Some(kind) => Err((Ran::No, kind)),
                None => outcomes.next().map_or_else(|| Err(failure.clone()), read_outcome),
            };
            (index, outcome.map_err(|(ran, kind)| TaskError::new(index, ran, kind)))
        };
        (self.first..self.first + self.length).map(outcome).collect()
    }
}

impl<A: Message, R: Message, I: Iterator<Item = A>> Iterator for Map<A, R, I> {
    type Item = Result<R, TaskError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.next_with_index().map(|(_, answer)| answer)
    }
}

impl<A, R, I> Drop for Map<A, R, I> {
    fn drop(&mut self) {
        // Go from the last call to the first, for the same reason as in `await_one`.
        self.shared.cancel(self.calls.values().rev().map(|chunk| &chunk.call));
    }
}

impl<A, R, I> fmt::Debug for Map<A, R, I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Map({} items read, {} calls not yielded)", self.read.0, self.calls.len())
    }
}
