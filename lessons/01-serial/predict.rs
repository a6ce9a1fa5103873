//! Lesson 1's prediction: what no number of workers can beat.

#![forbid(unsafe_code)]

use predict::{ANY_NUMBER, Asked, Prediction};
use report::words::count;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

fn prediction(asked: &Asked) -> Prediction {
    let any = asked.any_number();
    let sets = if any < asked.workers.get() as f64 {
        "the longest item sets"
    } else {
        "the number of workers sets"
    };
    Prediction::new(
        "You may have as many workers as you like, and any schedule, but an item\n\
         is run by one worker from its start to its end. How many times as fast\n\
         as the loop can all the items be done at most?",
        ANY_NUMBER,
        format!(
            "While one worker runs the longest item, the others can at best do\n\
             all the rest: the time is never less than the longest item's.\n\
             From {enough} on, another worker cannot help.\n\
             With {workers}, {sets} the bound.",
            enough = count(any.ceil() as usize, "worker"),
            workers = asked.workers_in_words(),
        ),
    )
}
