//! The way out of Python: the kernel as a native module.
//!
//! A Python thread that runs Python code holds the interpreter lock. Native code does not need the
//! lock, and may release it for as long as the code touches no Python object. One call, `detach`,
//! releases the lock; that call is the whole difference between [`gcd`] and [`gcd_holding_lock`].
//!
//! All three functions have the same shape: read the arguments while holding the lock, compute
//! without the lock, build the answer while holding the lock again. The compiler checks the border:
//! no Python object may cross into `detach`, and a [`Pair`] is two numbers.
//!
//! No line here is `unsafe`. The unsafe calls to C are inside pyo3, behind safe types.

#![forbid(unsafe_code)]

use kernel::Pair;
use pyo3::exceptions::{PyOverflowError, PyRuntimeError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBool, PyInt};
use rayon::prelude::*;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// The kernel of One Change as a native module: a greatest common divisor that counts down,
/// slow on purpose, with the interpreter lock released and, to compare, held.
#[pymodule]
mod one_change {
    #[pymodule_export]
    use super::{gcd, gcd_holding_lock, gcd_many};
}

// ANCHOR: gcd
/// The greatest common divisor of two positive whole numbers, with the interpreter lock released.
///
/// Other Python threads run meanwhile. gcd counts down from the smaller number, one division a
/// step. A running countdown does not stop for Ctrl-C; gcd_many does.
///
/// Raises TypeError for what is not a whole number (a bool included), ValueError for zero and
/// negative numbers, OverflowError for numbers past 64 bits.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn gcd(py: Python<'_>, a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<u64> {
    let pair = pair(a, b)?;
    Ok(py.detach(|| kernel::gcd(pair)))
}
// ANCHOR_END: gcd

// ANCHOR: gcd_holding_lock
/// The same as gcd, without letting go of the interpreter lock: no other Python thread runs until
/// the function returns. The function is here to be compared with gcd.
///
/// On a free-threaded Python there is no such lock, and both functions are alike.
#[pyfunction]
#[pyo3(signature = (a, b, /))]
fn gcd_holding_lock(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<u64> {
    let pair = pair(a, b)?;
    Ok(kernel::gcd(pair))
}
// ANCHOR_END: gcd_holding_lock

/// The most threads that one call may ask for: the limit of `--workers` in the lessons.
const MOST_WORKERS: u64 = 1024;

/// The greatest common divisor of each pair, in the order of the pairs, on this many native
/// threads, with the interpreter lock released.
///
/// Any iterable of pairs will do, and it is read to its end before the first pair is computed. One
/// bad pair raises its error, with a note that says which, and nothing is computed.
///
/// Ctrl-C raises KeyboardInterrupt at once. Pairs that have not begun are then left out; those that
/// have begun end in the background, unseen, since a running countdown cannot be stopped.
///
/// Raises for the numbers what gcd raises; for workers, TypeError if it is not a whole number and
/// ValueError if it is not from 1 to 1024; RuntimeError if the system refuses a thread.
#[pyfunction]
#[pyo3(signature = (pairs, workers))]
fn gcd_many(
    py: Python<'_>,
    pairs: &Bound<'_, PyAny>,
    workers: &Bound<'_, PyAny>,
) -> PyResult<Vec<u64>> {
    // Check `workers` before the pairs are read: a generator can be read only once.
    let workers = worker_count(workers)?;
    let pairs = read_pairs(pairs)?;
    py.detach(|| {
        let pool = Pool::start(workers).map_err(|error| {
            PyRuntimeError::new_err(format!("can't start {workers} threads: {error}"))
        })?;
        let answers = run(&pool.rayon, pairs)?;
        pool.end();
        Ok(answers)
    })
}

/// Rayon's threads, for one call alone. A pool kept for the next call would be a trap: a process
/// that is forked in between has the pool without its threads, and waits for ever.
struct Pool {
    rayon: ThreadPool,
    threads: Vec<JoinHandle<()>>,
}

impl Pool {
    fn start(workers: usize) -> Result<Self, ThreadPoolBuildError> {
        let mut threads = Vec::with_capacity(workers);
        let rayon = ThreadPoolBuilder::new()
            .num_threads(workers)
            .spawn_handler(|thread| {
                threads.push(thread::Builder::new().spawn(|| thread.run())?);
                Ok(())
            })
            .build();
        match rayon {
            Ok(rayon) => Ok(Self { rayon, threads }),
            Err(error) => {
                join(threads); // those that did start have been told to end
                Err(error)
            }
        }
    }

    /// Waits for the threads to end. (Rayon by itself tells its threads to end and does not wait,
    /// and Python warns a program that forks beside threads, also beside threads that are about to
    /// end.)
    fn end(self) {
        drop(self.rayon);
        join(self.threads);
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        thread.join().expect("rayon's own loop does not panic");
    }
}

/// How often a long call looks for Ctrl-C. Nobody notices a tenth of a second, and taking the lock
/// ten times a second costs the other threads nothing.
const TICK: Duration = Duration::from_millis(100);

/// Computes the pairs on the pool, and meanwhile looks for signals. The caller must not hold the
/// lock.
fn run(pool: &ThreadPool, pairs: Vec<Pair>) -> PyResult<Vec<u64>> {
    let stop = Arc::new(AtomicBool::new(false));
    let (sender, receiver) = mpsc::channel();
    // Use `spawn` and not `install`: `install` would block the thread that must look for signals.
    pool.spawn({
        let stop = Arc::clone(&stop);
        move || {
            // Split down to single items (`with_max_len(1)`): rayon's own pieces are a matter of
            // luck with few and uneven items (lesson 5), and small pieces end sooner after Ctrl-C.
            let answers: Option<Vec<u64>> = pairs
                .into_par_iter()
                .with_max_len(1)
                .map(|pair| (!stop.load(Relaxed)).then(|| kernel::gcd(pair)))
                .collect();
            // After Ctrl-C the receiver is gone.
            let _ = sender.send(answers);
        }
    });
    let answers = wait(&receiver).inspect_err(|_| stop.store(true, Relaxed))?;
    Ok(answers.expect("a call that was not stopped has every answer"))
}

/// Waits for the answers, and ends early with the exception of a signal handler, such as
/// KeyboardInterrupt. (Python runs signal handlers on its main thread alone: on any other thread
/// this check finds nothing, as everywhere in Python.)
fn wait<T>(answers: &Receiver<T>) -> PyResult<T> {
    loop {
        match answers.recv_timeout(TICK) {
            Ok(answers) => return Ok(answers),
            Err(RecvTimeoutError::Timeout) => Python::attach(|py| py.check_signals())?,
            Err(RecvTimeoutError::Disconnected) => unreachable!("rayon aborts if the task panics"),
        }
    }
}

/// Unpacks every item as `a, b = item` would.
fn read_pairs(pairs: &Bound<'_, PyAny>) -> PyResult<Vec<Pair>> {
    let mut read = Vec::new();
    for (index, item) in pairs.try_iter()?.enumerate() {
        let item = item?; // what a generator raises is the generator's own
        let pair = read_pair(&item).inspect_err(|error| {
            // The error keeps its type and its text, also if it came from a number's own
            // `__index__`; the note below the error says which pair. If the note fails, the error
            // stands.
            let _ = error.add_note(item.py(), format!("in pairs[{index}]"));
        })?;
        read.push(pair);
    }
    Ok(read)
}

fn read_pair(item: &Bound<'_, PyAny>) -> PyResult<Pair> {
    // A third number is enough to know that the item is no pair, so an endless iterator is refused
    // too.
    let numbers: Vec<Bound<'_, PyAny>> = item.try_iter()?.take(3).collect::<PyResult<_>>()?;
    match &numbers[..] {
        [a, b] => pair(a, b),
        [] | [_] => Err(PyValueError::new_err(format!(
            "not enough numbers for a pair (expected 2, got {})",
            numbers.len()
        ))),
        _ => Err(PyValueError::new_err("too many numbers for a pair (expected 2)")),
    }
}

/// Makes the kernel's pair from Python's numbers: every wrong argument is refused here.
fn pair(a: &Bound<'_, PyAny>, b: &Bound<'_, PyAny>) -> PyResult<Pair> {
    let (a, b) = (number("a", a)?, number("b", b)?);
    Pair::new(a, b).map_err(|error| PyValueError::new_err(error.to_string()))
}

/// A whole number from 0 to 2^64 - 1.
fn number(name: &str, object: &Bound<'_, PyAny>) -> PyResult<u64> {
    let number = whole(name, object)?;
    // Split C's one error into two: a number below the range is a wrong value, a number above it is
    // one that this module cannot hold. The number is not quoted, because it may have a million
    // digits.
    number.extract().map_err(|_| match number.lt(0) {
        Ok(true) => {
            PyValueError::new_err(format!("{name} is negative; a pair needs positive numbers"))
        }
        _ => PyOverflowError::new_err(format!("{name} does not fit in 64 bits")),
    })
}

fn worker_count(object: &Bound<'_, PyAny>) -> PyResult<usize> {
    match whole("workers", object)?.extract() {
        Ok(count @ 1..=MOST_WORKERS) => Ok(count as usize),
        _ => Err(PyValueError::new_err(format!("workers must be from 1 to {MOST_WORKERS}"))),
    }
}

/// An int, or an object with `__index__` (such as NumPy's integers), as Python's own `math.gcd`
/// takes. A bool is refused although Python counts it as an int: here a bool is a mistake.
fn whole<'py>(name: &str, object: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyInt>> {
    if object.is_instance_of::<PyBool>() {
        return Err(PyTypeError::new_err(format!("{name} must be a whole number, not a bool")));
    }
    if let Ok(number) = object.cast::<PyInt>() {
        return Ok(number.clone());
    }
    let py = object.py();
    let index = py.import(intern!(py, "operator"))?.getattr(intern!(py, "index"))?;
    Ok(index.call1((object,))?.cast_into()?)
}
