//! Turns a run into what a person sees.
//!
//! A lesson says who runs what; everything it prints, draws or writes is made here: the head and
//! foot, the table, the timeline as text and as SVG, the JSON document. No stage knows of this
//! crate, and this crate knows of no stage.

#![forbid(unsafe_code)]

mod lesson;

pub use lesson::Lesson;
