//! Lesson 7's run: what a stage costs, measured; and a sweep of computing against bytes, beside
//! what the model says of it ([`schedule::leverage`]).
//!
//! It has no pairs, no schedule, and more than one table.

#![forbid(unsafe_code)]

mod drawing;
mod options;
mod sweep;
mod text;

use kernel::Executor;
use options::Options;
use report::session::{self, Session};
use report::{ITEMS, Lesson, Memory, Probed, cores, costs_in_words, counted, probe};
use schedule::leverage::Capacity;
use serde_json::json;
use std::env;
use std::error::Error;
use std::num::NonZeroUsize;
use std::process::ExitCode;
use sweep::{ROWS, Runner, Sweep};

/// The lesson's `main`; exit status as of [`session::main`].
pub fn present(
    lesson: &Lesson,
    body: impl FnOnce(&mut Leverage) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    session::main(Options::read(lesson, env::args_os()), |options| {
        let Options { workers, rounds, columns, destination } = options;
        let session = Session::begin(lesson, destination)?;
        let capacity = Capacity { workers, cores: cores() };
        let (alone, stages, swept) = (None, Vec::new(), None);
        let mut run = Leverage { session, capacity, rounds, columns, alone, stages, swept };
        body(&mut run)?;
        run.end()
    })
}

/// The lesson while it runs: what its body measures and prints.
pub struct Leverage {
    session: Session,
    capacity: Capacity,
    rounds: usize,
    /// The seconds that an item computes, by column.
    columns: Vec<f64>,
    /// The loop, which all are compared with.
    alone: Option<Vec<Runner>>,
    stages: Vec<(Probed, Vec<Runner>)>,
    swept: Option<Sweep>,
}

impl Leverage {
    /// How many workers to use: 2, or as many as `--workers` says.
    pub fn workers(&self) -> NonZeroUsize {
        self.capacity.workers
    }

    /// Says what runs, and where.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn setup(&mut self) -> Result<(), Box<dyn Error>> {
        let text = format!(
            "{} payloads, {} lengths, {}, {}, {}, interleaved",
            ROWS.len(),
            self.columns.len(),
            counted(ITEMS.get(), "item"),
            counted(self.workers().get(), "worker"),
            counted(self.rounds, "round"),
        );
        self.session.say("Run", &text)?;
        self.session.machine(self.capacity.workers)?;
        self.session.say("Kernels", &text::kernels().join("\n"))
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
        let stage = probe(name, &executor, memory, self.capacity, self.rounds, make)?;
        let label = if self.stages.is_empty() { "Costs" } else { "" };
        self.session.say(label, &format!("{name:<10} {}", costs_in_words(stage.measured)))?;
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
        let swept = sweep::measure(&alone, stages, self.capacity, &self.columns, self.rounds)?;
        for map in &swept.maps {
            let mut name = map.stage.name.to_owned();
            name[..1].make_ascii_uppercase();
            self.session.say(
                &name,
                "measured/predicted speed-up; # faster, = even, . slower than the\n\
                 loop; from | on the model says faster",
            )?;
            for line in text::lines(&swept, map) {
                self.session.line(line)?;
            }
        }
        self.session.say("Model", &text::accuracy(&swept))?;
        self.session.say("Answers", "the same from every stage, in every round")?;
        self.swept = Some(swept);
        Ok(())
    }

    /// Prints the foot, and writes what was asked for beside the text.
    fn end(mut self) -> Result<(), Box<dyn Error>> {
        let swept = self.swept.take().ok_or("the lesson has swept nothing")?;
        self.session.foot()?;
        let Lesson { number, name, .. } = self.session.lesson.clone();
        let title = format!("Lesson {number}, {name}: computing against bytes");
        let drawing = || drawing::svg(&format!("lesson-{number}"), &title, &swept);
        let document = || {
            Ok(json!({
                "lesson": number,
                "workers": self.capacity.workers,
                "cores": self.capacity.cores,
                "items": ITEMS,
                "rounds": self.rounds,
                "stages": swept.maps.iter().map(|map| swept.document(map)).collect::<Vec<_>>(),
                "model": swept.accuracy(),
            }))
        };
        self.session.end(drawing, document)
    }
}
