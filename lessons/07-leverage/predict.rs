//! Lesson 7's prediction: a machine in three numbers, and the break-even that follows.
//!
//! The numbers are chosen, not measured, so that the answer is the same everywhere. `just advise`
//! takes this machine's.

#![forbid(unsafe_code)]

use predict::{Asked, Out, print_next, print_question};
use report::words::paragraph;
use report::{grouped, speedup as shown, time};
use schedule::leverage::{Capacity, Costs, Job, break_even, speedup};
use std::io;
use std::num::NonZeroUsize;
use std::process::ExitCode;

fn main() -> ExitCode {
    predict::main(include_str!("lesson.toml"), question, answer)
}

/// A machine that is easy to reckon with: 10 µs a trip, a gigabyte a second.
const POOL: Costs = Costs { start: 0.0, round_trip: 10e-6, seconds_per_byte: 1e-9 };

/// How long an item computes.
const ITEM: f64 = 1e-3;

/// How many items there are: so many that they can be dealt out evenly.
const ITEMS: NonZeroUsize = NonZeroUsize::new(5040).expect("not zero");

/// What an item and its answer weigh in the question.
const BYTES: u64 = 250_000;

fn question(asked: &Asked, mut out: Out) -> io::Result<()> {
    let workers = asked.workers_in_words();
    paragraph(
        &mut out,
        "Work",
        &format!(
            "an item computes for {}, and it and its answer are {} bytes\n\
             a trip to a process takes {}, and {} bytes go in a second",
            time(ITEM),
            grouped(BYTES),
            time(POOL.round_trip),
            grouped((1.0 / POOL.seconds_per_byte).round() as u64)
        ),
    )?;
    print_question(
        asked,
        &format!(
            "A pool of {workers} has a core for each. How many times as fast as the\n\
             loop does it run many such items?\n\
             Guess on paper, too: how long must an item compute for the pool to win?\n\
             And what changes if it takes 16 bytes?"
        ),
        out,
    )
}

fn answer(asked: &Asked, guess: f64, mut out: Out) -> io::Result<()> {
    let capacity = Capacity { workers: asked.workers, cores: asked.workers };
    let gain = |bytes| speedup(Job { items: ITEMS, seconds: ITEM, bytes }, POOL, capacity);
    let answer = gain(BYTES);
    paragraph(&mut out, "Your guess", &shown(guess))?;
    let off = (guess / answer - 1.0) * 100.0;
    let verdict = match off.round() as i64 {
        0 => "hits it".to_owned(),
        off if off > 0 => format!("is {off} % above it"),
        off => format!("is {} % below it", -off),
    };
    paragraph(
        &mut out,
        "Answer",
        &format!("{}, and your {} {verdict}", shown(answer), shown(guess)),
    )?;
    paragraph(&mut out, "Bytes", " speed-up   pays if an item computes longer than")?;
    for (words, bytes) in
        [("16", 16), ("64 KiB", 64 << 10), ("250,000", BYTES), ("16 MiB", 16 << 20)]
    {
        let even = break_even(ITEMS, bytes, POOL, capacity).map_or("never".to_owned(), time);
        writeln!(out, "  {words:<11}{:>9}   {even}", shown(gain(bytes)))?;
    }
    let (trip, moved) = (POOL.round_trip, BYTES as f64 * POOL.seconds_per_byte);
    paragraph(
        &mut out,
        "Why",
        &format!(
            "A trip takes {}, and the bytes take {}: {} beside {}\n\
             of computing. The workers share both. So the pool gains its workers, times the\n\
             part of an item's time that is computing; and never more than the caller can carry.",
            time(trip),
            time(moved),
            time(trip + moved),
            time(ITEM)
        ),
    )?;
    print_next(asked, out)
}
