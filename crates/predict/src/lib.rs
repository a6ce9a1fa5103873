//! Guess first, then see what arithmetic says. A prediction runs nothing: no thread, no process, no
//! clock.
//!
//! Without a guess, a prediction shows the work, asks one question and stops, since a guess made
//! beside the answer teaches nothing. With a guess, a prediction shows the answer and what else
//! follows from the same numbers.
//!
//! A lesson's prediction is a program of its own in the lesson's folder, `predict.rs`; this crate
//! is what these programs share. Most lessons ask about the pairs: such a lesson passes a
//! [`Prediction`] to [`of_pairs`]. A lesson whose work is not the pairs passes its own question and
//! answer to [`main`].

#![forbid(unsafe_code)]

mod options;
mod rows;

pub use options::Asked;
pub use rows::{Row, print_rows};

use curriculum::Lesson;
use report::words::{self, LABEL, list, paragraph};
use report::{bars, ratio, speedup as shown_speedup, steps as steps_of};
use rows::policy_rows;
use schedule::{Policy, bound, makespan, plan, speedup};
use std::env;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

/// Where a prediction is written.
pub type Out<'a> = &'a mut dyn Write;

/// What a lesson asks about the pairs, and what its answer says beside the arithmetic that every
/// lesson shows.
#[derive(Clone, Debug)]
pub struct Prediction {
    /// What the reader is asked: one number to guess, and what else to think of. Lines of at most
    /// 80 columns.
    pub question: String,
    /// The name of the row that was asked for: a policy's name, [`ANY_NUMBER`], or the name of one
    /// of the lesson's own rows.
    pub answer: &'static str,
    /// The reason for the answer.
    pub why: String,
    /// Further rows below those of the policies.
    pub rows: Vec<Row>,
    /// The line above the rows under one lock.
    pub under_a_lock: &'static str,
    /// Further rows below those under one lock.
    pub locked_rows: Vec<Row>,
}

impl Prediction {
    /// A question, the row that answers it, and why.
    pub fn new(question: impl Into<String>, answer: &'static str, why: impl Into<String>) -> Self {
        Self {
            question: question.into(),
            answer,
            why: why.into(),
            rows: Vec::new(),
            under_a_lock: "now every step needs one global lock, as in Python:",
            locked_rows: Vec::new(),
        }
    }
}

/// The name of the row for an unlimited number of workers.
pub const ANY_NUMBER: &str = "any number of workers";

/// The name of the row for threads under one lock.
pub const ONE_LOCK: &str = "threads, one lock";

/// The program of a lesson that asks about the pairs. `facts` is the text of its `lesson.toml`.
///
/// The exit status is 0; or 2, with one line on standard error, if what was typed cannot be used.
pub fn of_pairs(facts: &str, predict: fn(&Asked) -> Prediction) -> ExitCode {
    main(
        facts,
        |asked, out| {
            print_items(asked, out)?;
            print_question(asked, &predict(asked).question, out)
        },
        |asked, guess, out| print_answer(asked, guess, &predict(asked), out),
    )
}

/// The program of any lesson: `question` prints what is asked, and `answer` what follows a guess.
/// `facts` is the text of the lesson's `lesson.toml`.
///
/// The exit status is 0; or 2, with one line on standard error, if what was typed cannot be used.
/// If standard output is closed early, the program ends without an error.
pub fn main(
    facts: &str,
    question: impl FnOnce(&Asked, Out) -> io::Result<()>,
    answer: impl FnOnce(&Asked, f64, Out) -> io::Result<()>,
) -> ExitCode {
    let asked = match options::read(Lesson::of(facts), env::args_os()) {
        Ok(asked) => asked,
        Err(none) => return none.report(),
    };
    let mut out = anstream::stdout();
    let Lesson { number, name, question: asks, .. } = &asked.lesson;
    let written = paragraph(&mut out, &format!("Predict {number}"), &format!("{name}   {asks}"))
        .and_then(|()| match asked.guess {
            None => question(&asked, &mut out),
            Some(guess) => answer(&asked, guess, &mut out),
        })
        .and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            let _ = writeln!(anstream::stderr(), "error: the output could not be written: {error}");
            ExitCode::from(2)
        }
        _ => ExitCode::SUCCESS,
    }
}

/// Asks the question, and says how a guess is typed.
///
/// # Errors
/// If `out` cannot be written.
pub fn print_question(asked: &Asked, question: &str, mut out: Out) -> io::Result<()> {
    paragraph(&mut out, "Question", question)?;
    let guess = format!("{}   (any number; nothing is run)", asked.command("1.9"));
    paragraph(&mut out, "Guess", &guess)
}

/// Shows the pairs, and the steps of each as a bar.
///
/// # Errors
/// If `out` cannot be written.
pub fn print_items(asked: &Asked, mut out: Out) -> io::Result<()> {
    paragraph(
        &mut out,
        "Items",
        &format!("{}, and the steps of each", words::count(asked.pairs.len(), "pair")),
    )?;
    for bar in bars(&asked.costs, 40) {
        writeln!(out, "{bar}")?;
    }
    let longest = 1 + asked.costs.iter().position(|&cost| cost == asked.longest).unwrap_or(0);
    paragraph(
        &mut out,
        "",
        &format!("{} steps in all; item {longest} is the longest", steps_of(asked.total)),
    )
}

fn print_answer(
    asked: &Asked,
    guess: f64,
    prediction: &Prediction,
    mut out: Out,
) -> io::Result<()> {
    print_guess(asked, guess, "", out)?;
    let mut rows = policy_rows(asked, prediction.answer);
    rows.extend(prediction.rows.iter().cloned());
    print_rows(&rows, out)?;
    writeln!(out, "  {}", prediction.under_a_lock)?;
    let queue = asked.speedup(Policy::Queue);
    let mut locked = vec![
        Row::new(ONE_LOCK, 1.0, "one step at a time, whichever thread takes it"),
        Row::new("processes, a lock each", queue, "nobody waits for another's lock").aside(),
    ];
    locked.extend(prediction.locked_rows.iter().cloned());
    print_rows(&locked, out)?;
    rows.extend(locked);
    paragraph(&mut out, "Nearest", &nearest(asked, guess, &rows, prediction.answer))?;
    paragraph(&mut out, "Why", &prediction.why)?;
    print_table(asked, out)?;
    print_next(asked, out)
}

/// Repeats the guess, with a word on what the guess counts, and the work that the guess is about.
///
/// # Errors
/// If `out` cannot be written.
pub fn print_guess(asked: &Asked, guess: f64, what: &str, mut out: Out) -> io::Result<()> {
    paragraph(&mut out, "Your guess", &format!("{}{what}", shown_speedup(guess)))?;
    let work = format!("{} steps, longest item {}", steps_of(asked.total), steps_of(asked.longest));
    paragraph(&mut out, "Prediction", &work)
}

/// The last line: what to type next.
///
/// # Errors
/// If `out` cannot be written.
pub fn print_next(asked: &Asked, mut out: Out) -> io::Result<()> {
    paragraph(&mut out, "Next", &format!("just lesson-{}", asked.lesson.number))
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
    let limit = if answer == ANY_NUMBER { asked.any_number() } else { asked.bound() };
    if guess > limit + 0.005 {
        text += "it is above the bound: no schedule of these items can be that fast";
    } else if guess < 0.995 {
        text += "below 1.00x is slower than the loop: items alone never cost that, what is\n\
                 around them can, and the arithmetic above leaves that out";
    }
    text
}

/// How far a guess is off, in everyday words: in percent, or from a factor of two on as a factor.
///
/// `off` is the factor between guess and answer, 1 or more; `above` says that the guess is the
/// larger number.
pub fn off_by(off: f64, above: bool) -> String {
    let factor = ratio(off);
    match (off < 2.0, above) {
        (true, true) => format!("is {:.0} % above it", (off - 1.0) * 100.0),
        (true, false) => format!("is {:.0} % below it", (1.0 - 1.0 / off) * 100.0),
        (false, true) => format!("is {factor} times as much"),
        (false, false) => format!("must be taken {factor} times to reach it"),
    }
}

/// The number rounded to the two decimals that are printed, so that equal prints compare equal.
pub fn shown(speedup: f64) -> f64 {
    (speedup * 100.0).round()
}

fn print_table(asked: &Asked, mut out: Out) -> io::Result<()> {
    paragraph(&mut out, "Workers", "  chunks  balanced    queue  longest first    bound")?;
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
        // Only the first row that loses to the row above it gets a question.
        let loses = number > 2 && puzzle.is_none() && loses_to_fewer(asked, workers);
        if loses {
            puzzle = Some(workers);
            write!(out, "   <- why does {number} lose to {}?", number - 1)?;
        }
        writeln!(out)?;
    }
    match puzzle {
        Some(workers) => paragraph(&mut out, "", &puzzle_hint(asked, workers)),
        None => Ok(()),
    }
}

fn fewer(workers: NonZeroUsize) -> NonZeroUsize {
    NonZeroUsize::new(workers.get() - 1).unwrap_or(NonZeroUsize::MIN)
}

/// Whether chunks, rounded up, gain visibly less than with one worker fewer.
fn loses_to_fewer(asked: &Asked, workers: NonZeroUsize) -> bool {
    let gain = |workers| shown(speedup(Policy::CeilChunks, &asked.costs, workers));
    gain(workers) < gain(fewer(workers))
}

/// What to look at to answer "why does 4 lose to 3?": the chunk that is done last, with 4 workers
/// and with 3.
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
