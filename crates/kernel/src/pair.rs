//! A pair of positive numbers, and the ten pairs that the kit is about.

use crate::read_pairs;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;

/// Two positive numbers: one item of work. Zero is refused where a pair is made, also when the pair
/// arrives from another process, so that no stage has to check for zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u64, u64)", into = "(u64, u64)")]
pub struct Pair {
    a: u64,
    b: u64,
}

impl Pair {
    /// A pair of two positive numbers.
    ///
    /// # Errors
    /// [`ZeroInPair`] if either number is zero: every number divides zero, so the countdown would
    /// have nowhere to begin.
    pub const fn new(a: u64, b: u64) -> Result<Self, ZeroInPair> {
        if a == 0 || b == 0 { Err(ZeroInPair) } else { Ok(Self { a, b }) }
    }

    /// The first number.
    pub const fn a(self) -> u64 {
        self.a
    }

    /// The second number.
    pub const fn b(self) -> u64 {
        self.b
    }
}

impl TryFrom<(u64, u64)> for Pair {
    type Error = ZeroInPair;

    fn try_from((a, b): (u64, u64)) -> Result<Self, ZeroInPair> {
        Self::new(a, b)
    }
}

impl From<Pair> for (u64, u64) {
    fn from(pair: Pair) -> Self {
        (pair.a, pair.b)
    }
}

impl fmt::Display for Pair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "({}, {})", self.a, self.b)
    }
}

/// The error of a pair with a zero in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZeroInPair;

impl fmt::Display for ZeroInPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a pair needs two positive numbers, and one is 0")
    }
}

impl Error for ZeroInPair {}

/// The ten pairs of the source chapter, in the chapter's order, from `crates/kernel/ten-pairs.txt`.
///
/// The ten costs are uneven (see [`steps`](crate::steps)), so the schedule matters.
pub fn ten_pairs() -> Vec<Pair> {
    read_pairs(include_str!("../ten-pairs.txt")).expect("the tests read the file")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zero_is_refused() {
        assert_eq!(Pair::new(0, 1), Err(ZeroInPair));
        assert_eq!(Pair::new(1, 0), Err(ZeroInPair));
        assert_eq!(Pair::try_from((0, 0)), Err(ZeroInPair));
        assert_eq!(Pair::new(3, 4).map(<(u64, u64)>::from), Ok((3, 4)));
    }

    #[test]
    fn the_ten_pairs_are_ten_and_positive() {
        assert_eq!(ten_pairs().len(), 10);
        assert!(ten_pairs().iter().all(|pair| Pair::new(pair.a, pair.b).is_ok()));
    }
}
