//! Faults that are put into the pool on purpose, to see that the soak notices them. This file is
//! compiled with the feature `mutations` only, which is for `tests/mutations.rs` and for nothing
//! else.
//!
//! The variable `PROCESS_FUTURES_MUTATION` chooses one fault and how rare the fault is: with
//! `drop/1000`, every thousandth answer is dropped. Without the variable, the pool is as it should
//! be. The names and the faults are in the table of `tests/mutations.rs`.
//!
//! This file names neither `core` nor `shared`, which name this file: the modules of the pool
//! import in no circle.

use crate::caller::call_state::{CallOutcome, CallState};
use crate::caller::worker_handle::WorkerHandle;
use crate::wire::packet::{HEADER, Packet, PacketKind};
use fork_server::ControlChannel;
use kernel::{Death, Ran, TaskErrorKind};
use std::collections::VecDeque;
use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, mem, thread};

/// The chosen fault, and how many chances make one fault.
static CHOSEN: LazyLock<Option<(String, u64)>> = LazyLock::new(|| {
    let text = env::var("PROCESS_FUTURES_MUTATION").ok()?;
    let (name, rarity) = text.split_once('/').expect("a name, a slash and a number");
    Some((name.to_owned(), rarity.parse().expect("a number")))
});

/// How many chances the chosen fault has had.
static CHANCES: AtomicU64 = AtomicU64::new(0);

/// The answer that was held back, to be swapped with the next.
static HELD: Mutex<Option<Packet>> = Mutex::new(None);

/// Whether the pool is to make this fault here and now. Each call is a chance.
fn strikes(name: &str) -> bool {
    chance(name).is_some_and(|(chance, rarity)| chance % rarity == 0)
}

/// Like [`strikes`], but the fault stays from its first time on.
pub fn has_struck(name: &str) -> bool {
    chance(name).is_some_and(|(chance, rarity)| chance >= rarity)
}

fn chance(name: &str) -> Option<(u64, u64)> {
    let (_, rarity) = CHOSEN.as_ref().filter(|(chosen, _)| chosen == name)?;
    Some((CHANCES.fetch_add(1, Relaxed) + 1, *rarity))
}

fn killed() -> CallOutcome {
    let name = "SIGKILL".to_owned();
    let death = Death::Killed { worker: 0, pid: 0, signal: 9, name, why: None };
    Err((Ran::Unknown, TaskErrorKind::WorkerDied(death)))
}

/// Where a call is given to the core: the call is run twice, or a worker is killed for no reason.
pub fn dispatch(
    queue: &mut VecDeque<Packet>,
    channel: Option<&ControlChannel>,
    workers: &[Option<WorkerHandle>],
) {
    if strikes("twice") {
        let call = queue.back().expect("the call that came");
        let (bytes, header) = (call.bytes.clone(), call.header);
        queue.push_back(Packet { bytes, header, descriptors: Vec::new() });
    }
    if let (true, Some(channel), Some(Some(worker))) = (strikes("kill"), channel, workers.first()) {
        let _ = channel.kill(worker.number);
    }
}

/// Where the outcomes of calls come in. Returns the events whose outcomes the calls are to get.
pub fn each<E>(mut events: Vec<E>, outcome: fn(&mut E) -> &mut CallOutcome) -> Vec<E> {
    events.retain_mut(|event| keeps(outcome(event)));
    events
}

fn keeps(outcome: &mut CallOutcome) -> bool {
    if let Err((ran @ Ran::Unknown, _)) = outcome
        && strikes("ran-no")
    {
        *ran = Ran::No;
    }
    let Ok(answer) = outcome else { return true };
    if answer.header.kind == PacketKind::Answer && answer.bytes.len() > HEADER {
        if strikes("garble") {
            answer.bytes[HEADER] ^= 1;
        }
        if strikes("swap") {
            let mut held = HELD.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(held) = &mut *held {
                mem::swap(held, answer);
            } else {
                let (bytes, header) = (answer.bytes.clone(), answer.header);
                *held = Some(Packet { bytes, header, descriptors: Vec::new() });
            }
        }
    }
    if strikes("lose") {
        *outcome = killed();
    } else if strikes("time-out") {
        *outcome = Err((Ran::Unknown, TaskErrorKind::TimedOut));
    }
    leak();
    !strikes("drop")
}

/// What may be left over.
fn leak() {
    if strikes("descriptor") {
        mem::forget(File::open("/dev/null"));
    }
    if strikes("memory") {
        mem::forget(vec![1_u8; 1000]);
    }
    if strikes("thread") {
        thread::spawn(|| thread::sleep(Duration::from_secs(30)));
    }
    if strikes("child") {
        let mut sleep = Command::new("sleep");
        sleep.arg("30").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        mem::forget(sleep.spawn());
    }
}

/// Where a dead worker's calls are divided into the running call and the calls behind it.
pub fn bury(
    mut running: Option<Packet>,
    mut waiting: VecDeque<Packet>,
    mut end: impl FnMut(u64, CallOutcome),
) -> (Option<Packet>, VecDeque<Packet>) {
    if strikes("behind") {
        waiting.drain(..).for_each(|call| end(call.header.task, killed()));
    }
    if strikes("forget") {
        waiting.clear();
    }
    if running.as_ref().is_some_and(|call| !call.bytes.is_empty()) && strikes("again") {
        waiting.extend(running.take());
    }
    (running, waiting)
}

/// Where a thread begins to wait: half of the time limit is enough.
pub fn deadline(deadline: Option<Instant>) -> Option<Instant> {
    if deadline.is_some() && strikes("early") {
        let now = Instant::now();
        return deadline.map(|deadline| now + deadline.saturating_duration_since(now) / 2);
    }
    deadline
}

/// Where a call is to be cancelled: the call is cancelled although a worker may have it, or the
/// call goes on although the caller is told otherwise.
pub fn cancels(call: &CallState) -> bool {
    if strikes("cancel") {
        call.settle(Err((Ran::No, TaskErrorKind::Cancelled)));
    }
    strikes("cancel-in-vain")
}
