//! The workers' jobs. A job notes that it begins, computes for a while, notes that it ends, and
//! answers with many bytes or few; some jobs panic, exit, or do not end.

use super::log;
use kernel::Bytes;
use serde::{Deserialize, Serialize};
use std::time::{Duration, Instant};
use std::{process, thread};

/// One item of the soak.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Job {
    /// The client's number in the upper half, the item's in the lower.
    pub number: u64,
    /// How long the job computes, in microseconds.
    pub microseconds: u64,
    /// How the job ends.
    pub end: End,
    /// The job's payload.
    pub payload: Bytes,
}

/// How a job ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum End {
    /// The job ends with an answer of this many bytes.
    Answer(usize),
    /// The job ends in a panic that names the job's number.
    Panic,
    /// The job ends its worker.
    Exit,
    /// The job does not end by itself.
    Never,
}

/// The answer to a job.
#[derive(Debug, Serialize, Deserialize)]
pub struct Done {
    /// The job's number.
    pub number: u64,
    /// The sum of the payload's bytes.
    pub sum: u64,
    /// A payload whose bytes are all the lowest byte of the job's number.
    pub payload: Bytes,
}

/// The exit status of a worker that its job has ended.
pub const EXIT_STATUS: i32 = 5;

/// The task.
pub fn work(job: Job) -> Done {
    log::note_here(job.number, false);
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(job.microseconds) {
        std::hint::spin_loop();
    }
    match job.end {
        End::Exit => process::exit(EXIT_STATUS),
        End::Never => loop {
            thread::sleep(Duration::from_secs(3600));
        },
        End::Answer(_) | End::Panic => log::note_here(job.number, true),
    }
    let End::Answer(length) = job.end else { panic!("job {}", job.number) };
    let payload = Bytes::from(vec![job.number as u8; length]);
    Done { number: job.number, sum: sum(&job.payload), payload }
}

/// The sum of some bytes.
pub fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}
