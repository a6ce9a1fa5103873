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
            "A pool of {threads} keeps what it has started; its queue is that of lesson 2.\n\
             How many times as fast as the loop are these items, mapped once?\n\
             Guess on paper, too: what changes if you map a thousand times?"
        ),
        Policy::Queue.name(),
        format!(
            "What a pool saves is starts. Mapped once, {threads} must be started either way:\n\
             one map shows nothing. Mapped a thousand times, scoped threads make {} starts\n\
             and the pool makes {workers}.",
            workers * 1000,
        ),
    );
    let queue = asked.speedup(Policy::Queue);
    let note = "a queue again: the work is as long as before";
    prediction.rows = vec![Row::new("a thread pool", queue, note).aside()];
    prediction
}
