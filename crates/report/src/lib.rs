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
//! # use {kernel::{Executor, gcd}, report::{Lesson, Policy, Predicted, Run}, schedule::spans::Gcd};
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

pub mod leverage;
pub mod typed;
pub mod words;

mod bars;
mod core_line;
mod format;
mod json;
mod mask;
mod measure;
mod options;
mod output_file;
mod picture;
mod progress;
mod run;
mod screen;
mod statistics;
mod steps;
mod svg;
mod text_timeline;
mod trace_events;
mod trip_svg;

pub use bars::bars;
pub use core_line::executor_line;
pub use curriculum::Lesson;
pub use format::{counted, grouped, ratio, share, speedup, steps, time};
pub use mask::{mask, mask_json};
pub use measure::{Predicted, Row, Stopwatch, Table};
pub use options::{Extra, Extras};
pub use picture::{Picture, Place};
pub use run::{BadInput, Given, Run, present, present_with, present_with_steps};
pub use schedule::Policy;
pub use screen::frame;
pub use statistics::Summary;
pub use steps::Trips;
pub use svg::svg;
pub use text_timeline::text_timeline;
pub use trace_events::trace_events;
pub use trip_svg::trip_svg;
