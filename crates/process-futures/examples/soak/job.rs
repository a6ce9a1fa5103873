//! The workers' jobs. A job notes that it runs, computes for a while, and answers with many bytes
//! or few; some jobs panic, exit, or do not end.

use kernel::Bytes;
use serde::{Deserialize, Serialize};
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
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

/// The task.
pub fn work(job: Job) -> Done {
    LOG.get()
        .and_then(|mut log| log.write_all(&job.number.to_ne_bytes()).ok())
        .expect("the initializer has opened it");
    let start = Instant::now();
    while start.elapsed() < Duration::from_micros(job.microseconds) {
        std::hint::spin_loop();
    }
    let length = match job.end {
        End::Answer(length) => length,
        End::Panic => panic!("job {}", job.number),
        End::Exit => process::exit(5),
        End::Never => loop {
            thread::sleep(Duration::from_secs(3600));
        },
    };
    let payload = Bytes::from(vec![job.number as u8; length]);
    Done { number: job.number, sum: sum(&job.payload), payload }
}

/// The sum of some bytes.
pub fn sum(bytes: &[u8]) -> u64 {
    bytes.iter().map(|&byte| u64::from(byte)).sum()
}

/// The file in which the jobs note that they run: eight bytes for each job, appended in one system
/// call, which the kernel does not divide. A note survives its worker.
static LOG: OnceLock<File> = OnceLock::new();

/// The initializer of the workers.
pub fn open_log(path: PathBuf) {
    let log = OpenOptions::new().append(true).open(path).expect("it is there");
    LOG.set(log).expect("a worker runs it once");
}

/// The log, as the parent sees it.
#[derive(Debug)]
pub struct Log(tempfile::NamedTempFile);

impl Default for Log {
    fn default() -> Self {
        Self(tempfile::NamedTempFile::new().expect("a file for the log"))
    }
}

impl Log {
    /// The path of the log.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// How many jobs have begun.
    pub fn length(&self) -> u64 {
        fs::metadata(self.path()).map_or(0, |data| data.len() / 8)
    }

    /// Empties the log.
    pub fn clear(&self) {
        self.0.as_file().set_len(0).expect("an empty log");
    }

    /// The numbers of all jobs that have begun.
    pub fn numbers(&self) -> Vec<u64> {
        let bytes = fs::read(self.path()).expect("the log");
        let (numbers, rest) = bytes.as_chunks::<8>();
        assert!(rest.is_empty(), "half a number in the log");
        numbers.iter().map(|bytes| u64::from_ne_bytes(*bytes)).collect()
    }
}
