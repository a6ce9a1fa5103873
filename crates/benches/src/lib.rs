//! What the benches' programs have in common: a measurement held against a bar.

#![forbid(unsafe_code)]

mod book;
mod comparison;

pub use book::{markdown, missed};
pub use comparison::{Bar, Comparison, Unit, json, table};
