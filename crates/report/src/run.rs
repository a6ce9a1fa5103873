//! A lesson's run, from its options to its last line.

use crate::core_line::{executor_line, task_line};
use crate::format::{counted, grouped, range, share, speedup, steps, steps_like, time};
use crate::json::{Document, Prediction, Stage};
use crate::measure::{Disagreement, Measured, Outcome, Stopwatch, Table};
use crate::options::{Extras, NoOptions, Options};
use crate::picture::Picture;
use crate::screen::{OutputError, Screen, frame};
use crate::statistics::Summary;
use crate::steps::{self, Steps, StepsDocument, Trips};
use crate::{Lesson, bars, svg, text_timeline, trace_events, trip_svg};
use kernel::Pair;
use schedule::spans::{Span, now_ns};
use schedule::trip::Trip;
use schedule::{Policy, bound};
use serde_json::Value;
use std::collections::BTreeMap;
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fmt, fs, thread};

/// The title of the table whose rows go by their own names, and whose answers are the lesson's.
const MAIN_TABLE: &str = "Measured";

/// A lesson's `main`: reads the options, prints the lesson's head, runs its body, prints its foot.
///
/// The exit status is 0; 2 with one line on standard error if the options cannot be used; 1 with
/// one line if the run fails. If nobody reads standard output to its end, the lesson ends quietly.
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
    finish(lesson, Options::read(lesson, extras, false, env::args_os()), body)
}

/// As [`present`], for a lesson that also times the ten steps of an item's trip: with `--steps` or
/// `--trace`, `steps` runs in place of the body.
pub fn present_with_steps(
    lesson: &Lesson,
    body: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
    steps: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let options = Options::read(lesson, &Extras::NONE, true, env::args_os());
    finish(lesson, options, |run| if run.options.steps { steps(run) } else { body(run) })
}

/// Runs the lesson, if it has options to run with, and gives its exit status.
fn finish(
    lesson: &Lesson,
    options: Result<Options, NoOptions>,
    body: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let (message, status) = match options {
        Ok(options) => match perform(lesson, options, body) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => match error.downcast_ref::<OutputError>() {
                Some(output) if output.is_closed_pipe() => return ExitCode::SUCCESS,
                _ => (error.to_string(), if error.is::<BadInput>() { 2 } else { 1 }),
            },
        },
        Err(NoOptions::Help(help)) => {
            // Who asked for help and does not read it has had enough of it.
            let _ = write!(anstream::stdout(), "{}", help.ansi());
            return ExitCode::SUCCESS;
        }
        Err(NoOptions::Input(line)) => (line, 2),
    };
    // If standard error is closed too, the status is all that is left to say.
    let _ = writeln!(anstream::stderr(), "error: {message}");
    ExitCode::from(status)
}

fn perform(
    lesson: &Lesson,
    options: Options,
    body: impl FnOnce(&mut Run) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut run = Run {
        lesson: lesson.clone(),
        screen: Screen::new(options.json),
        options,
        stages: Vec::new(),
        drawn: Vec::new(),
        figures: BTreeMap::new(),
        answers: Vec::new(),
        facts: BTreeMap::new(),
        steps: Vec::new(),
        traced: (Vec::new(), Vec::new()),
    };
    let (head, foot) = frame(lesson);
    run.screen.line(head)?;
    body(&mut run)?;
    if !run.options.steps {
        run.screen.line(foot)?;
    }
    run.finish()
}

/// A lesson that is running: what its body asks, measures and prints.
///
/// Each method that prints fails if standard output cannot be written, and prints nothing if
/// `--json` was given.
pub struct Run {
    lesson: Lesson,
    options: Options,
    screen: Screen,
    stages: Vec<Measured>,
    /// The stages whose schedules were shown.
    drawn: Vec<usize>,
    figures: BTreeMap<String, f64>,
    /// What every row of the lesson's own table answered.
    answers: Vec<u64>,
    /// What else the document shall hold, by name.
    facts: BTreeMap<&'static str, Value>,
    steps: Vec<Steps>,
    /// The workers' processes, and the trips for the trace.
    traced: (Vec<u32>, Vec<Trip>),
}

/// What the person gave cannot be used, and it took the lesson's body to find out: the line for
/// standard error. The exit status is 2.
#[derive(Debug)]
pub struct BadInput(pub String);

impl fmt::Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadInput {}

/// A row that somebody else has measured: another program, in a run of its own.
#[derive(Clone, Debug)]
pub struct Given {
    /// Its name in the table.
    pub name: String,
    /// A line of text above it.
    pub note: Option<String>,
    /// Seconds of one round.
    pub time: Summary,
    /// The median that it is compared with, in seconds.
    pub reference: f64,
    /// What the speed-up should be.
    pub predicted: Option<f64>,
}

impl Run {
    /// The pairs: the ten, or those of `--pairs`.
    pub fn pairs(&self) -> Vec<Pair> {
        self.options.pairs.clone()
    }

    /// How many workers to use: 2, or as many as `--workers` says.
    pub fn workers(&self) -> NonZeroUsize {
        self.options.workers
    }

    /// How many rounds to measure: 21, or as many as `--rounds` says.
    pub fn rounds(&self) -> usize {
        self.options.rounds
    }

    /// The value of an option of the lesson's own, if it was given; a flag's is empty.
    pub fn extra(&self, name: &str) -> Option<&OsStr> {
        self.options.extras.get(name).map(OsString::as_os_str)
    }

    /// Shows the line that changes, from the sources of the lessons that end with this one.
    pub fn one_change(&mut self, sources: &[&str]) -> Result<(), Box<dyn Error>> {
        let first = self.lesson.number + 1 - sources.len() as u32;
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
                Some((code, comment)) if number == self.lesson.number => (code, comment),
                Some((code, _)) => (code, ""),
                None => (line, ""),
            };
            let code = format!("  lesson {number}   {code}");
            if comment.is_empty() {
                self.screen.line(code)?;
            } else {
                self.screen.marked(&format!("{code:<52} "), &format!("//{comment}"))?;
            }
        }
        Ok(())
    }

    /// Says what runs, and where.
    pub fn setup(&mut self, workers: NonZeroUsize) -> Result<(), Box<dyn Error>> {
        let text = format!(
            "gcd over {}, {}, {}, interleaved",
            counted(self.options.pairs.len(), "pair"),
            counted(workers.get(), "worker"),
            counted(self.options.rounds, "round"),
        );
        self.screen.section("Run", &text)?;
        self.machine(workers)
    }

    fn machine(&mut self, workers: NonZeroUsize) -> Result<(), Box<dyn Error>> {
        if cfg!(debug_assertions) {
            self.screen.section("Build", "not optimised: its times mean nothing; add --release")?;
        }
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let machine = match cores {
            1 => "1 core here: expect 1.00×; the rest still teaches".to_owned(),
            _ if workers.get() > cores => {
                let workers = counted(workers.get(), "worker");
                format!("{cores} cores for {workers}: expect at most {cores}.00×")
            }
            _ => counted(cores, "core"),
        };
        self.screen.section("Machine", &machine)?;
        Ok(())
    }

    /// Shows what every item costs, as bars.
    pub fn items(&mut self) -> Result<(), Box<dyn Error>> {
        self.screen.section("Items", "each one's steps")?;
        for line in bars(&self.costs(), 50) {
            self.screen.line(line)?;
        }
        Ok(())
    }

    /// Says what the workers can gain at most, and what these policies should gain.
    pub fn predict(&mut self, policies: &[Policy]) -> Result<(), Box<dyn Error>> {
        let (costs, workers) = (self.costs(), self.options.workers);
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
        self.screen.section("Prediction", &text)?;
        Ok(())
    }

    /// Says what no number of workers can beat.
    pub fn bound(&mut self) -> Result<(), Box<dyn Error>> {
        let most = speedup(bound(&self.costs(), NonZeroUsize::MAX));
        let text = format!(
            "at most {most} on any number of workers: total / longest, because\n\
             one worker runs an item from its start to its end"
        );
        self.screen.section("Bound", &text)?;
        Ok(())
    }

    /// A table with the pairs of this run. Fill it, then [`measure`](Self::measure) it.
    pub fn table<'a>(&self) -> Table<'a> {
        Table::new(MAIN_TABLE, self.pairs(), 1)
    }

    /// A table of its own, whose contenders map so many times over these pairs in each round.
    pub fn table_of<'a>(&self, title: &str, pairs: Vec<Pair>, maps: usize) -> Table<'a> {
        Table::new(title, pairs, maps)
    }

    /// Measures the contenders of this table and prints it. All their answers are compared, in
    /// every round.
    ///
    /// # Errors
    /// If a contender fails, or two do not agree.
    pub fn measure(&mut self, table: Table<'_>) -> Result<(), Box<dyn Error>> {
        let title = table.title.clone();
        let Outcome { rows, answers } = table.measure(self.options.rounds)?;
        if title == MAIN_TABLE {
            self.answers = answers;
        }
        self.print_table(&title, rows)
    }

    /// Prints a table that another program has measured. In the document its rows have the
    /// table's title behind their names, as all but the first table's have.
    pub fn given(&mut self, title: &str, rows: Vec<Given>) -> Result<(), Box<dyn Error>> {
        let measured = rows.into_iter().map(|row| Measured {
            name: row.name,
            note: row.note,
            mark: "",
            policy: None,
            predicted: row.predicted,
            time: row.time,
            speedup: row.reference / row.time.median,
            start: None,
            picture: None,
        });
        self.print_table(title, measured.collect())
    }

    fn print_table(
        &mut self,
        title: &str,
        mut measured: Vec<Measured>,
    ) -> Result<(), Box<dyn Error>> {
        let starts = measured.iter().any(|row| row.start.is_some());
        let last = if starts { "     start" } else { "" };
        self.screen.labelled(
            &format!("{title:<24}"),
            &format!(
                "{:>8}{:>13}{:>9}{:>10}{last}",
                "median", "middle half", "speed-up", "predicted"
            ),
        )?;
        for row in &measured {
            if let Some(note) = &row.note {
                self.screen.line(format_args!("  {note}"))?;
            }
            let Summary { median, low, high } = row.time;
            let mut line = format!(
                "  {:<22}{:>9}{:>13}{:>9}{:>10}",
                row.name,
                time(median),
                range(low, high, median),
                speedup(row.speedup),
                row.predicted.map_or("-".to_owned(), speedup),
            );
            if starts {
                let start = row.start.map_or("-".to_owned(), time);
                line.push_str(&format!("{start:>10}"));
            }
            if row.mark.is_empty() {
                self.screen.line(line)?;
            } else {
                self.screen.marked(&format!("{line}  "), row.mark)?;
            }
        }
        if title != MAIN_TABLE {
            for row in &mut measured {
                row.name = format!("{}, {title}", row.name);
            }
        }
        self.stages.extend(measured);
        Ok(())
    }

    /// Prints where a program's time goes: its parts and their shares.
    pub fn shares(&mut self, watch: &Stopwatch) -> Result<(), Box<dyn Error>> {
        let parts: Vec<_> = watch.parts().collect();
        let total: f64 = parts.iter().map(|(_, time)| time.median).sum();
        self.screen.labelled(
            &format!("{:<24}", "Where"),
            &format!("{:>8}{:>13}{:>9}", "median", "middle half", "share"),
        )?;
        for (part, Summary { median, low, high }) in parts {
            self.screen.line(format_args!(
                "  {part:<22}{:>9}{:>13}{:>9}",
                time(median),
                range(low, high, median),
                share(median / total),
            ))?;
            self.figures.insert(part.to_owned(), median);
        }
        Ok(())
    }

    /// The median seconds of a row that was measured. Rows of other tables than the first are
    /// called by both names: "threads, 1,000 maps".
    ///
    /// # Panics
    /// If there is no such row.
    pub fn seconds(&self, row: &str) -> f64 {
        self.stages[self.stage(row)].time.median
    }

    fn stage(&self, row: &str) -> usize {
        let stage = self.stages.iter().position(|stage| stage.name == row);
        stage.unwrap_or_else(|| panic!("no row called '{row}' was measured"))
    }

    /// The median seconds of something beside the tables, over as many rounds as the tables have.
    /// Each gets items of its own, copied before the clock starts. The JSON document has the
    /// median among its figures, under this name.
    ///
    /// # Errors
    /// The first error of what runs.
    pub fn clock<A: Clone, R, E: Error + 'static>(
        &mut self,
        figure: &str,
        items: &[A],
        work: impl Fn(Vec<A>) -> Result<R, E>,
    ) -> Result<f64, Box<dyn Error>> {
        let mut times = Vec::new();
        for _ in 0..=self.options.rounds {
            let items = items.to_vec();
            let begin = Instant::now();
            let answers = work(items)?;
            times.push(begin.elapsed().as_secs_f64());
            drop(answers);
        }
        // The first one warmed up.
        let median = Summary::of(&times[1..]).median;
        self.figures.insert(figure.to_owned(), median);
        Ok(median)
    }

    /// Draws one round of each of these rows, on one scale.
    ///
    /// # Panics
    /// If there is no such row, or it has no picture.
    pub fn schedule(&mut self, rows: &[&str]) -> Result<(), Box<dyn Error>> {
        let chosen: Vec<usize> = rows.iter().map(|row| self.stage(row)).collect();
        let picture = |index: usize| self.stages[index].picture.as_ref().expect("it has a picture");
        let seconds = chosen.iter().map(|&index| picture(index).seconds).fold(0.0, f64::max);
        let key = if chosen.iter().any(|&index| picture(index).crowded()) {
            "too many items to number: = works, . idles"
        } else {
            "the number is the item, = works, . idles"
        };
        if let [row] = rows {
            self.screen.section("Schedule", &format!("{row}, one round; {key}"))?;
        } else {
            self.screen.section("Schedule", &format!("one round each; {key}"))?;
        }
        for (place, &index) in chosen.iter().enumerate() {
            if rows.len() > 1 {
                self.screen.line(format_args!("  {}", picture(index).name))?;
            }
            let mut lines = text_timeline(picture(index), seconds);
            if place + 1 < chosen.len() {
                lines.pop(); // one scale below them all
            }
            for line in lines {
                self.screen.line(line)?;
            }
        }
        self.drawn.extend(chosen);
        Ok(())
    }

    /// Draws lanes of the lesson's own: who had something, from when to when, in a window of so
    /// many seconds that begins at this time (nanoseconds of the spans' clock). What lies outside
    /// is cut off. The numbers count the spans.
    pub fn lanes(
        &mut self,
        workers: NonZeroUsize,
        spans: &[Span],
        begin_ns: u64,
        seconds: f64,
    ) -> Result<(), Box<dyn Error>> {
        let end_ns = begin_ns + (seconds * 1e9) as u64;
        let inside: Vec<Span> = spans
            .iter()
            .filter(|span| span.start_ns < end_ns && span.end_ns > begin_ns)
            .map(|&span| Span { end_ns: span.end_ns.min(end_ns), ..span })
            .collect();
        let picture = Picture::new("", workers.get(), (begin_ns, end_ns), &inside);
        for line in text_timeline(&picture, seconds) {
            self.screen.line(line)?;
        }
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

    /// Prints lines as they are.
    pub fn lines(&mut self, text: &str) -> Result<(), Box<dyn Error>> {
        text.lines().try_for_each(|line| self.screen.line(line))?;
        Ok(())
    }

    /// Prints something of the lesson's own under this label. A line with measured numbers is at
    /// most 67 characters, so that it breaks nowhere.
    pub fn say(&mut self, label: &str, text: &str) -> Result<(), Box<dyn Error>> {
        self.screen.section(label, text)?;
        Ok(())
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
        text.push_str(if self.lesson.number > 1 { "      the same from every stage" } else { "" });
        Disagreement::find("the table", "the core", &self.answers, answers)?;
        self.screen.section("Answers", &text)?;
        Ok(())
    }

    /// Prints the ten steps of these items' trips, side by side, and keeps them for the drawing and
    /// the document.
    ///
    /// # Panics
    /// If an item has made no trip.
    pub fn steps(&mut self, items: &[Trips]) -> Result<(), Box<dyn Error>> {
        let rounds = counted(self.options.rounds, "round");
        let text = format!("an item to a worker and back, one at a time, {rounds}");
        self.screen.section("Run", &text)?;
        self.machine(NonZeroUsize::MIN)?;
        self.steps = items.iter().map(Steps::new).collect();
        let [names, heads, lines @ ..] = &steps::table(&self.steps)[..] else { return Ok(()) };
        self.screen.line(names)?;
        self.screen.labelled("Steps", heads)?;
        for line in lines {
            self.screen.line(line)?;
        }
        let (clock, lesson) = (time(clock()), self.lesson.number);
        let text = format!("one reading takes {clock}, and each step has one in it");
        self.screen.section("Clock", &text)?;
        self.screen.section("Who", "1, 2, 9, 10: the parent. 4 to 7: the worker. 3, 8: the way")?;
        let next = format!("just lesson-{lesson} --trace FILE, and open it in Perfetto");
        self.screen.section("Next", &next)?;
        Ok(())
    }

    /// Keeps these trips for `--trace`, with the workers' processes in the order of their letters.
    pub fn trace(&mut self, workers: Vec<u32>, trips: Vec<Trip>) {
        self.traced = (workers, trips);
    }

    /// Whether `--trace` asks for the trips of all items.
    pub fn is_traced(&self) -> bool {
        self.options.trace.is_some()
    }

    fn costs(&self) -> Vec<u64> {
        self.options.pairs.iter().map(|&pair| kernel::steps(pair)).collect()
    }

    /// Writes what was asked for beside the text.
    fn finish(mut self) -> Result<(), Box<dyn Error>> {
        if let Some(file) = self.options.svg.take() {
            file.write(&self.drawing())
                .map_err(|error| format!("the drawing was not written: {error}"))?;
        }
        if let Some(file) = self.options.trace.take() {
            let Lesson { number, name, .. } = &self.lesson;
            let (workers, trips) = &self.traced;
            file.write(&trace_events(&format!("lesson {number}, {name}"), workers, trips))
                .map_err(|error| format!("the trace was not written: {error}"))?;
        }
        if self.options.json || self.options.record.is_some() {
            let text = self.document()?;
            if let Some(path) = &self.options.record {
                fs::write(path, &text)
                    .map_err(|error| format!("the record was not written: {error}"))?;
            }
            if self.options.json {
                OutputError::check(writeln!(stdout(), "{text}"))?;
            }
        }
        OutputError::check(stdout().flush())?;
        Ok(())
    }

    /// What `--svg` asks for.
    fn drawing(&self) -> String {
        let Lesson { number, name, .. } = &self.lesson;
        if self.options.steps {
            let trips: Vec<_> = self.steps.iter().map(Steps::to_draw).collect();
            let title = format!("Lesson {number}, {name}: an item's trip to a worker and back");
            return trip_svg(&format!("lesson-{number}-steps"), &title, &trips);
        }
        // A lesson that showed no schedule has one all the same: the first row's.
        let drawn = if self.drawn.is_empty() { &[0][..] } else { &self.drawn };
        let pictures: Vec<_> =
            drawn.iter().filter_map(|&index| self.stages.get(index)?.picture.clone()).collect();
        let items = counted(self.options.pairs.len(), "item");
        let title = format!("Lesson {number}, {name}: who ran which of the {items} when");
        svg(&format!("lesson-{number}"), &title, &pictures)
    }

    /// What `--json` asks for.
    fn document(&self) -> serde_json::Result<String> {
        let Lesson { number: lesson, .. } = &self.lesson;
        if self.options.steps {
            let rounds = self.options.rounds;
            return serde_json::to_string(&StepsDocument::new(
                *lesson,
                rounds,
                clock(),
                &self.steps,
            ));
        }
        serde_json::to_string(&Document {
            lesson: *lesson,
            kernel: "gcd",
            workers: self.options.workers.get(),
            items: self.options.pairs.len(),
            prediction: Prediction::new(&self.options.pairs, self.options.workers),
            stages: self.stages.iter().map(Stage::new).collect(),
            figures: &self.figures,
            answers: &self.answers,
            facts: &self.facts,
        })
    }
}

/// How long one reading of the clock takes, in seconds.
fn clock() -> f64 {
    const READINGS: u32 = 1_000;
    let begin = now_ns();
    for _ in 1..READINGS {
        std::hint::black_box(now_ns());
    }
    (now_ns() - begin) as f64 / 1e9 / f64::from(READINGS)
}
