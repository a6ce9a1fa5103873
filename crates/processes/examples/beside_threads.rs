//! Why a fork beside threads is refused: this example forks beside a thread, and the child waits
//! for ever.
//!
//! A thread of the program holds a lock while a child is forked. The child has a copy of the held
//! lock, but not the thread that would release the lock. A time limit ends the wait.

use kernel::Executor;
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use processes::steps::ForkPerItem;
use processes::{ForkServer, ProcessPool};
use std::error::Error;
use std::io::{PipeReader, PipeWriter, Read, Write, pipe};
use std::num::NonZeroUsize;
use std::sync::mpsc::channel;
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::Duration;

const ONE: NonZeroUsize = NonZeroUsize::MIN;
/// How long the child may take. The task alone takes no time at all.
const LIMIT: Duration = Duration::from_secs(2);

// ANCHOR: task
static LOCK: Mutex<()> = Mutex::new(());

fn needs_the_lock(n: u64) -> u64 {
    say_which_process();
    let _guard = LOCK.lock().expect("nobody panics with it");
    n + 1
}
// ANCHOR_END: task

/// The lines that `main` prints. A test compares these lines with the recorded lines.
pub fn lines() -> Result<Vec<String>, Box<dyn Error>> {
    let (mut pids, writer) = pipe()?;
    PIDS.set(writer).map_err(|_| "a second call")?;
    let forks = ForkPerItem::new(ONE);
    let mut lines = Vec::new();
    let mut line = |what: &str, outcome: String| {
        for (number, part) in wrapped(&outcome).into_iter().enumerate() {
            lines.push(format!("{:<26} {part}", if number == 0 { what } else { "" }));
        }
    };

    line("Fork, with one thread:", outcome(forks.map(needs_the_lock, vec![1])));
    next_pid(&mut pids)?;

    let pool = beside_a_thread_with_the_lock(|| {
        let pids = &mut pids;
        // ANCHOR: hang
        let (outcome, had_to_be_killed) = thread::scope(|scope| {
            let (over, is_over) = channel();
            let guard = scope.spawn(move || {
                let child = next_pid(pids).expect("the child says its number");
                let waits = is_over.recv_timeout(LIMIT).is_err();
                if waits {
                    kill(child, SIGKILL).expect("it is there");
                }
                waits
            });
            let outcome = outcome(forks.map(needs_the_lock, vec![1]));
            let _ = over.send(());
            (outcome, guard.join().expect("it does not panic"))
        });
        // ANCHOR_END: hang
        if had_to_be_killed {
            let waited = format!("no answer within {LIMIT:?}; the child is killed");
            line("Fork, beside a thread:", waited);
        }
        line(if had_to_be_killed { "" } else { "Fork, beside a thread:" }, outcome);
        ProcessPool::new(ONE)
    });
    line(
        "A pool, beside a thread:",
        pool.map_or_else(|error| format!("error: {error}"), |_| "a pool".into()),
    );

    // The thread has ended, so the fork server starts in a process with one thread. Then a thread
    // holds the lock again.
    ForkServer::start()?;
    let answer = beside_a_thread_with_the_lock(|| {
        Ok::<_, Box<dyn Error>>(ProcessPool::new(ONE)?.map(needs_the_lock, vec![1])?)
    });
    line("The same, server started:", outcome(answer));
    Ok(lines)
}

// ANCHOR: thread
/// Runs a closure while another thread holds the lock.
fn beside_a_thread_with_the_lock<T>(run: impl FnOnce() -> T) -> T {
    let ((taken, is_taken), (done, is_done)) = (channel(), channel());
    thread::scope(|scope| {
        scope.spawn(move || {
            let _guard = LOCK.lock().expect("nobody panics with it");
            taken.send(()).expect("the other waits for it");
            is_done.recv().expect("the other says so");
        });
        is_taken.recv().expect("the thread takes it");
        let result = run();
        done.send(()).expect("the thread waits for it");
        result
    })
}
// ANCHOR_END: thread

fn outcome<E: ToString>(answers: Result<Vec<u64>, E>) -> String {
    answers.map_or_else(|error| error.to_string(), |answers| format!("answer {}", answers[0]))
}

/// Splits the text into lines that fit beside the first column. The line ends behind a process id,
/// whose length differs from run to run.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.replace(" while it", " \nwhile it").split(' ') {
        let line = lines.last_mut().expect("there is one");
        match line.len() {
            0 => line.push_str(word),
            _ if word.starts_with('\n') => lines.push(word[1..].to_owned()),
            length if length + word.len() < 53 => *line += &format!(" {word}"),
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The pipe through which a child reports its process id, so that the parent can kill it.
static PIDS: OnceLock<PipeWriter> = OnceLock::new();

fn say_which_process() {
    let mut pids = PIDS.get().expect("it is set before the first child");
    pids.write_all(&std::process::id().to_ne_bytes()).expect("the parent has the other end");
}

fn next_pid(pids: &mut PipeReader) -> std::io::Result<Pid> {
    let mut bytes = [0; 4];
    pids.read_exact(&mut bytes)?;
    Ok(Pid::from_raw(u32::from_ne_bytes(bytes) as i32))
}

#[allow(dead_code, reason = "the test calls `lines`")]
fn main() -> Result<(), Box<dyn Error>> {
    for line in lines()? {
        println!("{line}");
    }
    Ok(())
}
