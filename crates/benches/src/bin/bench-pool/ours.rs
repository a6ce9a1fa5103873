//! Our side: the pool for keeps, as a program would use it, and stage 4's pool beside it.

use crate::bare::Lengths;
use kernel::{Bytes, Executor, Pair, ten_pairs};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use process_futures::{MapOptions, ProcessPoolExecutor};
use processes::steps::ForkPerItem;
use processes::{ForkServer, ProcessPool, Workers, call};
use std::error::Error;
use std::fs;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::num::NonZeroUsize;
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant};

const ONE: NonZeroUsize = NonZeroUsize::MIN;
const TWO: NonZeroUsize = NonZeroUsize::new(2).unwrap();

/// A task's result, or any error.
type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn small(pair: Pair) -> u64 {
    pair.a() + pair.b()
}

fn tiny(number: u64) -> u64 {
    number + 1
}

fn echo(block: Bytes) -> Bytes {
    block
}

fn sum<E: Error + 'static>(
    answers: impl Iterator<Item = std::result::Result<u64, E>>,
) -> Result<u64> {
    answers.sum::<std::result::Result<u64, E>>().map_err(Into::into)
}

/// The seconds that a call takes, with the call's result.
fn timed<T>(call: impl FnOnce() -> T) -> (f64, T) {
    let start = Instant::now();
    let answer = call();
    (start.elapsed().as_secs_f64(), answer)
}

/// The pools under measurement. Each has two workers.
pub struct Ours {
    pool: ProcessPoolExecutor,
    stage: ProcessPool,
    /// Pools of one worker, so that the worker with the task is known.
    doomed: (ProcessPoolExecutor, ProcessPool),
    busy: PipeReader,
    pair: Pair,
}

impl Ours {
    /// Starts the fork server and the pools: call this before there is any other thread.
    pub fn start() -> Result<Self> {
        // Make the pipe before the fork server, so that workers inherit the writing end.
        let (busy, writer) = pipe()?;
        BUSY.set(writer).map_err(|_| "a second start")?;
        ForkServer::start()?;
        Ok(Self {
            pool: executor(TWO)?,
            stage: ProcessPool::new(TWO)?,
            doomed: (executor(ONE)?, ProcessPool::new(ONE)?),
            busy,
            pair: ten_pairs()[0],
        })
    }

    /// How long the frames of a small task are.
    pub fn lengths(&self) -> Result<Lengths> {
        let mut workers = Workers::new(ONE)?;
        let call = call(small, &self.pair).map_err(|kind| kind.to_string())?;
        let length = call.length();
        workers.submit(call);
        loop {
            if let Some(ended) = workers.poll(None).pop() {
                let answer = ended.outcome.map_err(|(_, kind)| kind.to_string())?;
                return Ok(Lengths { call: length, answer: answer.length() });
            }
        }
    }

    /// One small task there and back, in seconds.
    pub fn trip(&self) -> Result<f64> {
        trip(&self.pool, self.pair)
    }

    /// [`trip`](Self::trip) on stage 4.
    pub fn stage_trip(&self) -> Result<f64> {
        trip(&self.stage, self.pair)
    }

    /// [`trip`](Self::trip) with a future.
    pub fn future_trip(&self) -> Result<f64> {
        let (time, answer) = timed(|| self.pool.submit(small, self.pair).result());
        assert_eq!(answer?, small(self.pair));
        Ok(time)
    }

    /// This many small tasks, each a call of its own, in seconds for each.
    pub fn tiny(&self, count: usize) -> Result<f64> {
        let items = vec![self.pair; count];
        let (time, answers) = timed(|| self.pool.map(small, items));
        assert_eq!(answers?.len(), count);
        Ok(time / count as f64)
    }

    /// This many tiny tasks, a thousand in a call, in seconds for each.
    pub fn chunked(&self, count: u64) -> Result<f64> {
        let chunksize = NonZeroUsize::new(1000).expect("it is not zero");
        let options = MapOptions { chunksize, ..MapOptions::default() };
        let (time, sum) = timed(|| sum(self.pool.map_with(tiny, 0..count, options)));
        assert_eq!(sum?, count * (count + 1) / 2);
        Ok(time / count as f64)
    }

    /// A block there and back, in seconds.
    pub fn block(&self, block: &[u8]) -> Result<f64> {
        let items = vec![Bytes::from(block)];
        let (time, answers) = timed(|| self.pool.map(echo, items));
        assert!(answers?[0] == block, "the task sends back what it got");
        Ok(time)
    }

    /// From the moment when a busy worker is sent SIGKILL to the error that its caller gets, in
    /// seconds.
    pub fn death(&self) -> Result<f64> {
        let pool = &self.doomed.0;
        self.death_in(pool, || pool.worker_pids())
    }

    /// [`death`](Self::death) on stage 4.
    pub fn stage_death(&self) -> Result<f64> {
        let pool = &self.doomed.1;
        self.death_in(pool, || pool.worker_pids())
    }

    fn death_in(&self, pool: &impl Executor, pids: impl Fn() -> Vec<u32>) -> Result<f64> {
        // Have an answer between two deaths: after many deaths in a row, the pool would give up.
        pool.map(small, vec![self.pair])?;
        let worker = Pid::from_raw(pids()[0] as i32);
        let mut busy = self.busy.try_clone()?;
        // The caller waits in `map`, so another thread has to send the signal. An `Instant` is
        // CLOCK_MONOTONIC.
        let killer = thread::spawn(move || {
            busy.read_exact(&mut [0])?;
            thread::sleep(Duration::from_millis(1));
            let sent = Instant::now();
            kill(worker, Signal::SIGKILL)?;
            Ok::<_, std::io::Error>(sent)
        });
        let outcome = pool.map(be_busy, vec![()]);
        let received = Instant::now();
        assert!(outcome.is_err(), "the worker cannot have answered");
        let sent = killer.join().map_err(|_| "the killing thread panicked")??;
        Ok((received - sent).as_secs_f64())
    }
}

fn executor(workers: NonZeroUsize) -> Result<ProcessPoolExecutor> {
    Ok(ProcessPoolExecutor::builder().max_workers(workers).build()?)
}

fn trip(pool: &impl Executor, pair: Pair) -> Result<f64> {
    let items = vec![pair];
    let (time, answers) = timed(|| pool.map(small, items));
    assert_eq!(answers?, [small(pair)]);
    Ok(time)
}

/// The pipe through which a worker reports that it is busy.
static BUSY: OnceLock<PipeWriter> = OnceLock::new();

/// A task that never ends by itself, and keeps its core busy.
fn be_busy((): ()) {
    let mut writer = BUSY.get().expect("it is set before the fork server starts");
    writer.write_all(&[1]).expect("the parent has the other end");
    loop {
        std::hint::spin_loop();
    }
}

/// The seconds for making a pool of two, its first answer, and its end. Run this in a fresh
/// process: the time includes the start of the fork server.
pub fn start() -> Result<f64> {
    start_of(|| executor(TWO))
}

/// [`start`] on stage 4.
pub fn stage_start() -> Result<f64> {
    start_of(|| Ok(ProcessPool::new(TWO)?))
}

fn start_of<E: Executor>(make: impl FnOnce() -> Result<E>) -> Result<f64> {
    let pair = ten_pairs()[0];
    let (time, answers) = timed(|| make()?.map(small, vec![pair]).map_err(Box::<dyn Error>::from));
    assert_eq!(answers?, [small(pair)]);
    Ok(time)
}

/// The most memory that this process ever had, in bytes, after this many items have come through a
/// map with a buffer of 64 calls. Run this in a fresh process.
pub fn memory(count: u64) -> Result<f64> {
    let pool = executor(TWO)?;
    let options = MapOptions { buffersize: NonZeroUsize::new(64), ..MapOptions::default() };
    assert_eq!(sum(pool.map_with(tiny, 0..count, options))?, count * (count + 1) / 2);
    let status = fs::read_to_string("/proc/self/status")?;
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
    let kibibytes: u32 = most.ok_or("the system does not tell the most memory")?.trim().parse()?;
    Ok(f64::from(kibibytes) * 1024.0)
}

/// The seconds for the minimum that a process can cost: a fork, one answer through a pipe, a wait.
pub fn fork_and_wait() -> Result<f64> {
    let pair = ten_pairs()[0];
    let executor = ForkPerItem::new(ONE);
    let (time, answers) = timed(|| executor.map(small, vec![pair]));
    assert_eq!(answers?, [small(pair)]);
    Ok(time)
}
