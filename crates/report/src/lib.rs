//! Turns a run into what a person sees.
//!
//! A lesson says who runs what; everything that it prints, draws or writes is made here: the head
//! and foot, the table, the timeline as text and as SVG, the JSON document. No stage knows of this
//! crate, and this crate knows of no stage.
//!
//! A lesson's `main` is [`present`], which reads the options and gives a [`Run`] to the lesson's
//! body. The body says what it has to say in the order in which it shall be read:
//!
//! ```no_run
//! # use {kernel::{Executor, gcd}, report::{Lesson, Policy, Predicted, Run}, spans::Gcd};
//! # use std::{error::Error, process::ExitCode};
//! # fn lesson<E: Executor>(run: &mut Run, pool: E) -> Result<(), Box<dyn Error>> {
//! let pairs = run.pairs();
//! let answers = pool.map(gcd, pairs.clone())?;
//! run.setup(pool.workers())?;
//! run.predict(&[Policy::Queue])?;
//! let mut table = run.table();
//! table.row::<Gcd>("threads", Policy::Queue, &pool);
//! run.measure(table)?;
//! run.schedule(&["threads"])?;
//! run.answers(&answers)?;
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

pub mod session;
pub mod typed;
pub mod words;

mod bars;
mod core_line;
mod format;
mod json;
mod measure;
mod measured;
mod options;
mod output_file;
mod pace;
mod picture;
mod probe;
mod progress;
mod run;
mod schedules;
mod screen;
mod statistics;
mod svg;
mod tables;
mod text_timeline;

pub use bars::bars;
pub use core_line::executor_line;
pub use curriculum::Lesson;
pub use format::{bytes, counted, grouped, ratio, share, speedup, steps, time};
pub use measure::{Contender, Predicted, Stopwatch, Table};
pub use measured::mask_json;
pub use options::{Extra, Extras, OwnOptions, PairTask};
pub use output_file::OutputFile;
pub use pace::seconds_per_step;
pub use picture::{ItemSpan, Picture};
pub use probe::{ITEMS, Memory, Probed, costs_in_words, probe};
pub use progress::Progress;
pub use run::{Run, present, present_with};
pub use schedule::Policy;
pub use screen::frame;
pub use session::{BadInput, cores};
pub use statistics::Summary;
pub use svg::{BLOCK, Drawing, RIGHT, WIDTH, escape, svg};
pub use tables::Given;
pub use text_timeline::text_timeline;
