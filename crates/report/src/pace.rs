//! How long pairs will take, said before they run.

use crate::format::{duration, grouped};
use crate::options::PairTask;
use kernel::{Pair, steps};
use std::hint::black_box;
use std::time::Instant;

/// So many seconds for one row of a table are no surprise.
const SHORT: f64 = 5.0;

/// So many steps take no second, whatever the task.
const FEW: u64 = 1_000_000;

/// The seconds that a step of this task takes on this machine: the least of a few measurements.
/// The task costs as many steps as [`kernel::steps`] says.
pub fn seconds_per_step(task: PairTask) -> f64 {
    const STEPS: u64 = 200_000;
    let pair = Pair::new(STEPS, STEPS + 1).expect("not zero");
    let time = |_| {
        let begin = Instant::now();
        black_box(task(black_box(pair)));
        begin.elapsed().as_secs_f64()
    };
    (0..5).map(time).fold(f64::INFINITY, f64::min) / STEPS as f64
}

/// A note about pairs that will take long, if each row of a table goes through them so many times.
pub(crate) fn note(pairs: &[Pair], passes: usize, task: PairTask) -> Option<String> {
    let steps: u64 = pairs.iter().map(|&pair| steps(pair)).sum();
    if steps < FEW {
        return None;
    }
    in_words(steps as f64 * seconds_per_step(task), passes)
}

/// The note for passes of so many seconds each.
fn in_words(seconds: f64, passes: usize) -> Option<String> {
    (seconds * passes as f64 > SHORT).then(|| {
        let (once, passes) = (duration(seconds), grouped(passes as u64));
        // Divisions of large numbers take longer than those that were measured.
        format!(
            "Note: one pass over these pairs takes about {once} or longer on one worker,\n\
             and each row of a table makes {passes} passes. Ctrl-C ends the lesson."
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kernel::{euclid, gcd, ten_pairs};

    #[test]
    fn only_long_pairs_are_told() {
        assert_eq!(in_words(0.05, 25), None);
        let told = in_words(18.4, 25).unwrap();
        assert!(told.contains("takes about 18 seconds or longer on one worker"), "{told}");
        assert!(told.contains("makes 25 passes"), "{told}");
        assert!(told.lines().all(|line| line.chars().count() <= 80), "{told}");
    }

    #[test]
    fn the_steps_decide_and_not_the_numbers() {
        let pair = |a, b| Pair::new(a, b).unwrap();
        assert_eq!(note(&[pair(u64::MAX, u64::MAX)], 1000, gcd), None);
        assert_eq!(note(&ten_pairs()[..0], 1000, gcd), None);
        let told = note(&[pair(u64::MAX, u64::MAX - 1)], 4, gcd).unwrap();
        assert!(told.contains(" years "), "{told}");
        // A quicker task of as many steps: the task that runs is the one that is measured.
        assert!(seconds_per_step(euclid) < seconds_per_step(gcd));
    }
}
