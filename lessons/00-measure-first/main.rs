//! Lesson 0: where the time goes.

#![forbid(unsafe_code)]

use kernel::{Pair, euclid, gcd, read_pairs};
use report::{Lesson, Predicted, Run, Stopwatch};
use spans::{Gcd, Task};
use std::num::NonZeroUsize;
use std::{error::Error, io::Write, process::ExitCode};

fn main() -> ExitCode {
    report::present(&Lesson::of(include_str!("lesson.toml")), lesson)
}

/// Euclid's algorithm as a task, to be timed beside the countdown.
struct Euclid;

impl Task for Euclid {
    type In = Pair;
    type Out = u64;
    fn run(pair: Pair) -> u64 {
        euclid(pair)
    }
}

fn lesson(run: &mut Run) -> Result<(), Box<dyn Error>> {
    let text: String = run.pairs().iter().map(|p| format!("{} {}\n", p.a(), p.b())).collect();
    let mut answers = Vec::new();
    let mut watch = Stopwatch::new();
    for _ in 0..=run.rounds() {
        // ANCHOR: program
        let pairs =
            watch.time("read", || read_pairs(&text)).map_err(|(_, problem)| problem.to_string())?;
        answers = watch.time("gcd", || pairs.into_iter().map(gcd).collect());
        let mut page = Vec::new();
        watch.time("print", || answers.iter().try_for_each(|answer| writeln!(page, "{answer}")))?;
        // ANCHOR_END: program
    }

    run.setup(NonZeroUsize::MIN)?;
    run.shares(&watch)?;

    let mut table = run.table();
    table.bare_loop::<Gcd>("counting down", Predicted::OneAtATime);
    table.bare_loop::<Euclid>("Euclid's algorithm", Predicted::Unknown);
    run.measure(table)?;

    let ratio = run.seconds("counting down") / run.seconds("Euclid's algorithm");
    run.say("Better", &format!("Euclid's is {} times as fast, on one core", report::ratio(ratio)))?;
    run.say(
        "Stand-in",
        "The countdown stays all the same. It stands for work that has no better algorithm: from \
         here on, only the way it is run may change.",
    )?;
    run.answers(&answers)
}
