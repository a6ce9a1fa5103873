//! Guess first, then see what arithmetic says. Nothing is run: no thread, no process, no clock.
//!
//! Without a guess a prediction shows the work and asks one question, and stops, since a guess
//! made beside the answer teaches nothing. With a guess it shows the answer and what else follows
//! from the same numbers.

mod leverage;

use crate::Failure;
use crate::words::{LABEL, count, list, paragraph};
use kernel::{Pair, euclid, read_pairs_file, steps, ten_pairs};
use report::{Lesson, bars, ratio, speedup as shown_speedup, steps as steps_of};
use schedule::{Policy, bound, makespan, plan, speedup};
use std::cmp::Ordering;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

/// What is to be predicted, checked and ready.
#[derive(Clone, Debug)]
pub struct Asked {
    lesson: Lesson,
    guess: Option<f64>,
    workers: NonZeroUsize,
    file: Option<PathBuf>,
    pairs: Vec<Pair>,
    costs: Vec<u64>,
    total: u64,
    longest: u64,
}

impl Asked {
    /// A prediction for this lesson, with a guess or without, for this many workers, on the pairs
    /// of a file or on the ten.
    ///
    /// # Errors
    /// [`Failure::Input`] if the file cannot be used, or if its steps are too many to count.
    pub fn new(
        lesson: Lesson,
        guess: Option<f64>,
        workers: NonZeroUsize,
        file: Option<PathBuf>,
    ) -> Result<Self, Failure> {
        let pairs = match &file {
            Some(path) => read_pairs_file(path).map_err(Failure::input)?,
            None => ten_pairs(),
        };
        let costs: Vec<u64> = pairs.iter().copied().map(steps).collect();
        let total =
            costs.iter().try_fold(0u64, |sum, &cost| sum.checked_add(cost)).ok_or_else(|| {
                let file = file.as_deref().unwrap_or(Path::new("")).display().to_string();
                let file = file.escape_debug();
                Failure::input(format!(
                    "{file}: all these pairs take more steps than 64 bits can count"
                ))
            })?;
        let longest = costs.iter().copied().max().unwrap_or(0);
        Ok(Self { lesson, guess, workers, file, pairs, costs, total, longest })
    }

    fn speedup(&self, policy: Policy) -> f64 {
        speedup(policy, &self.costs, self.workers)
    }

    fn bound(&self) -> f64 {
        bound(&self.costs, self.workers)
    }

    /// total / longest: the bound for as many workers as you like.
    fn any_number(&self) -> f64 {
        self.total as f64 / self.longest as f64
    }

    /// "2 threads", "1 thread".
    fn threads(&self) -> String {
        count(self.workers.get(), "thread")
    }

    /// The command that was typed, with a guess put in.
    fn command(&self, guess: &str) -> String {
        let mut command = format!("just predict-{} {guess}", self.lesson.number);
        if self.workers.get() != 2 {
            command += &format!(" --workers {}", self.workers);
        }
        if let Some(file) = &self.file {
            command += &format!(" --pairs {}", file.display());
        }
        command
    }
}

/// Prints the items and the question, or with a guess the answer.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(asked: &Asked, out: &mut impl Write) -> io::Result<()> {
    let Lesson { number, name, question, .. } = asked.lesson;
    paragraph(out, &format!("Predict {number}"), &format!("{name}   {question}"))?;
    match asked.guess {
        // Its work is not the pairs, and its question has an answer of its own.
        None if number == 7 => leverage::print_question(asked, out),
        Some(guess) if number == 7 => leverage::print_answer(asked, guess, out),
        None => print_question(asked, out),
        Some(guess) => print_answer(asked, guess, out),
    }
}

fn print_question(asked: &Asked, out: &mut impl Write) -> io::Result<()> {
    print_items(asked, out)?;
    paragraph(out, "Question", &question(asked))?;
    paragraph(out, "Guess", &format!("{}   (any number; nothing is run)", asked.command("1.9")))
}

fn print_items(asked: &Asked, out: &mut impl Write) -> io::Result<()> {
    paragraph(
        out,
        "Items",
        &format!("{}, and the steps of each", count(asked.pairs.len(), "pair")),
    )?;
    for bar in bars(&asked.costs, 40) {
        writeln!(out, "{bar}")?;
    }
    let longest = 1 + asked.costs.iter().position(|&cost| cost == asked.longest).unwrap_or(0);
    paragraph(
        out,
        "",
        &format!("{} steps in all; item {longest} is the longest", steps_of(asked.total)),
    )
}

/// What the reader is asked: one number to guess, and what else to think of.
fn question(asked: &Asked) -> String {
    let threads = asked.threads();
    let workers = count(asked.workers.get(), "worker");
    match asked.lesson.number {
        0 => "Each step of the countdown tries one number. Euclid's algorithm gives the\n\
              same answers with fewer divisions than that. How many times fewer?\n\
              Guess on paper, too: of the whole program (read the pairs, compute,\n\
              print), which share of the time is gcd? The lesson measures it."
            .to_owned(),
        1 => "You may have as many workers as you like, and any schedule, but an item\n\
              is run by one worker from its start to its end. How many times as fast\n\
              as the loop can all the items be done at most?"
            .to_owned(),
        2 => format!(
            "The items are dealt to {threads} in contiguous chunks of equal size, rounded\n\
             up. How many times as fast as the loop is that?\n\
             Guess on paper, too: would one queue for all be faster? And what is left\n\
             of the gain if every step needs one lock that all threads share?"
        ),
        3 => format!(
            "A pool of {threads} keeps what it has started; its queue is that of lesson 2.\n\
             How many times as fast as the loop are these items, mapped once?\n\
             Guess on paper, too: what changes if you map a thousand times?"
        ),
        4 => format!(
            "The pool has {workers} as before, and each is a process now, fed from a queue.\n\
             How many times as fast as the loop are these items?\n\
             Guess on paper, too: if every step needs one global lock, what do threads\n\
             gain, and what do processes gain?"
        ),
        6 => format!(
            "The items run in an interpreter that holds one lock while it works, and\n\
             {threads} run it at once. How many times as fast as the loop is that?\n\
             Guess on paper, too: what do processes gain, each with its own interpreter?\n\
             And threads, if each item waits for 20 milliseconds and computes nothing?"
        ),
        8 => format!(
            "The hot spot is now a native module, called from Python. It lets go of the\n\
             interpreter lock while it computes, and {threads} call it. How many times as\n\
             fast as one call after the other is that?\n\
             Guess on paper, too: what if it keeps the lock? And how many times as fast as\n\
             pure Python is the module on one core?"
        ),
        _ => format!(
            "Rayon halves the items among {threads}, and who is idle steals from the\n\
             others. How many times as fast as the loop is that?\n\
             Guess on paper, too: is it the same number in every run?"
        ),
    }
}

/// One line of the answer: a way to run the items, and what it gains.
struct Row {
    name: &'static str,
    /// From and to; the same number twice where the schedule is fixed.
    range: (f64, f64),
    /// A few words on why.
    note: String,
    /// Not held against the guess: the row limits or repeats another.
    aside: bool,
}

impl Row {
    fn new(name: &'static str, speedup: f64, note: impl Into<String>) -> Self {
        Self { name, range: (speedup, speedup), note: note.into(), aside: false }
    }

    fn shown(&self) -> String {
        let (from, to) = (shown_speedup(self.range.0), shown_speedup(self.range.1));
        if from == to { from } else { format!("{} to {to}", from.trim_end_matches('x')) }
    }

    /// How far a guess is off, as a factor of at least 1.
    fn distance(&self, guess: f64) -> f64 {
        let (from, to) = self.range;
        if guess < from {
            from / guess
        } else if guess > to {
            guess / to
        } else {
            1.0
        }
    }
}

fn print_answer(asked: &Asked, guess: f64, out: &mut impl Write) -> io::Result<()> {
    let workers = count(asked.workers.get(), "worker");
    let total = asked.total;
    let what = if asked.lesson.number == 0 { " fewer divisions" } else { "" };
    paragraph(out, "Your guess", &format!("{}{what}", shown_speedup(guess)))?;
    paragraph(
        out,
        "Prediction",
        &format!("{} steps, longest item {}", steps_of(total), steps_of(asked.longest)),
    )?;
    if asked.lesson.number == 0 {
        return print_euclid(asked, guess, out);
    }

    let queue = asked.speedup(Policy::Queue);
    let mut rows = policy_rows(asked);
    match asked.lesson.number {
        3 => rows.push(Row {
            aside: true,
            ..Row::new("a thread pool", queue, "a queue again: the work is as long as before")
        }),
        5 => rows.push(rayon_row(asked)),
        _ => {}
    }
    print_rows(&rows, out)?;
    let locked_when = match asked.lesson.number {
        6 | 8 => "  under one interpreter lock:",
        _ => "  now every step needs one global lock, as in Python:",
    };
    writeln!(out, "{locked_when}")?;
    let threads = Row::new("threads, one lock", 1.0, "one step at a time, whoever takes it");
    let processes = Row::new("processes, a lock each", queue, "nobody waits for another's lock");
    let mut locked = vec![threads, Row { aside: true, ..processes }];
    match asked.lesson.number {
        6 => locked.push(Row { aside: true, ..waits_row(asked) }),
        8 => locked.push(Row { aside: true, ..Row::new(RELEASED, queue, "others run meanwhile") }),
        _ => {}
    }
    print_rows(&locked, out)?;
    rows.extend(locked);

    paragraph(out, "Nearest", &nearest(asked, guess, &rows, answer_name(asked)))?;
    paragraph(out, "Why", &why(asked, &workers))?;
    print_table(asked, out)?;
    paragraph(out, "Next", &format!("just lesson-{}", asked.lesson.number))
}

fn policy_rows(asked: &Asked) -> Vec<Row> {
    let workers = asked.workers.get();
    let any = asked.any_number();
    let divided =
        format!("{} / {}: total / longest item", steps_of(asked.total), steps_of(asked.longest));
    let limit = if any < workers as f64 {
        "the longest item alone takes that long"
    } else {
        "one for each worker, and no more"
    };
    let policy =
        |policy: Policy, note: String| Row::new(policy.name(), asked.speedup(policy), note);
    let mut rows = vec![
        Row::new("any number of workers", any, divided),
        Row { aside: true, ..Row::new("the bound", asked.bound(), limit) },
        policy(Policy::Queue, "who is free takes the next item".to_owned()),
        policy(Policy::CeilChunks, sizes(asked, Policy::CeilChunks)),
        policy(Policy::BalancedChunks, sizes(asked, Policy::BalancedChunks)),
        policy(Policy::LongestFirst, "a queue, sorted by cost: it must be known".to_owned()),
    ];
    // The bound is what the guess is held against in lesson 1 only: elsewhere nothing reaches it.
    rows[0].aside = asked.lesson.number != 1;
    rows
}

/// How many items each worker gets: "5 and 5 items".
fn sizes(asked: &Asked, policy: Policy) -> String {
    let mut sizes = vec![0usize; asked.workers.get()];
    for slot in plan(policy, &asked.costs, asked.workers) {
        sizes[slot.worker] += 1;
    }
    if sizes.len() <= 10 {
        let items = if sizes == [1] { "item" } else { "items" };
        format!("{} {items}", list(&sizes))
    } else {
        let idle = sizes.iter().filter(|&&size| size == 0).count();
        format!("{} at most; {} without one", count(sizes[0], "item"), count(idle, "worker"))
    }
}

/// The row of native code that lets go of the lock.
const RELEASED: &str = "native, lock let go";

/// Items that wait and compute nothing: they all cost the same, and nobody needs the lock.
fn waits_row(asked: &Asked) -> Row {
    let equal = vec![1; asked.costs.len().min(10)];
    let gain = speedup(Policy::Queue, &equal, asked.workers);
    Row::new("threads that wait", gain, "who waits lets go of the lock")
}

/// Rayon's default follows none of the policies, so it has a range and no number.
fn rayon_row(asked: &Asked) -> Row {
    let all = Policy::ALL.map(|policy| asked.speedup(policy));
    let least = all.into_iter().min_by(f64::total_cmp).unwrap_or(1.0);
    let most = all.into_iter().max_by(f64::total_cmp).unwrap_or(1.0);
    let note = "no fixed schedule: who steals what is luck";
    Row { range: (least, most), ..Row::new("rayon, as it comes", least, note) }
}

fn print_rows(rows: &[Row], out: &mut impl Write) -> io::Result<()> {
    for row in rows {
        let line = format!("  {:<24}{:>13}   {}", row.name, row.shown(), row.note);
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// Which row the question asked for.
fn answer_name(asked: &Asked) -> &'static str {
    match asked.lesson.number {
        1 => "any number of workers",
        2 => Policy::CeilChunks.name(),
        3 | 4 => Policy::Queue.name(),
        6 => "threads, one lock",
        8 => RELEASED,
        _ => "rayon, as it comes",
    }
}

/// What the guess was right or wrong about, in sentences.
fn nearest(asked: &Asked, guess: f64, rows: &[Row], answer: &str) -> String {
    let mut text = String::new();
    if let Some(row) = rows.iter().find(|row| row.name == answer) {
        let verdict = match row.distance(guess) {
            off if off < 1.005 && row.range.0 < row.range.1 => "lies in that range".to_owned(),
            off if off < 1.005 => "hits it".to_owned(),
            off => off_by(off, guess > row.range.1),
        };
        text += &format!("asked was: {answer}, {}\n", row.shown());
        text += &format!("your {} {verdict}\n", shown_speedup(guess));
    }
    let held: Vec<&Row> = rows.iter().filter(|row| !row.aside).collect();
    let best = held.iter().map(|row| row.distance(guess)).min_by(f64::total_cmp);
    if let Some(best) = best {
        let near = held.iter().filter(|row| row.distance(guess) <= best + 0.001);
        let near: Vec<String> = near.map(|row| format!("{} ({})", row.name, row.shown())).collect();
        text += "nearest of all: ";
        text += &if near.len() > 3 { "nearly every row above".to_owned() } else { list(&near) };
        text.push('\n');
    }
    let limit = if asked.lesson.number == 1 { asked.any_number() } else { asked.bound() };
    if guess > limit + 0.005 {
        text += "it is above the bound: no schedule of these items can be that fast";
    } else if guess < 0.995 {
        text += "below 1.00x is slower than the loop: items alone never cost that, what is\n\
                 around them can, and the arithmetic above leaves that out";
    }
    text
}

/// How far a guess is off, said as people say it: in percent, or from twice on in times.
fn off_by(off: f64, above: bool) -> String {
    let factor = ratio(off);
    match (off < 2.0, above) {
        (true, true) => format!("is {:.0} % above it", (off - 1.0) * 100.0),
        (true, false) => format!("is {:.0} % below it", (1.0 - 1.0 / off) * 100.0),
        (false, true) => format!("is {factor} times as much"),
        (false, false) => format!("must be taken {factor} times to reach it"),
    }
}

/// What the lesson's own question comes down to.
fn why(asked: &Asked, workers: &str) -> String {
    let threads = asked.threads();
    let chunks = asked.speedup(Policy::CeilChunks);
    let queue = asked.speedup(Policy::Queue);
    match asked.lesson.number {
        1 => {
            let any = asked.any_number();
            let enough = count(any.ceil() as usize, "worker");
            let sets = if any < asked.workers.get() as f64 {
                "the longest item sets"
            } else {
                "the number of workers sets"
            };
            format!(
                "While its worker runs the longest item, the others can at best do all the\n\
                 rest: the time is never less than that one item. From {enough} on\n\
                 another one cannot help. With {workers}, {sets} the bound."
            )
        }
        2 => {
            let compared = match shown(queue).total_cmp(&shown(chunks)) {
                Ordering::Greater => "The queue is better here",
                Ordering::Less => "The queue is worse here",
                Ordering::Equal => "The queue gains the same here",
            };
            format!(
                "Chunks are dealt before anybody knows what they cost; the last to be done\n\
                 decides. {compared}, and neither of them knows the costs.\n\
                 One lock for every step leaves one thread working at any moment: 1.00x."
            )
        }
        3 => format!(
            "What a pool saves is starts. Mapped once, {threads} must be started either way:\n\
             one map shows nothing. Mapped a thousand times, scoped threads make {} starts\n\
             and the pool makes {}.",
            asked.workers.get() * 1000,
            asked.workers
        ),
        4 => "Without a lock processes gain what threads gain, less the trip of each item\n\
              and answer, which the arithmetic leaves out and the lesson measures.\n\
              With one lock for every step, threads stay at 1.00x; a process has its own."
            .to_owned(),
        6 => "Threads take turns, one of them at a time: 1.00x. Each process has its own\n\
              interpreter, and so its own lock. Who waits lets go of the lock, so that\n\
              waiting threads wait at the same time."
            .to_owned(),
        8 => "Native code holds the lock like any other unless it lets go: being native\n\
              gains nothing by itself on two cores. It lets go, and its threads follow the\n\
              queue. What the module gains on one core no arithmetic says: measure it."
            .to_owned(),
        _ => "Rayon splits into few pieces and cuts further only where something is stolen;\n\
              with few uneven items the result is luck. with_max_len(1) cuts down to single\n\
              items, and comes near the queue. The range is from the least to the greatest\n\
              of the schedules above: what to expect, not a bound."
            .to_owned(),
    }
}

/// The number as its two printed decimals say it, so that equal prints compare equal.
fn shown(speedup: f64) -> f64 {
    (speedup * 100.0).round()
}

fn print_table(asked: &Asked, out: &mut impl Write) -> io::Result<()> {
    paragraph(out, "Workers", "  chunks  balanced    queue  longest first    bound")?;
    let columns = [Policy::CeilChunks, Policy::BalancedChunks, Policy::Queue, Policy::LongestFirst];
    let mut puzzle = None;
    for number in 2..=10 {
        let Some(workers) = NonZeroUsize::new(number) else { continue };
        let cell = |policy| format!("{:.2}", speedup(policy, &asked.costs, workers));
        let [chunks, balanced, queue, longest_first] = columns.map(cell);
        let bound = format!("{:.2}", bound(&asked.costs, workers));
        write!(
            out,
            "  {number:>4}{:LABEL$}{chunks:>2}{balanced:>10}{queue:>9}{longest_first:>15}{bound:>9}",
            "",
        )?;
        // The first row that loses to the one above it is the one worth a question.
        let loses = number > 2 && puzzle.is_none() && loses_to_fewer(asked, workers);
        if loses {
            puzzle = Some(workers);
            write!(out, "   <- why does {number} lose to {}?", number - 1)?;
        }
        writeln!(out)?;
    }
    match puzzle {
        Some(workers) => paragraph(out, "", &puzzle_hint(asked, workers)),
        None => Ok(()),
    }
}

fn fewer(workers: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(workers.get() - 1).unwrap_or(NonZeroUsize::MIN)
}

/// Do chunks, rounded up, gain visibly less than with one worker fewer?
fn loses_to_fewer(asked: &Asked, workers: NonZeroUsize) -> bool {
    let gain = |workers| shown(speedup(Policy::CeilChunks, &asked.costs, workers));
    gain(workers) < gain(fewer(workers))
}

/// What to look at to answer "why does 4 lose to 3?": the chunk that is done last, in both.
fn puzzle_hint(asked: &Asked, workers: NonZeroUsize) -> String {
    let line = |workers: NonZeroUsize| {
        let slots = plan(Policy::CeilChunks, &asked.costs, workers);
        let end = makespan(Policy::CeilChunks, &asked.costs, workers);
        let slowest = slots.iter().find(|slot| slot.end == end).map_or(0, |slot| slot.worker);
        let items: Vec<usize> =
            slots.iter().filter(|slot| slot.worker == slowest).map(|slot| slot.item + 1).collect();
        let items = match items[..] {
            [only] => format!("item {only}"),
            [first, .., last] => format!("items {first} to {last}"),
            [] => String::new(),
        };
        format!("{workers} workers: the last to be done has {items}, {} steps", steps_of(end))
    };
    format!("{}\n{}", line(fewer(workers)), line(workers))
}

/// Lesson 0's answer: what a better algorithm saves, beside what cores could.
fn print_euclid(asked: &Asked, guess: f64, out: &mut impl Write) -> io::Result<()> {
    let divisions: u64 = asked.pairs.iter().copied().map(euclid_divisions).sum();
    // Every pair has at least one division, so nothing is divided by zero here.
    let saved = asked.total as f64 / divisions as f64;
    let rows = [
        Row::new("Euclid's algorithm", saved, format!("{divisions} divisions in all, on one core")),
        Row {
            aside: true,
            ..Row::new(
                "any number of workers",
                asked.any_number(),
                "the countdown's bound: total / longest item",
            )
        },
        Row {
            aside: true,
            ..Row::new("the bound", asked.bound(), format!("for {} of them", asked.workers))
        },
    ];
    print_rows(&rows, out)?;
    let off = rows[0].distance(guess);
    let verdict = if off < 1.005 { "hits it".to_owned() } else { off_by(off, guess > saved) };
    let nearest = format!(
        "asked was: Euclid's algorithm, {}\nyour {} {verdict}",
        rows[0].shown(),
        shown_speedup(guess)
    );
    paragraph(out, "Nearest", &nearest)?;
    paragraph(
        out,
        "Why",
        "A better algorithm changes the amount of work; cores only divide it. So look\n\
         for the algorithm first. The kit keeps its countdown as a stand-in for work\n\
         that has no better one.",
    )?;
    paragraph(out, "Next", &format!("just lesson-{}", asked.lesson.number))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::LESSONS;

    fn two() -> NonZeroUsize {
        NonZeroUsize::new(2).unwrap()
    }

    #[test]
    fn rayon_has_a_range_and_the_rest_a_number() {
        let asked = Asked::new(LESSONS[5], Some(1.9), two(), None).unwrap();
        assert_eq!(rayon_row(&asked).shown(), "1.84 to 1.99x");
        assert!(policy_rows(&asked).iter().all(|row| row.range.0 == row.range.1));
    }

    #[test]
    fn the_question_names_a_row_that_is_printed() {
        for &lesson in LESSONS.iter().filter(|lesson| ![0, 7].contains(&lesson.number)) {
            let asked = Asked::new(lesson, Some(1.9), two(), None).unwrap();
            let mut rows = policy_rows(&asked);
            rows.push(rayon_row(&asked));
            rows.push(Row::new("threads, one lock", 1.0, ""));
            rows.push(Row::new(RELEASED, 1.9, ""));
            assert!(rows.iter().any(|row| row.name == answer_name(&asked)), "{}", lesson.name);
        }
    }

    #[test]
    fn without_a_guess_no_speedup_is_given_away() {
        for &lesson in LESSONS {
            let asked = Asked::new(lesson, None, two(), None).unwrap();
            let mut out = Vec::new();
            print(&asked, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            for spoiler in ["1.84", "1.97", "1.99", "5.39", "2.00x", "1.00x"] {
                assert!(!text.contains(spoiler), "{spoiler} in\n{text}");
            }
        }
    }
}
