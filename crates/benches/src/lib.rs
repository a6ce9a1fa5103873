//! The common part of the benches' programs: a measurement compared with a bar.

#![forbid(unsafe_code)]

mod comparison;

pub use comparison::{Bar, Comparison, Unit, json, table};
