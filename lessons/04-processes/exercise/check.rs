//! The check of exercise 4. Every case runs in a process of its own: a case forks, so its process
//! must have one thread, and a case may hang, so the check must be able to end it.

use crate::queue::ForkQueue;
use checks::{Checks, same_answers};
use kernel::{Executor, Pair, gcd, ten_pairs, worker_name};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::{Pid, getpid};
use std::fs;
use std::io::Read;
use std::num::NonZeroUsize;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio, id};
use std::thread;
use std::time::{Duration, Instant};

/// The time limit: long for a few items of milliseconds, short for a person who waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// The first line of the message if the pool hangs after a worker was killed.
const WHY: &str = "A worker was killed, and the parent waits for the end of file on its socket.\n";

/// Checks the pool: its answers, a killed worker, and which process holds which sockets.
pub fn run() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    if let Some(case) = arguments.next() {
        inside(&case);
        return ExitCode::SUCCESS;
    }
    let file = "lessons/04-processes/exercise/exercise.rs";
    let mut checks = Checks::of(4, "the inherited descriptor", file);
    if !cfg!(target_os = "linux") {
        let why = "The check looks into /proc. On Windows use WSL2, elsewhere a container.";
        checks.that("this is Linux, as in lesson 4", || Err(why.to_owned()));
    }
    checks.that("the ten pairs have their answers, on two workers", || {
        let wanted = ["1", "1", "5", "1", "32", "1", "14", "9", "1", "9"].map(str::to_owned);
        same_answers("the ten pairs", &lines_of("answers")?, &wanted)
    });
    checks.that("a slow worker is waited for", || {
        let wanted = ["10", "20", "30"].map(str::to_owned);
        same_answers("three items, of which item 2 takes a second", &lines_of("slow")?, &wanted)
    });
    checks.that("a worker is killed, and its item alone is lost", || {
        let lines = lines_of("killed")?;
        let told: Vec<String> = lines
            .iter()
            .map(|line| without_pid(line.split_once(": ").unwrap_or(("", line)).1))
            .collect();
        let killed = format!(
            "worker {} was killed by SIGKILL while it ran this item; did the item run? unknown",
            worker_name(1)
        );
        let wanted = ["10", &killed, "30", "40"].map(str::to_owned);
        same_answers("four items, of which item 2 kills its worker", &told, &wanted)
    });
    checks.that("each of three workers has one socket open, its own", || {
        let lines = lines_of("sockets")?;
        let wanted = ["1", "1", "1"].map(str::to_owned);
        same_answers("the sockets that a worker sees in /proc/self/fd", &lines, &wanted)
    });
    checks.finish(
        "The parent learns of a death by the end of file, which comes when\n\
         the last copy is closed. In the real pool each worker gets only\n\
         its own end, so no worker has a copy to forget.",
    )
}

/// The cases, in a process with one thread. Each case prints one line for each item.
fn inside(case: &str) {
    let workers = |number| ForkQueue { workers: NonZeroUsize::new(number).expect("not zero") };
    match case {
        "answers" => tell(workers(2).map_each(gcd as fn(Pair) -> u64, ten_pairs())),
        "slow" => tell(workers(2).map_each(slow_two, vec![1, 2, 3])),
        "killed" => {
            let outcomes = workers(2).map_each(deadly_two, vec![1, 2, 3, 4]).into_iter();
            for (index, outcome) in outcomes.enumerate() {
                match outcome {
                    Ok(answer) => println!("item {}: {answer}", index + 1),
                    Err(error) => println!("{error}"),
                }
            }
        }
        "sockets" => {
            // The sockets that this process has inherited do not come from the pool.
            let before = sockets("self");
            tell(workers(3).map_each(own_sockets, vec![before; 3]));
        }
        _ => unreachable!("there is no such case"),
    }
}

fn tell<R: ToString, E: ToString>(outcomes: Vec<Result<R, E>>) {
    for outcome in outcomes {
        println!("{}", outcome.map_or_else(|error| error.to_string(), |answer| answer.to_string()));
    }
}

fn slow_two(item: u64) -> u64 {
    if item == 2 {
        thread::sleep(Duration::from_secs(1));
    }
    item * 10
}

fn deadly_two(item: u64) -> u64 {
    if item == 2 {
        // The worker ends here, and the parent must report its death.
        let _ = kill(getpid(), Signal::SIGKILL);
    }
    item * 10
}

/// How many sockets this process has open beyond the sockets that were there before.
fn own_sockets(before: usize) -> usize {
    // Sleep long enough that every worker gets one of the items.
    thread::sleep(Duration::from_millis(200));
    sockets("self").saturating_sub(before)
}

/// How many sockets a process has open, by its directory in /proc.
fn sockets(process: &str) -> usize {
    let descriptors = fs::read_dir(format!("/proc/{process}/fd")).into_iter().flatten().flatten();
    let is_socket = |path: &std::path::PathBuf| path.to_string_lossy().starts_with("socket:");
    descriptors.filter_map(|entry| fs::read_link(entry.path()).ok()).filter(is_socket).count()
}

/// Runs a case in a process of its own, and returns the lines that the case printed.
fn lines_of(case: &str) -> Result<Vec<String>, String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let mut inside = Command::new(program)
        .arg(case)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .process_group(0) // so that the case's workers can be ended with it
        .spawn()
        .map_err(|error| format!("the case cannot be started: {error}"))?;
    let deadline = Instant::now() + PATIENCE;
    loop {
        match inside.try_wait().map_err(|error| error.to_string())? {
            Some(status) if status.success() => break,
            Some(status) => {
                end(&mut inside);
                return Err(format!("The parent itself ended in the middle of the map: {status}."));
            }
            None if Instant::now() > deadline => {
                let seen = who_has_what(inside.id());
                let why = if case == "killed" { WHY } else { "" };
                end(&mut inside);
                return Err(format!(
                    "map hangs: after 5 seconds it had not come back.\n{why}{seen}"
                ));
            }
            None => thread::sleep(Duration::from_millis(5)),
        }
    }
    let mut text = String::new();
    if let Some(mut output) = inside.stdout.take() {
        output.read_to_string(&mut text).map_err(|error| error.to_string())?;
    }
    Ok(text.lines().map(str::to_owned).collect())
}

/// Ends the process and all processes that it has forked.
fn end(inside: &mut Child) {
    // The process leads a group of its own, and the system does not reuse its id before it is
    // reaped.
    let group = Pid::from_raw(inside.id().cast_signed());
    let _ = killpg(group, Signal::SIGKILL);
    let _ = inside.wait();
}

/// Describes the hanging pool from outside: the living workers' sockets.
fn who_has_what(parent: u32) -> String {
    let mut lines = Vec::new();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    for process in processes {
        let name = process.file_name().to_string_lossy().into_owned();
        let Ok(stat) = fs::read_to_string(format!("/proc/{name}/stat")) else { continue };
        // "pid (name) state parent …": the name may hold any character, so read from its end on.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let mut fields = rest.split_whitespace();
        let (state, its_parent) = (fields.next(), fields.next());
        if its_parent != Some(&parent.to_string()) {
            continue;
        }
        lines.push(match state {
            Some("Z") => format!("  process {name}: dead, but not yet reaped"),
            _ => {
                // Subtract this process's sockets, because the workers have inherited the same
                // ones.
                let own = sockets(&name).saturating_sub(sockets(&id().to_string()));
                format!("  process {name}: alive, with {own} of the pool's sockets open")
            }
        });
    }
    // Living processes come first.
    lines.sort_by_key(|line| line.contains(": dead"));
    format!(
        "The parent's children:\n{}\n\
         A worker needs one socket, its own. Whose are the other sockets?",
        lines.join("\n")
    )
}

/// The text without the process id, which differs from run to run.
fn without_pid(text: &str) -> String {
    match text.split_once(" (pid ") {
        Some((before, rest)) => before.to_owned() + rest.split_once(')').map_or("", |rest| rest.1),
        None => text.to_owned(),
    }
}
