//! Makes the book, and sees to it that the book says nothing that no file proves.
//!
//! The book is mdBook's, made in this process; what is ours is what goes into the pages. A page
//! says `{{…}}` where a file has to speak:
//!
//! | placeholder | becomes |
//! |---|---|
//! | `{{#include ../../path.rs:anchor}}` | a piece of source code, by the name of its anchor |
//! | `{{record lesson-4 stages.processes.speedup}}` | a number out of a record; `as time` and the like say how it is shown; paths may be joined by `*` and `/`. A text that the record's program has written for the page: `{{record faults table}}` |
//! | `{{holds lesson-4 stages.a.speedup > 1.5}}` | nothing; the book is not made if the record says otherwise. `other:path` leads into another record |
//! | `{{machine lesson-4}}` | one sentence: where and when the record was taken, and of how many rounds |
//! | `{{console lesson-4}}` | the recorded run as it stood on the console |
//! | `{{figure lesson-2 threads-chunks threads}}` | the recorded picture of these stages, and the same data in a table; without stages, the recorded map; `{{figure lesson-1 predicted queue 2}}`: the schedule that a policy makes of the ten pairs, drawn at the record's serial speed |
//! | `{{schedule speedup queue 2}}`, `bound 2`, `ceiling`, `table 2 10`, `steps total`, `steps longest`, `steps 8`, `steps table` | what follows from the costs of the ten pairs, and those costs |
//! | `{{source-code constant FILE SLICE}}`, `signature FILE euclid`, `lines FILE`, `diff FOLDER a.rs:fork b.rs:fork` | a constant's value, a function's signature, how many lines of code a file has, what changes from file to file |
//! | `{{lesson 4 box}}`, `misconception`, `core`, `change-from 3` | the lesson's own words; the core of its program; what changes in it from lesson to lesson |
//! | `{{lessons}}` | a table's rows: every lesson with its question |
//! | `{{decision}}`, `{{decision 4}}` | the decision table, and the row that a chapter adds to it |
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
mod place;
pub mod placeholder;
mod predictions;
pub mod read;
pub mod record;
pub mod records;
mod sources;

pub use house::House;
