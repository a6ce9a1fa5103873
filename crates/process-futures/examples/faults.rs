//! What each fault costs: one failing task for each fault, and the pool's next task.
//!
//! Prints a JSON array of `{fault, said, ran, worker, next}`. With `--record FILE` it writes the rows
//! and the table that the book makes of them into this file.

use kernel::{Message, Ran, TaskError, TaskErrorKind};
use nix::sys::signal::Signal::SIGKILL;
use nix::sys::signal::kill;
use nix::unistd::getpid;
use process_futures::{ProcessPoolExecutor, TaskFuture};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;
use std::{env, fs, process, thread};

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

/// A value that refuses to be serialised, on either side.
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
    // A pool of one worker, so that the worker of every task is known.
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
        pool.submit(sleep_for_ever, ()).result_or_kill(Duration::from_millis(50)).err()
    });
    row("the argument cannot be written", &|| wrong(&pool.submit(take, Stays)));
    row("the answer cannot be written", &|| wrong(&pool.submit(give, ())));
    row("a task makes a pool of its own", &|| wrong(&pool.submit(own_pool, ())));
    let rows = Value::from(rows);
    match env::args().nth(2) {
        Some(file) => fs::write(file, json!({"table": table(&rows), "rows": rows}).to_string())?,
        None => println!("{rows:#}"),
    }
    Ok(())
}

/// The book's table: the cost of each fault, a row for each fault.
fn table(rows: &Value) -> String {
    let mut table =
        "| what goes wrong | the error says | did the task run? | its worker | next task |\n\
                     |:--|:--|:--|:--|:--|"
            .to_owned();
    for row in rows.as_array().into_iter().flatten() {
        let [fault, said, ran, worker] =
            ["fault", "said", "ran", "worker"].map(|name| row[name].as_str().unwrap_or_default());
        let next = if row["next"] == true { "answered" } else { "not answered" };
        table += &format!("\n| {fault} | {said} | {ran} | {worker} | {next} |");
    }
    table
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
    // Print only the error's kind: the table has other columns for the call and for `ran`.
    let said = error.map_or_else(
        || "nothing".to_owned(),
        |error| match error.kind() {
            // The worker's process id differs from run to run.
            TaskErrorKind::WorkerDied(death) => {
                death.to_string().replace(&format!(" (pid {})", death.pid().unwrap_or(0)), "")
            }
            kind => kind.to_string(),
        },
    );
    json!({"fault": fault, "said": said, "ran": ran, "worker": worker, "next": next})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_fault_has_a_row() {
        let mut rows = json!([{"fault": "a panic", "said": "it panicked", "ran": "yes",
            "worker": "lives", "next": true}]);
        assert!(table(&rows).ends_with("\n| a panic | it panicked | yes | lives | answered |"));
        rows[0]["next"] = json!(false);
        assert!(table(&rows).ends_with("| not answered |"));
    }

    #[test]
    fn the_book_s_table_is_what_is_made_of_its_rows() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../book/records/faults.json");
        let text = fs::read_to_string(path).expect("the record");
        let run = &serde_json::from_str::<Value>(&text).expect("JSON")["run"];
        assert_eq!(table(&run["rows"]), run["table"]);
    }
}
