//! The check of exercise 1. The check asks for nothing that the exercise does not say.

use crate::{bound, enough_workers, longest, total};
use checks::{Checks, same};
use kernel::{steps, ten_pairs};
use std::process::ExitCode;

/// Checks the four functions, one after the other.
pub fn run() -> ExitCode {
    let file = "lessons/01-serial/exercise/exercise.rs";
    let mut checks = Checks::of(1, "the bound, by hand", file);
    checks.that("the total is right", || {
        same("total(&[1, 2, 3])", &total(&[1, 2, 3]), &6)?;
        same("the total of the ten pairs", &total(&ten()), &20_620_754)
    });
    checks.that("the longest item is right", || {
        same("longest(&[1, 3, 2])", &longest(&[1, 3, 2]), &3)?;
        same("the longest of the ten pairs", &longest(&ten()), &3_823_804)
    });
    checks.that("few workers are limited by their number", || {
        close("bound(&[1, 1, 1, 1], 2)", bound(&[1, 1, 1, 1], 2), 2.0)?;
        close("the bound of the ten pairs on 2 workers", bound(&ten(), 2), 2.0)?;
        close("bound(&[7], 1)", bound(&[7], 1), 1.0)
    });
    checks.that("many workers are limited by the longest item", || {
        close("bound(&[2, 3], 2)", bound(&[2, 3], 2), 5.0 / 3.0)?;
        let by_hand = 20_620_754.0 / 3_823_804.0;
        close("the bound of the ten pairs on 8 workers", bound(&ten(), 8), by_hand)?;
        close("bound(&[7], 1000)", bound(&[7], 1000), 1.0)
    });
    checks.that("one worker more than enough gains nothing, one less loses", || {
        same("enough_workers(&[1, 1, 1, 1])", &enough_workers(&[1, 1, 1, 1]), &4)?;
        same("enough_workers(&[7])", &enough_workers(&[7]), &1)?;
        same("enough_workers(&[2, 3])", &enough_workers(&[2, 3]), &2)?;
        same("enough workers for the ten pairs", &enough_workers(&ten()), &6)
    });
    checks.finish(
        "On the ten pairs a seventh worker can never help: it would wait\n\
         for item 8. The bound is not a promise: lesson 2 shows what\n\
         schedules really gain.",
    )
}

/// The costs of the ten pairs, in steps.
fn ten() -> Vec<u64> {
    ten_pairs().into_iter().map(steps).collect()
}

fn close(what: &str, yours: f64, wanted: f64) -> Result<(), String> {
    if (yours - wanted).abs() < 0.005 {
        return Ok(());
    }
    Err(format!("{what}\n  yours:  {yours:.2}\n  wanted: {wanted:.2}"))
}
