//! Lesson 7's run: what a stage costs, measured; and a sweep of computing against bytes, beside
//! what the model says of it ([`schedule::leverage`]).
//!
//! It has a run of its own since it has no pairs and no schedule, and more than one table. Costs
//! are measured here for the kit's `advise` too, by [`probe`].

mod drawing;
mod options;
mod probe;
mod sweep;
mod text;

pub use probe::{Stage, probe};
pub use sweep::{Accuracy, Cell, Lane, Sweep};

use crate::Lesson;
use crate::format::{counted, time};
use crate::screen::{OutputError, Screen, frame};
use kernel::Executor;
use options::{NoOptions, Options};
use schedule::leverage::{Costs, Crew};
use serde_json::json;
use std::error::Error;
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::{env, fs, thread};
use sweep::{ROWS, Runner};

/// How many items each map of a sweep has: few enough for large blocks, and a multiple of two,
/// three, four and six workers.
pub const ITEMS: NonZeroUsize = NonZeroUsize::new(12).expect("twelve is not zero");

/// The real cores that this process may use.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}

/// What a stage costs, in words: start, round trip, bandwidth.
pub fn costs_in_words(costs: Costs) -> String {
    let bytes = if costs.seconds_per_byte > 0.0 {
        format!("{} a second", text::bytes(1.0 / costs.seconds_per_byte))
    } else {
        "bytes cost nothing".to_owned()
    };
    format!("start {}, a round trip {}, {bytes}", time(costs.start), time(costs.round_trip))
}

/// The lesson's `main`; exit status as of [`present`](crate::present).
pub fn present(
    lesson: &Lesson,
    body: impl FnOnce(&mut Leverage) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let (message, status) = match Options::read(lesson, env::args_os()) {
        Ok(options) => match perform(lesson, options, body) {
            Ok(()) => return ExitCode::SUCCESS,
            Err(error) => match error.downcast_ref::<OutputError>() {
                Some(output) if output.is_closed_pipe() => return ExitCode::SUCCESS,
                _ => (error.to_string(), 1),
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
    body: impl FnOnce(&mut Leverage) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut screen = Screen::new(options.json);
    let (head, foot) = frame(lesson);
    screen.line(head)?;
    let mut run = Leverage { options, screen, alone: None, stages: Vec::new(), swept: None };
    body(&mut run)?;
    run.screen.line(foot)?;
    run.finish(lesson)
}

/// The lesson while it runs: what its body measures and prints.
pub struct Leverage {
    options: Options,
    screen: Screen,
    /// The loop, which all are compared with.
    alone: Option<Vec<Runner>>,
    stages: Vec<(Stage, Vec<Runner>)>,
    swept: Option<Sweep>,
}

impl Leverage {
    /// How many workers to use: 2, or as many as `--workers` says.
    pub fn workers(&self) -> NonZeroUsize {
        self.options.workers
    }

    fn crew(&self) -> Crew {
        Crew { workers: self.options.workers, cores: cores() }
    }

    /// Says what runs, and where.
    pub fn setup(&mut self) -> Result<(), Box<dyn Error>> {
        let Options { workers, rounds, ref columns, .. } = self.options;
        let text = format!(
            "{} payloads, {} lengths, {}, {}, {}, interleaved",
            ROWS.len(),
            columns.len(),
            counted(ITEMS.get(), "item"),
            counted(workers.get(), "worker"),
            counted(rounds, "round"),
        );
        self.screen.section("Run", &text)?;
        if cfg!(debug_assertions) {
            self.screen.section("Build", "not optimised: its times mean nothing; add --release")?;
        }
        let cores = cores().get();
        let machine = match cores {
            1 => "1 core here: expect 1.00×; the rest still teaches".to_owned(),
            _ if workers.get() > cores => {
                let workers = counted(workers.get(), "worker");
                format!("{cores} cores for {workers}: expect at most {cores}.00×")
            }
            _ => counted(cores, "core"),
        };
        self.screen.section("Machine", &machine)?;
        let kernels: Vec<String> = text::kernels();
        self.screen.section("Kernels", &kernels.join("\n"))?;
        Ok(())
    }

    /// The loop, with which all are compared.
    pub fn alone(&mut self, executor: impl Executor + 'static) {
        self.alone = Some(sweep::runners(executor));
    }

    /// Adds a stage: measures what it costs, and says so.
    ///
    /// # Errors
    /// A task's error, or what `make` says when the stage cannot start.
    pub fn stage<E: Executor + 'static>(
        &mut self,
        name: &'static str,
        executor: E,
        memory: Memory,
        make: impl Fn() -> Result<E, Box<dyn Error>>,
    ) -> Result<(), Box<dyn Error>> {
        let stage = probe(name, &executor, memory, self.crew(), self.options.rounds, make)?;
        let label = if self.stages.is_empty() { "Costs" } else { "" };
        self.screen.section(label, &format!("{name:<10} {}", costs_in_words(stage.measured)))?;
        self.stages.push((stage, sweep::runners(executor)));
        Ok(())
    }

    /// Sweeps: every stage and the loop, on every payload, with every length of computing; prints
    /// a map for each stage, with the model's numbers beside the measured ones.
    ///
    /// # Errors
    /// A task's error; or two stages do not agree about an answer.
    ///
    /// # Panics
    /// If the loop was not given.
    pub fn sweep(&mut self) -> Result<(), Box<dyn Error>> {
        let alone = self.alone.take().expect("the lesson gives the loop");
        let stages = std::mem::take(&mut self.stages);
        let (columns, rounds) = (&self.options.columns, self.options.rounds);
        let swept = sweep::measure(&alone, stages, self.crew(), columns, rounds)?;
        for lane in &swept.lanes {
            let mut name = lane.stage.name.to_owned();
            name[..1].make_ascii_uppercase();
            self.screen.section(
                &name,
                "measured/predicted speed-up; # faster, = even, . slower than the\n\
                 loop; from | on the model says faster",
            )?;
            for line in text::map(&swept, lane) {
                self.screen.line(line)?;
            }
        }
        self.screen.section("Model", &text::accuracy(&swept))?;
        self.screen.section("Answers", "the same from every stage, in every round")?;
        self.swept = Some(swept);
        Ok(())
    }

    /// Writes what was asked for beside the text.
    fn finish(mut self, lesson: &Lesson) -> Result<(), Box<dyn Error>> {
        let swept = self.swept.take().ok_or("the lesson has swept nothing")?;
        if let Some(file) = self.options.svg.take() {
            let Lesson { number, name, .. } = lesson;
            let title = format!("Lesson {number}, {name}: computing against bytes");
            let drawing = drawing::svg(&format!("lesson-{number}"), &title, &swept);
            file.write(&drawing)
                .map_err(|error| format!("the drawing was not written: {error}"))?;
        }
        if self.options.json || self.options.record.is_some() {
            let document = json!({
                "lesson": lesson.number,
                "workers": self.options.workers,
                "cores": cores(),
                "items": ITEMS,
                "rounds": self.options.rounds,
                "stages": swept.lanes.iter().map(|lane| swept.document(lane)).collect::<Vec<_>>(),
                "model": swept.accuracy(),
            });
            let text = document.to_string();
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
}

/// How a block of bytes gets to a worker, and whether the workers are there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// As a pointer. The workers are started in each call.
    Shared,
    /// As a copy. The workers were started before.
    Copied,
}
