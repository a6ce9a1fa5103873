//! What the benches' programs have in common: a measurement held against a bar.

#![forbid(unsafe_code)]

mod comparison;
mod markdown;

pub use comparison::{Bar, Comparison, Unit, json, table};
pub use markdown::record;
