//! Lesson 4's prediction: what the one change gains.

#![forbid(unsafe_code)]

use predict::{Asked, Prediction};
use schedule::Policy;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

fn prediction(asked: &Asked) -> Prediction {
    Prediction::new(
        format!(
            "The pool has {} as before, and each worker is now a\n\
             process, fed from a queue.\n\
             How many times as fast as the loop are these items?\n\
             Guess on paper, too: if every step needs one global lock, what do threads\n\
             gain, and what do processes gain?",
            asked.workers_in_words()
        ),
        Policy::Queue.name(),
        "Without a lock, processes gain what threads gain, minus the trip of\n\
         each item and answer, which the arithmetic leaves out and the\n\
         lesson measures. With one lock for every step, threads stay at\n\
         1.00x; each process has a lock of its own.",
    )
}
