//! Lesson 2's prediction: chunks, a queue, and one lock.

#![forbid(unsafe_code)]

use predict::{Asked, Prediction, shown};
use schedule::Policy;
use std::cmp::Ordering;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

fn prediction(asked: &Asked) -> Prediction {
    let [queue, chunks] = [Policy::Queue, Policy::CeilChunks].map(|p| shown(asked.speedup(p)));
    let compared = match queue.total_cmp(&chunks) {
        Ordering::Greater => "The queue is better here",
        Ordering::Less => "The queue is worse here",
        Ordering::Equal => "The queue gains the same here",
    };
    Prediction::new(
        format!(
            "The items are dealt to {} in contiguous chunks of equal size, rounded\n\
             up. How many times as fast as the loop is that?\n\
             Guess on paper, too: would one queue for all be faster? And what is left\n\
             of the gain if every step needs one lock that all threads share?",
            asked.threads()
        ),
        Policy::CeilChunks.name(),
        format!(
            "Chunks are dealt before anybody knows what they cost; the last to be done\n\
             decides. {compared}, and neither of them knows the costs.\n\
             One lock for every step leaves one thread working at any moment: 1.00x."
        ),
    )
}
