//! The ground floor of One Change: the work, and the contract under which every stage does the
//! work.
//!
//! *The work* is a greatest common divisor that counts down ([`gcd`]), over ten pairs of numbers
//! ([`ten_pairs`]). The algorithm is slow on purpose, as in the chapter that the kit follows: it
//! stands for work that has no better algorithm. ([`euclid`] is the better algorithm, for lesson 0;
//! [`checksum`] and [`transform`] compute the same number and carry a payload, for lesson 7.)
//!
//! *The contract* is one trait, [`Executor`]: run one function over many items, give the answers in
//! the order of the items. Each type that implements `Executor` is a stage. From stage to stage, a
//! program that uses the trait changes only in the line that makes the executor.

#![forbid(unsafe_code)]

mod error;
mod executor;
mod gcd;
mod pair;
mod pairs_file;
mod payload;

pub use error::{Death, Ran, RemotePanic, TaskError, TaskErrorKind, worker_name};
pub use executor::{Executor, Message, catch_panic};
pub use gcd::{euclid, gcd, gcd_one_lock, steps};
pub use pair::{Pair, ZeroInPair, ten_pairs};
pub use pairs_file::{PairsFileError, Problem, read_pairs, read_pairs_file};
pub use payload::{PAGE, Parcel, checksum, digest, transform};

/// Bytes that travel as one block.
///
/// To serde, a plain `Vec<u8>` is a list of numbers and goes number by number; a `Bytes` is copied
/// whole. Lesson 4 shows both as rows of one table.
pub use serde_bytes::ByteBuf as Bytes;
