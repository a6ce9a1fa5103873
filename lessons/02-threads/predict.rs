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
            "The items are assigned to {} in contiguous chunks of equal\n\
             size, rounded up. How many times as fast as the loop are the\n\
             chunks? Guess on paper, too: would one queue for all threads be\n\
             faster? And what is left of the gain if every step needs one\n\
             lock that all threads share?",
            asked.threads()
        ),
        Policy::CeilChunks.name(),
        format!(
            "Chunks are assigned before their cost is known; the chunk that is\n\
             done last decides. {compared}, and a queue does\n\
             not know the costs either. One lock for every step leaves one\n\
             thread working at any moment: 1.00x."
        ),
    )
}
