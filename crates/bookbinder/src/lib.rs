//! Makes the book, and sees to it that the book says nothing that no file proves.
//!
//! The book is mdBook's, made in this process; what is ours is what goes into the pages. A page
//! says `{{…}}` where a file has to speak:
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{#include ../../path.rs:anchor}}` | a piece of source code, by the name of its anchor |
//! | `{{record lesson-4 stages.processes.speedup}}` | a number out of a record; `as time` and the like say how it is shown; paths may be joined by `*` and `/` |
//! | `{{holds lesson-4 stages.a.speedup > 1.5}}` | nothing; the book is not made if the record says otherwise |
//! | `{{source serial}}` | a figure of the source chapter |
//! | `{{machine lesson-4}}` | one sentence: where and when the record was taken |
//! | `{{console lesson-4}}` | the recorded run as it stood on the console |
//! | `{{figure lesson-2 threads-chunks threads}}` | the recorded picture of these stages, and the same data in a table |
//! | `{{map lesson-7}}` | the recorded maps of computing against bytes, and the same data in a table |
//! | `{{predicted lesson-1 queue 2}}` | the schedule that a policy makes of the ten pairs, drawn at the record's serial speed |
//! | `{{schedule speedup queue 2}}`, `{{schedule bound 2}}`, `{{schedule ceiling}}`, `{{schedule table 2 10}}` | what follows from the costs of the ten pairs |
//! | `{{steps total}}`, `{{steps longest}}`, `{{steps 8}}`, `{{steps table}}` | those costs |
//! | `{{lessons}}` | a table's rows: every lesson with its question |
//! | `{{lesson 4}}`, `{{misconception 4}}`, `{{remember 4}}` | the lesson's own words |
//! | `{{core 4}}`, `{{change 3 4}}` | the core of a lesson; what changes from one to the next |
//! | `{{diff s1_fork s2_split}}`, `{{diff s1_fork:fork s2_split:fork}}` | what changes from step to step |
//! | `{{constant crates/kernel/src/gcd.rs SLICE}}` | a constant's value |
//! | `{{signature crates/kernel/src/gcd.rs euclid}}` | a function's signature |
//! | `{{pools}}`, `{{pools machine}}` | what pools do when a worker is killed, from `pools/pools.json` and `killed-worker.json` |
//! | `{{faults}}` | what each fault costs, from `faults.json` |
//! | `{{bench-pool}}`, `{{bench-pool missed}}`, `{{bench-pool python}}` | the pool against its bars, from `bench-pool.json`; which do not hold; the Python beside it |
//! | `{{recorded faults}}` | as `machine`, for a record that has no rounds |
//! | `{{lines crates/serial/src/lib.rs}}` | how many lines of code a file has |
//! | `{{decisions}}` | the decision table, from the lessons' facts |
//! | `{{decision 4}}` | the row that a chapter adds to the decision table |
//!
//! What cannot be filled is an error with file and line. mdBook's own preprocessors are off: they
//! leave on the page what they cannot fill, and go on.

#![forbid(unsafe_code)]

pub mod anchors;
pub mod book;
pub mod check;
mod diffs;
pub mod expand;
pub mod fault;
mod figures;
mod format;
pub mod house;
mod machine;
pub mod placeholder;
mod pool_tables;
mod pools;
mod predictions;
pub mod programs;
pub mod read;
pub mod record;
pub mod records;
pub mod sources;

pub use house::House;
