//! Lesson 3's prediction: what a pool saves.

#![forbid(unsafe_code)]

use predict::{Asked, Prediction, Row};
use schedule::Policy;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

fn prediction(asked: &Asked) -> Prediction {
    let (threads, workers) = (asked.threads(), asked.workers.get());
    let mut prediction = Prediction::new(
        format!(
            "A pool keeps its {threads}, and has the queue of lesson 2.\n\
             How many times as fast as the loop are these items, mapped once?\n\
             Guess on paper, too: what changes if you map a thousand times?"
        ),
        Policy::Queue.name(),
        format!(
            "A pool saves the starts of its threads. Mapped once, {threads} must\n\
             be started either way, so one map shows no gain. Mapped a\n\
             thousand times, scoped threads make {} starts, and the pool\n\
             makes {workers}.",
            workers * 1000,
        ),
    );
    let queue = asked.speedup(Policy::Queue);
    let note = "a queue again: the work is as long as before";
    prediction.rows = vec![Row::new("a thread pool", queue, note).aside()];
    prediction
}
