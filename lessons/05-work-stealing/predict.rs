//! Lesson 5's prediction: a schedule that nobody fixed.

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
            "Rayon halves the items among {}, and an idle thread steals from the\n\
             others. How many times as fast as the loop is that?\n\
             Guess on paper, too: is it the same number in every run?",
            asked.threads()
        ),
        RAYON,
        "Rayon splits into few pieces and cuts further only where something is stolen;\n\
         with few uneven items the result is luck. with_max_len(1) cuts down to single\n\
         items, and comes near the queue. The range is from the least to the greatest\n\
         of the schedules above: what to expect, not a bound.",
    );
    prediction.rows = vec![rayon(asked)];
    prediction
}

/// Rayon's default follows none of the policies, so it has a range and no number.
fn rayon(asked: &Asked) -> Row {
    let all = Policy::ALL.map(|policy| asked.speedup(policy));
    let least = all.into_iter().min_by(f64::total_cmp).unwrap_or(1.0);
    let most = all.into_iter().max_by(f64::total_cmp).unwrap_or(1.0);
    let note = "no fixed schedule: which thread steals what is luck";
    Row { range: (least, most), ..Row::new(RAYON, least, note) }
}
