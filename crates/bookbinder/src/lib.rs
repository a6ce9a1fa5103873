//! Makes the book, and sees to it that the book says nothing that no file proves.
//!
//! The book is mdBook's, made in this process; what is ours is what goes into the pages. A page
//! says `{{…}}` where a file has to speak:
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{#include ../../path.rs:anchor}}` | a piece of source code, by the name of its anchor |
//! | `{{source crates/kernel/src/gcd.rs …}}` | of a source file: `constant SLICE`, a constant's value; `signature euclid`, a function's signature; `lines`, how many lines of code it has |
//! | `{{diff s1_fork s2_split}}`, `{{diff s1_fork:fork s2_split:fork}}` | what changes from step to step of the process pool |
//! | `{{lesson 4 …}}` | of a lesson: the `box` at the head of its chapter, the `misconception`, what to `remember`, its row of the decision table (`decision`), the `core` of its program, and how that changes from another lesson's (`change 3`) |
//! | `{{lessons questions}}`, `{{lessons decisions}}` | of all lessons: a row with each question; the decision table |
//! | `{{record lesson-4 stages.processes.speedup}}` | a number or a text out of a record, a program's own table among them; `as time` and the like say how a number is shown; paths may be joined by `*` and `/` |
//! | `{{holds lesson-4 stages.a.speedup > 1.5}}` | nothing; the book is not made if the record says otherwise |
//! | `{{machine lesson-4}}` | one sentence: where and when the record was taken |
//! | `{{console lesson-4}}` | the recorded run as it stood on the console |
//! | `{{figure lesson-2 …}}` | a picture, and the same data in a table: the recorded one of the stages `threads-chunks threads`; the recorded `map` of computing against bytes; or `predicted queue 2`, the schedule that a policy makes of the ten pairs, at the record's serial speed |
//! | `{{schedule …}}` | what follows from the costs of the ten pairs: `speedup queue 2`, `bound 2`, `ceiling`, `table 2 10`; or the costs themselves: `steps total`, `steps longest`, `steps 8`, `steps table` |
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
mod predictions;
pub mod read;
pub mod record;
pub mod records;
pub mod sources;

pub use house::House;
