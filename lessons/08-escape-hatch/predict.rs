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
            "The hot spot is now a native module, called from Python. It lets go of the\n\
             interpreter lock while it computes, and {} call it. How many times as\n\
             fast as one call after the other is that?\n\
             Guess on paper, too: what if it keeps the lock? And how many times as fast as\n\
             pure Python is the module on one core?",
            asked.threads()
        ),
        RELEASED,
        "Native code holds the lock like any other unless it lets go: being native\n\
         gains nothing by itself on two cores. It lets go, and its threads follow the\n\
         queue. What the module gains on one core no arithmetic says: measure it.",
    );
    prediction.under_a_lock = "under one interpreter lock:";
    let queue = asked.speedup(Policy::Queue);
    prediction.locked_rows = vec![Row::new(RELEASED, queue, "others run meanwhile").aside()];
    prediction
}
