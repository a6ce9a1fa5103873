//! How the pools of this kit behave when a worker is killed (SIGKILL).
//!
//! The Rust side of `book/records/pools/killed_worker.py`, by the same rules: two workers, a first
//! task that must work, a task whose worker is killed at one of two moments, and one more task. The
//! program prints one JSON object of the same form.
//!
//! Usage: killed_worker POOL MOMENT [LIMIT], or killed_worker --record FILE
//!     POOL    processes (stage 4), process-futures
//!     MOMENT  call, answer
//!     LIMIT   seconds after which "waits for ever" is said, 10 by default
//!     FILE    gets both pools at both moments, and the book's table of all pools

mod table;

use kernel::{Bytes, Executor, TaskError, TaskErrorKind};
use nix::libc::SYS_sendmsg;
use nix::sys::signal::Signal::SIGKILL;
use nix::sys::signal::kill;
use nix::unistd::getpid;
use process_futures::ProcessPoolExecutor;
use processes::ProcessPool;
use serde_json::Value;
use std::error::Error;
use std::path::Path;
use std::process::Command;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// Far more bytes than a socket holds, so that the worker has to wait in the middle of its answer.
const ANSWER: usize = 64 << 20;

fn die() {
    kill(getpid(), SIGKILL).expect("the worker may kill itself");
}

fn die_in_the_call((): ()) -> Bytes {
    die();
    Bytes::new()
}

// ANCHOR: half_way
/// Returns an answer, and kills its worker while the answer is on its way: as soon as the worker
/// sleeps in `sendmsg` the socket is full, and holds the answer's header and a part of its body.
fn die_half_way_through_the_answer((): ()) -> Bytes {
    let call = format!("/proc/{}/syscall", getpid());
    let in_sendmsg = format!("{SYS_sendmsg} ");
    thread::spawn(move || {
        while !fs::read_to_string(&call).is_ok_and(|call| call.starts_with(&in_sendmsg)) {}
        die();
    });
    Bytes::from(vec![1; ANSWER])
}
// ANCHOR_END: half_way

fn next_task((): ()) -> Bytes {
    Bytes::from(*b"well")
}

type Task = fn(()) -> Bytes;

/// Makes the call on a thread of its own, because a call to a pool may never return.
fn attempt(
    call: impl FnOnce() -> Result<Bytes, TaskError> + Send + 'static,
    limit: Duration,
) -> (String, f64) {
    let (told, outcome) = channel();
    let start = Instant::now();
    thread::spawn(move || told.send(call()));
    let said = match outcome.recv_timeout(limit) {
        Ok(Ok(answer)) if answer.len() > 100 => "answer: all of it".to_owned(),
        Ok(Ok(answer)) => format!("answer: {}", String::from_utf8_lossy(&answer)),
        Ok(Err(error)) => format!("error: {}", name(error.kind())),
        Err(_) => "waits for ever".to_owned(),
    };
    (said, start.elapsed().as_secs_f64())
}

/// The name of the error's kind, as Python prints the name of an exception's class.
fn name(kind: &TaskErrorKind) -> String {
    let debug = format!("{kind:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// Runs one item through a pool of either kind.
trait Pool: Send + 'static {
    fn run(&self, task: Task) -> Result<Bytes, TaskError>;
}

fn one<R>(mut answers: Vec<Result<R, TaskError>>) -> Result<R, TaskError> {
    answers.pop().expect("one outcome for one item")
}

impl Pool for ProcessPool {
    fn run(&self, task: Task) -> Result<Bytes, TaskError> {
        one(self.map_each(task, vec![()]))
    }
}

impl Pool for ProcessPoolExecutor {
    fn run(&self, task: Task) -> Result<Bytes, TaskError> {
        self.submit(task, ()).result()
    }
}

/// Starts this program for each pool and each moment, and writes the results into the file.
fn record(file: &Path) -> Result<(), Box<dyn Error>> {
    let mut ours = Vec::new();
    for pool in ["processes", "process-futures"] {
        for moment in ["call", "answer"] {
            // The limit is the same as in `book/records/pools/record.py`.
            let output = Command::new(env::current_exe()?).args([pool, moment, "5"]).output()?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr);
                return Err(format!("{pool} {moment}: {}: {said}", output.status).into());
            }
            ours.push(serde_json::from_slice::<Value>(&output.stdout)?);
        }
    }
    let others = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../book/records/pools/pools.json");
    let others = serde_json::from_str(&fs::read_to_string(others)?)?;
    Ok(fs::write(file, table::record(&ours.into(), &others)?.to_string())?)
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let ["--record", file] = words[..] {
        return record(Path::new(file));
    }
    let [pool, moment, ref limit @ ..] = words[..] else {
        return Err("usage: killed_worker POOL MOMENT [LIMIT]".into());
    };
    let limit: f64 = limit.first().unwrap_or(&"10").parse()?;
    let fault: Task = match moment {
        "call" => die_in_the_call,
        "answer" => die_half_way_through_the_answer,
        _ => return Err(format!("unknown moment {moment:?}").into()),
    };
    // Make the pool before any thread.
    let two = 2.try_into()?;
    let made: Box<dyn Pool> = match pool {
        "processes" => Box::new(ProcessPool::new(two)?),
        "process-futures" => Box::new(ProcessPoolExecutor::builder().max_workers(two).build()?),
        _ => return Err(format!("unknown pool {pool:?}").into()),
    };
    let made = Arc::new(Mutex::new(made));
    let run = |task: Task| {
        let made = Arc::clone(&made);
        attempt(
            move || made.lock().expect("nobody panics").run(task),
            Duration::from_secs_f64(limit),
        )
    };
    let (warm, _) = run(next_task);
    if warm != "answer: well" {
        return Err(format!("{pool} does not even work: {warm}").into());
    }
    let (outcome, seconds) = run(fault);
    let (next_task, _) = run(next_task);
    let record = serde_json::json!({
        "pool": pool,
        "version": pool,
        "python": null,
        "start_method": "fork server",
        "moment": moment,
        "limit": limit,
        "outcome": outcome,
        "seconds": (seconds * 10_000.0).round() / 10_000.0,
        "next_task": next_task,
    });
    println!("{record}");
    // Exit without dropping the pool: a pool that hangs would also hang in its drop.
    std::process::exit(0)
}
