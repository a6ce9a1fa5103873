//! Lesson 8's prediction: a native module that lets go of the lock.

#![forbid(unsafe_code)]

use predict::{Asked, Prediction, Row};
use schedule::Policy;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

/// The name of the row of native code that lets go of the lock.
const RELEASED: &str = "native, lock let go";

fn prediction(asked: &Asked) -> Prediction {
    let mut prediction = Prediction::new(
        format!(
            "The hot spot is now a native module, called from Python. The module\n\
             lets go of the interpreter lock while it computes, and {}\n\
             call the module. How many times as fast as one call after the\n\
             other are these threads? Guess on paper, too: what if the module\n\
             keeps the lock? And how many times as fast as pure Python is the\n\
             module on one core?",
            asked.threads()
        ),
        RELEASED,
        "Native code holds the lock like any other code unless it lets go:\n\
         being native gains nothing by itself on two cores. This module\n\
         lets go, so the threads follow the queue. Arithmetic cannot say\n\
         what the module gains on one core: measure the gain.",
    );
    prediction.under_a_lock = "under one interpreter lock:";
    let queue = asked.speedup(Policy::Queue);
    prediction.locked_rows = vec![Row::new(RELEASED, queue, "others run meanwhile").aside()];
    prediction
}
