//! A lesson's run: what its body asks for, measures and prints.
//!
//! What a run says before it measures stands here; `tables` measures, and `schedules` draws.

use crate::core_line::{executor_line, task_line};
use crate::format::{counted, grouped, speedup, steps, steps_like};
use crate::json::{Document, PredictionDocument};
use crate::measure::{Disagreement, Measured, passes};
use crate::options::{Extras, Options, OwnOptions, PairTask};
use crate::pace;
use crate::session::{self, Session};
use crate::{Lesson, bars};
use kernel::{Pair, ten_pairs};
use schedule::{Policy, bound};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::OsStr;
use std::io::Write;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::{env, mem};

/// A lesson's `main`: reads the options, prints the lesson's head, runs its body, prints its foot.
///
/// The exit status is that of [`session::main`].
pub fn present(
    lesson: &Lesson,
    body: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    present_with(lesson, &Extras::NONE, body)
}

/// The same for a lesson with options of its own.
pub fn present_with(
    lesson: &Lesson,
    extras: &Extras,
    body: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    session::main(Options::read(lesson, extras, env::args_os()), |options| {
        let task = (extras.task)(&options.extras);
        let Options { workers, pairs, rounds, destination, extras } = options;
        let mut run = Run {
            session: Session::begin(lesson, destination)?,
            workers,
            pairs,
            rounds,
            extras,
            rows: Vec::new(),
            drawn: Vec::new(),
            figures: BTreeMap::new(),
            answers: Vec::new(),
            facts: BTreeMap::new(),
            instead: None,
        };
        run.note_long_pairs(task);
        body(&mut run)?;
        run.end()
    })
}

/// A lesson that is running.
///
/// Each method that prints fails if standard output cannot be written, and prints nothing if
/// `--json` was given.
pub struct Run {
    pub(crate) session: Session,
    pub(crate) workers: NonZeroUsize,
    pub(crate) pairs: Vec<Pair>,
    pub(crate) rounds: usize,
    extras: OwnOptions,
    /// The rows of all tables so far.
    pub(crate) rows: Vec<Measured>,
    /// The rows whose schedules were shown, by their places in `rows`.
    pub(crate) drawn: Vec<usize>,
    pub(crate) figures: BTreeMap<String, f64>,
    /// What every row of the lesson's own table answered.
    pub(crate) answers: Vec<u64>,
    /// What else the document shall hold, by name.
    facts: BTreeMap<&'static str, Value>,
    /// A drawing and a document in place of the run's own.
    instead: Option<(String, Value)>,
}

impl Run {
    /// Says on standard error how long pairs of the reader's own will take on this machine, if that
    /// is long. The ten pairs are a matter of seconds everywhere.
    fn note_long_pairs(&self, task: Option<PairTask>) {
        let task = task.filter(|_| self.pairs != ten_pairs());
        if let Some(note) = task.and_then(|task| pace::note(&self.pairs, passes(self.rounds), task))
        {
            // The lesson goes on, whether the note can be read or not.
            let _ = writeln!(anstream::stderr(), "{note}");
        }
    }

    /// The pairs: the ten, or those of `--pairs`.
    pub fn pairs(&self) -> Vec<Pair> {
        self.pairs.clone()
    }

    /// How many workers to use: 2, or as many as `--workers` says.
    pub fn workers(&self) -> NonZeroUsize {
        self.workers
    }

    /// How many rounds to measure: 21, or as many as `--rounds` says.
    pub fn rounds(&self) -> usize {
        self.rounds
    }

    /// The value of an option of the lesson's own, if it was given; a flag's is empty.
    pub fn extra(&self, name: &str) -> Option<&OsStr> {
        self.extras.get(name).map(AsRef::as_ref)
    }

    /// The lesson's facts.
    pub fn lesson(&self) -> &Lesson {
        &self.session.lesson
    }

    /// Shows the line that changes, from the sources of the lessons that end with this one.
    pub fn one_change(&mut self, sources: &[&str]) -> Result<(), Box<dyn Error>> {
        let first = self.session.lesson.number + 1 - sources.len() as u32;
        let lines = sources.iter().map(|source| executor_line(source).unwrap_or("?"));
        self.changed_line((first..).zip(lines))
    }

    /// Shows the line that changes where it is not the executor's but the task's: what `pool.map`
    /// runs, in each of these lessons.
    pub fn other_task(&mut self, sources: &[(u32, &str)]) -> Result<(), Box<dyn Error>> {
        let line = |&(number, source)| (number, task_line(source).unwrap_or("?"));
        self.changed_line(sources.iter().map(line))
    }

    fn changed_line<'line>(
        &mut self,
        lines: impl Iterator<Item = (u32, &'line str)>,
    ) -> Result<(), Box<dyn Error>> {
        for (number, line) in lines {
            let (code, comment) = match line.split_once(" //") {
                Some((code, comment)) if number == self.session.lesson.number => (code, comment),
                Some((code, _)) => (code, ""),
                None => (line, ""),
            };
            let code = format!("  lesson {number}   {code}");
            if comment.is_empty() {
                self.session.screen.line(code)?;
            } else {
                self.session.screen.marked(&format!("{code:<52} "), &format!("//{comment}"))?;
            }
        }
        Ok(())
    }

    /// Says what runs, and where.
    pub fn setup(&mut self, workers: NonZeroUsize) -> Result<(), Box<dyn Error>> {
        let text = format!(
            "gcd over {}, {}, {}, interleaved",
            counted(self.pairs.len(), "pair"),
            counted(workers.get(), "worker"),
            counted(self.rounds, "round"),
        );
        self.session.say("Run", &text)?;
        self.session.machine(workers)
    }

    /// Says what the lesson runs on, with this many workers. [`setup`](Self::setup) does it too.
    pub fn machine(&mut self, workers: NonZeroUsize) -> Result<(), Box<dyn Error>> {
        self.session.machine(workers)
    }

    /// Shows what every item costs, as bars.
    pub fn items(&mut self) -> Result<(), Box<dyn Error>> {
        self.session.screen.section("Items", "each one's steps")?;
        for line in bars(&self.costs(), 50) {
            self.session.screen.line(line)?;
        }
        Ok(())
    }

    /// Says what the workers can gain at most, and what these policies should gain.
    pub fn predict(&mut self, policies: &[Policy]) -> Result<(), Box<dyn Error>> {
        let (costs, workers) = (self.costs(), self.workers);
        let (total, longest) = (costs.iter().sum(), costs.iter().copied().max().unwrap_or(0));
        let mut text = format!(
            "{} steps, longest item {}: at most {} on {}",
            steps(total),
            steps_like(longest, total),
            speedup(bound(&costs, workers)),
            counted(workers.get(), "worker"),
        );
        let policies: Vec<String> = policies
            .iter()
            .map(|&p| format!("{} {}", p.name(), speedup(schedule::speedup(p, &costs, workers))))
            .collect();
        if !policies.is_empty() {
            text = format!("{text}\n{}", policies.join(", "));
        }
        self.session.screen.section("Prediction", &text)?;
        Ok(())
    }

    /// Says what no number of workers can beat.
    pub fn bound(&mut self) -> Result<(), Box<dyn Error>> {
        let most = speedup(bound(&self.costs(), NonZeroUsize::MAX));
        let text = format!(
            "at most {most} on any number of workers: total / longest, because\n\
             one worker runs an item from its start to its end"
        );
        self.session.screen.section("Bound", &text)?;
        Ok(())
    }

    /// Prints lines as they are.
    pub fn lines(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        text.lines().try_for_each(|line| self.session.screen.line(line))?;
        Ok(())
    }

    /// Prints a table of the lesson's own: a line, the heads beside this label, and the rows.
    pub fn table_lines(&mut self, label: &str, lines: &[String]) -> Result<(), Box<dyn Error>> {
        let [above, heads, rows @ ..] = lines else { return Ok(()) };
        self.session.line(above)?;
        self.session.screen.labelled(label, heads)?;
        rows.iter().try_for_each(|row| self.session.line(row))
    }

    /// Prints something of the lesson's own under this label. A line with measured numbers is at
    /// most 67 characters, so that it breaks nowhere.
    pub fn say(&mut self, label: &str, text: &str) -> Result<(), Box<dyn Error>> {
        self.session.screen.section(label, text)?;
        Ok(())
    }

    /// Puts a number of the lesson's own among the document's figures. Times are in seconds.
    pub fn figure(&mut self, name: &str, value: f64) {
        self.figures.insert(name.to_owned(), value);
    }

    /// Puts something else into the document, under this name.
    pub fn fact(&mut self, name: &'static str, value: Value) {
        self.facts.insert(name, value);
    }

    /// Prints the answers. That they are the same from every stage was found while measuring; here
    /// they are compared once more, with those of the lesson's core.
    ///
    /// # Errors
    /// If they differ from the first contender's.
    pub fn answers(&mut self, answers: &[u64]) -> Result<(), Box<dyn Error>> {
        const SHOWN: usize = 16;
        let words: Vec<String> = answers.iter().take(SHOWN).map(u64::to_string).collect();
        let mut text = words.join(" ");
        if answers.len() > SHOWN {
            text.push_str(&format!(" … {} more", grouped((answers.len() - SHOWN) as u64)));
        }
        text.push_str(if self.session.lesson.number > 1 {
            "      the same from every stage"
        } else {
            ""
        });
        Disagreement::find("the table", "the core", &self.answers, answers)?;
        self.session.screen.section("Answers", &text)?;
        Ok(())
    }

    /// Puts this drawing and this document in the place of the run's own, and leaves the lesson's
    /// foot out: for what a lesson does in place of its table.
    pub fn instead(&mut self, drawing: String, document: Value) {
        self.instead = Some((drawing, document));
    }

    pub(crate) fn costs(&self) -> Vec<u64> {
        self.pairs.iter().map(|&pair| kernel::steps(pair)).collect()
    }

    /// Prints the foot, and writes what was asked for beside the text.
    fn end(mut self) -> Result<(), Box<dyn Error>> {
        if let Some((drawing, document)) = self.instead {
            return self.session.end(|| drawing, || Ok(document));
        }
        self.session.foot()?;
        let destination = mem::take(&mut self.session.destination);
        destination.write(|| self.drawing(), || self.document())
    }

    /// What `--json` asks for.
    fn document(&self) -> serde_json::Result<Value> {
        serde_json::to_value(Document {
            lesson: self.session.lesson.number,
            kernel: "gcd",
            workers: self.workers.get(),
            items: self.pairs.len(),
            prediction: PredictionDocument::new(&self.pairs, self.workers),
            stages: self.rows.iter().map(Into::into).collect(),
            figures: &self.figures,
            answers: &self.answers,
            facts: &self.facts,
        })
    }
}
