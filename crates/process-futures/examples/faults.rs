//! What each fault costs: one task that goes wrong in each way, and the pool's next task.
//!
//! Prints the book's record: rows of `{fault, said, ran, worker, next}`, and the table of them.

use kernel::{Message, Ran, TaskError};
use nix::sys::signal::Signal::SIGKILL;
use nix::sys::signal::kill;
use nix::unistd::getpid;
use process_futures::{ProcessPoolExecutor, TaskFuture};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;
use std::{process, thread};

fn no_luck((): ()) -> u64 {
    panic!("no luck")
}

fn exit(status: i32) -> u64 {
    process::exit(status)
}

fn abort((): ()) -> u64 {
    process::abort()
}

fn killed((): ()) -> u64 {
    kill(getpid(), SIGKILL).expect("the worker may kill itself");
    0
}

fn sleep_for_ever((): ()) -> u64 {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

fn own_pool((): ()) -> u64 {
    let pool = ProcessPoolExecutor::builder().build();
    pool.unwrap_or_else(|error| panic!("{error}")).submit(square, 3).result().unwrap_or(0)
}

fn square(n: u64) -> u64 {
    n * n
}

/// A value that refuses to be written, on whichever side.
#[derive(Deserialize)]
struct Stays;

impl Serialize for Stays {
    fn serialize<S: serde::Serializer>(&self, _to: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("it stays here"))
    }
}

fn take(_it: Stays) -> u64 {
    0
}

fn give((): ()) -> Stays {
    Stays
}

fn main() -> Result<(), Box<dyn Error>> {
    // One worker, so that it is known which.
    let pool = ProcessPoolExecutor::builder().max_workers(NonZeroUsize::MIN).build()?;
    let mut rows = Vec::new();
    let mut row = |fault: &str, failed: &dyn Fn() -> Option<TaskError>| {
        let before = pool.worker_pids();
        let error = failed();
        let next = pool.submit(square, 3).result();
        let worker = if pool.worker_pids() == before { "lives" } else { "replaced" };
        rows.push(told(fault, error, worker, next.is_ok_and(|nine| nine == 9)));
    };
    row("the task panics", &|| wrong(&pool.submit(no_luck, ())));
    row("the task calls `exit(3)`", &|| wrong(&pool.submit(exit, 3)));
    row("the task aborts", &|| wrong(&pool.submit(abort, ())));
    row("the worker is killed", &|| wrong(&pool.submit(killed, ())));
    row("the task does not end in time", &|| {
        pool.submit(sleep_for_ever, ()).result_timeout(Duration::from_millis(50)).err()
    });
    row("the argument cannot be written", &|| wrong(&pool.submit(take, Stays)));
    row("the answer cannot be written", &|| wrong(&pool.submit(give, ())));
    row("a task makes a pool of its own", &|| wrong(&pool.submit(own_pool, ())));
    let table = table(&rows)?;
    println!("{:#}", json!({"run": rows, "text": {"table": table}}));
    Ok(())
}

/// The rows as the book shows them.
fn table(rows: &[Value]) -> Result<String, String> {
    let mut table = String::from(
        "| what goes wrong | the error says | did the task run? | its worker | next task |\n\
         |:--|:--|:--|:--|:--|",
    );
    for row in rows {
        let field = |name: &str| row[name].as_str().ok_or(format!("a fault has no {name}"));
        let [fault, said, ran, worker] =
            [field("fault")?, field("said")?, field("ran")?, field("worker")?];
        let next = row["next"].as_bool().ok_or("a fault has no next")?;
        let next = if next { "answered" } else { "not answered" };
        table += &format!("\n| {fault} | {said} | {ran} | {worker} | {next} |");
    }
    Ok(table)
}

fn wrong<R: Message>(future: &TaskFuture<R>) -> Option<TaskError> {
    future.result().err()
}

fn told(fault: &str, error: Option<TaskError>, worker: &str, next: bool) -> Value {
    let ran = match error.as_ref().map(TaskError::ran) {
        Some(Ran::No) => "no",
        Some(Ran::Unknown) => "unknown",
        Some(Ran::Yes) | None => "yes",
    };
    // The words are the kind's: which call it was, and whether it ran, have their own place.
    let said = error.map_or_else(|| "nothing".to_owned(), |error| error.kind().to_string());
    json!({"fault": fault, "said": said, "ran": ran, "worker": worker, "next": next})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_row() {
        let mut rows = [json!({"fault": "a panic", "said": "it panicked", "ran": "yes",
            "worker": "lives", "next": true})];
        let row = "| a panic | it panicked | yes | lives | answered |";
        assert!(table(&rows).unwrap().ends_with(row));
        rows[0]["next"] = json!(false);
        assert!(table(&rows).unwrap().ends_with("| not answered |"));
        rows[0].as_object_mut().unwrap().remove("ran");
        assert_eq!(table(&rows).unwrap_err(), "a fault has no ran");
    }

    #[test]
    fn the_record_s_table_is_what_its_rows_make() {
        let record = include_str!("../../../book/records/faults.json");
        let record: Value = serde_json::from_str(record).unwrap();
        let rows = record["run"].as_array().unwrap();
        assert_eq!(record["text"]["table"], table(rows).unwrap());
    }
}
