//! What do the pools of this kit do when a worker is killed (SIGKILL)?
//!
//! The Rust side of `book/records/pools/killed_worker.py`, by the same rules: two workers, a first
//! task that must work, a task whose worker is killed at one of two moments, and one more task.
//! Prints one JSON object of the same form; without arguments the book's record: all four cases,
//! each in a process of its own, and the rows of the table in the book.
//!
//! Usage: killed_worker [POOL MOMENT [LIMIT]]
//!     POOL    processes (stage 4), process-futures
//!     MOMENT  call, answer
//!     LIMIT   seconds after which "waits for ever" is said, 10 by default

use kernel::{Bytes, Executor, TaskError, TaskErrorKind};
use nix::libc::SYS_sendmsg;
use nix::sys::signal::Signal::SIGKILL;
use nix::sys::signal::kill;
use nix::unistd::getpid;
use process_futures::ProcessPoolExecutor;
use processes::ProcessPool;
use serde_json::{Value, json};
use std::error::Error;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// Far more than a socket holds, so that the worker has to wait in the middle of it.
const ANSWER: usize = 64 << 20;

/// When the worker is killed.
const MOMENTS: [&str; 2] = ["call", "answer"];

/// The limit of `book/records/pools/record.py`, in seconds.
const LIMIT: &str = "5";

fn die() {
    kill(getpid(), SIGKILL).expect("the worker may kill itself");
}

fn die_in_the_call((): ()) -> Bytes {
    die();
    Bytes::new()
}

// ANCHOR: half_way
/// Returns an answer, and kills its worker while that is on its way: as soon as the worker sleeps
/// in `sendmsg` the socket is full, and holds the answer's header and a part of its body.
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

/// Calls on a thread, because a pool may never come back.
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

/// The error's kind, as Python names the exception's class.
fn name(kind: &TaskErrorKind) -> String {
    let debug = format!("{kind:?}");
    debug.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_owned()
}

/// One item, through whichever pool.
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

/// Runs every case, and prints what the book has of them.
fn record() -> Result<(), Box<dyn Error>> {
    let mut run = Vec::new();
    for pool in ["processes", "process-futures"] {
        for moment in MOMENTS {
            let mut case = Command::new(env::current_exe()?);
            let output = case.args([pool, moment, LIMIT]).stderr(Stdio::inherit()).output()?;
            if !output.status.success() {
                return Err(format!("{pool} {moment}: {}", output.status).into());
            }
            run.push(serde_json::from_slice(&output.stdout)?);
        }
    }
    // The book's recorder says it: another program than git knows no commit.
    let commit = env::var("ONE_CHANGE_COMMIT").unwrap_or_else(|_| "unknown".to_owned());
    let rows = rows(&run, &commit)?;
    println!("{:#}", json!({"run": run, "text": {"rows": rows}}));
    Ok(())
}

/// A row of the book's table for each pool: what it did at the two moments. The next task is told
/// under the killed one.
fn rows(run: &[Value], commit: &str) -> Result<String, String> {
    let row = |[call, answer]: &[Value; 2]| {
        let field = |result: &Value, name: &str| {
            let field = result[name].as_str().ok_or(format!("a result has no {name}"))?;
            Ok::<_, String>(field.to_owned())
        };
        for (result, moment) in [call, answer].into_iter().zip(MOMENTS) {
            if field(result, "moment")? != moment {
                return Err(format!("{result} is not of the moment {moment}"));
            }
        }
        let (pool, method) = (field(call, "version")?, field(call, "start_method")?);
        let told = |result| {
            let (outcome, next) = (field(result, "outcome")?, field(result, "next_task")?);
            Ok::<_, String>(format!("{outcome}<br>next task: {next}"))
        };
        let (call, answer) = (told(call)?, told(answer)?);
        Ok(format!("| {pool} | commit {commit} ({method}) | {call} | {answer} |"))
    };
    let (pools, _) = run.as_chunks();
    // Sorted as the rows of the other pools are.
    let mut rows = pools.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    rows.sort();
    Ok(rows.join("\n"))
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.is_empty() {
        return record();
    }
    let [pool, moment, ref limit @ ..] = words[..] else {
        return Err("usage: killed_worker [POOL MOMENT [LIMIT]]".into());
    };
    let limit: f64 = limit.first().unwrap_or(&"10").parse()?;
    let fault: Task = match moment {
        "call" => die_in_the_call,
        "answer" => die_half_way_through_the_answer,
        _ => return Err(format!("unknown moment {moment:?}").into()),
    };
    // Before any thread.
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
    let record = json!({
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
    // A pool that hangs would hang in its drop too.
    std::process::exit(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_has_a_row_with_both_moments() {
        let result = |moment: &str| {
            json!({"version": "p", "start_method": "fork server", "moment": moment,
                "outcome": "error", "next_task": "none"})
        };
        let row = "| p | commit abc (fork server) | error<br>next task: none | \
                   error<br>next task: none |";
        assert_eq!(rows(&[result("call"), result("answer")], "abc").unwrap(), row);
        let other = rows(&[result("call"), result("idle")], "abc");
        assert!(other.unwrap_err().contains("is not of the moment answer"));
        assert!(rows(&[json!({}), json!({})], "abc").unwrap_err().contains("has no moment"));
    }

    #[test]
    fn the_record_s_rows_are_what_its_results_make() {
        let record = include_str!("../../../book/records/killed-worker.json");
        let record: Value = serde_json::from_str(record).unwrap();
        let commit = record["machine"]["commit"].as_str().unwrap();
        let rows = rows(record["run"].as_array().unwrap(), commit);
        assert_eq!(record["text"]["rows"], rows.unwrap());
    }
}
