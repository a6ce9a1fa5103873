//! The common part of the benches' programs: a measurement compared with a bar.

#![forbid(unsafe_code)]

mod comparison;
mod markdown;

pub use comparison::{Bar, Comparison, Unit, all_hold, json, table};
pub use markdown::{missed, record};
