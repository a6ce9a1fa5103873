//! The crate's examples, as the programs that they are.

use super::*;

#[path = "../../../crates/process-futures/examples/tour.rs"]
mod tour;

pub fn the_tour() {
    tour::main().expect("it ends well");
}

pub fn a_short_soak() {}

pub fn a_soak_tells_its_seed() {}
