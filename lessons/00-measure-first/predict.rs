//! Lesson 0's prediction: what a better algorithm saves, compared with what cores could gain.

#![forbid(unsafe_code)]

use kernel::{Pair, euclid};
use predict::{
    ANY_NUMBER, Asked, Out, Row, off_by, print_guess, print_items, print_next, print_question,
    print_rows,
};
use report::speedup as shown_speedup;
use report::words::paragraph;
use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::main(include_str!("lesson.toml"), question, answer)
}

fn question(asked: &Asked, out: Out) -> io::Result<()> {
    print_items(asked, out)?;
    print_question(
        asked,
        "Each step of the countdown tries one number. Euclid's algorithm gives the\n\
         same answers with fewer divisions. How many times fewer?\n\
         Guess on paper, too: of the whole program (read the pairs, compute,\n\
         print), which share of the time is gcd? The lesson measures it.",
        out,
    )
}

fn answer(asked: &Asked, guess: f64, mut out: Out) -> io::Result<()> {
    print_guess(asked, guess, " fewer divisions", out)?;
    let divisions: u64 = asked.pairs.iter().copied().map(euclid_divisions).sum();
    // Every pair has at least one division, so nothing is divided by zero here.
    let saved = asked.total as f64 / divisions as f64;
    let rows = [
        Row::new("Euclid's algorithm", saved, format!("{divisions} divisions in all, on one core")),
        Row::new(ANY_NUMBER, asked.any_number(), "the countdown's bound: total / longest item")
            .aside(),
        Row::new("the bound", asked.bound(), format!("for {} of them", asked.workers)).aside(),
    ];
    print_rows(&rows, out)?;
    let off = rows[0].distance(guess);
    let verdict = if off < 1.005 { "hits it".to_owned() } else { off_by(off, guess > saved) };
    let nearest = format!(
        "asked was: Euclid's algorithm, {}\nyour {} {verdict}",
        rows[0].shown(),
        shown_speedup(guess)
    );
    paragraph(&mut out, "Nearest", &nearest)?;
    paragraph(
        &mut out,
        "Why",
        "A better algorithm changes the amount of work; cores only divide it. So look\n\
         for the algorithm first. The kit keeps its countdown as a stand-in for work\n\
         that has no better algorithm.",
    )?;
    print_next(asked, out)
}

/// How many divisions [`kernel::euclid`] makes for this pair.
fn euclid_divisions(pair: Pair) -> u64 {
    let (mut a, mut b) = (pair.a(), pair.b());
    let mut divisions = 0;
    while b != 0 {
        (a, b) = (b, a % b);
        divisions += 1;
    }
    debug_assert_eq!(a, euclid(pair));
    divisions
}
