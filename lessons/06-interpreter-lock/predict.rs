//! Lesson 6's prediction: one lock, a lock each, and waits.

#![forbid(unsafe_code)]

use predict::{Asked, ONE_LOCK, Prediction, Row};
use schedule::{Policy, speedup};
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

fn prediction(asked: &Asked) -> Prediction {
    let mut prediction = Prediction::new(
        format!(
            "The items run in an interpreter that holds one lock while it works,\n\
             and {} share the interpreter. How many times as fast as\n\
             the loop are these threads? Guess on paper, too: what do\n\
             processes gain, each with its own interpreter? And what do threads\n\
             gain if each item waits for 20 milliseconds and computes nothing?",
            asked.threads()
        ),
        ONE_LOCK,
        "Threads take turns, one thread at a time: 1.00x. Each process has\n\
         its own interpreter, and so its own lock. A thread that waits lets\n\
         go of the lock, so threads can wait at the same time.",
    );
    prediction.under_a_lock = "under one interpreter lock:";
    prediction.locked_rows = vec![waits(asked).aside()];
    prediction
}

/// Items that wait and compute nothing: all items cost the same, and no item needs the lock.
fn waits(asked: &Asked) -> Row {
    let equal = vec![1; asked.costs.len().min(10)];
    let gain = speedup(Policy::Queue, &equal, asked.workers);
    Row::new("threads that wait", gain, "a waiting thread lets go of the lock")
}
