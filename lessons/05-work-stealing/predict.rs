//! Lesson 5's prediction: a schedule that is not fixed.

#![forbid(unsafe_code)]

use predict::{Asked, Prediction, Row};
use schedule::Policy;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::of_pairs(include_str!("lesson.toml"), prediction)
}

/// The name of rayon's row.
const RAYON: &str = "rayon, as it comes";

fn prediction(asked: &Asked) -> Prediction {
    let mut prediction = Prediction::new(
        format!(
            "Rayon halves the items among {}, and an idle thread steals\n\
             from the others. How many times as fast as the loop is rayon?\n\
             Guess on paper, too: is the speed-up the same in every run?",
            asked.threads()
        ),
        RAYON,
        "Rayon splits into few pieces, and further only where a piece is\n\
         stolen; with few uneven items the result is a matter of luck.\n\
         with_max_len(1) splits down to single items, and comes near the\n\
         queue. The range goes from the slowest to the fastest of the\n\
         schedules above: what to expect, not a bound.",
    );
    prediction.rows = vec![rayon(asked)];
    prediction
}

/// Rayon's default follows none of the policies, so rayon's row has a range and no single number.
fn rayon(asked: &Asked) -> Row {
    let all = Policy::ALL.map(|policy| asked.speedup(policy));
    let least = all.into_iter().min_by(f64::total_cmp).unwrap_or(1.0);
    let most = all.into_iter().max_by(f64::total_cmp).unwrap_or(1.0);
    let note = "no fixed schedule: which thread steals what is luck";
    Row { range: (least, most), ..Row::new(RAYON, least, note) }
}
