//! The log: one file in which the workers note which job begins and which ends. The soak judges
//! the pool by these notes: a job's side effect is its note, and a note survives its worker.
//!
//! A note is appended in one system call, which the kernel does not divide. So the notes of one
//! worker stand in the order in which the worker wrote them.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// One process among all processes that ever were: its id, and its start in ticks since the boot.
/// The kernel gives the id to another process some day, but not together with the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Life(u64);

/// How many bits an id has at most (`PID_MAX_LIMIT` of the kernel).
const PID_BITS: u32 = 22;

impl Life {
    /// The life of the process that has this id now. `None` if no process has it, or a process that
    /// has ended and waits to be reaped.
    pub fn of(pid: u32) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name of the program may contain spaces, and stands in brackets.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        let has_ended = ["Z", "X"].contains(&fields.next()?);
        let start: u64 = fields.nth(18)?.parse().ok()?; // field 22 of the line
        (!has_ended).then_some(Self(start << PID_BITS | u64::from(pid)))
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {}", self.0 & ((1 << PID_BITS) - 1))
    }
}

/// One note.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The job's number.
    pub number: u64,
    /// The worker.
    pub life: Life,
    /// Whether the job ends. If not, it begins.
    pub ends: bool,
}

impl Note {
    const LENGTH: usize = 16;
    const ENDS: u64 = 1 << 63;
    /// No job has this number: the note says that a turn of the watch has passed.
    const TURN: u64 = Self::ENDS - 1;

    fn bytes(self) -> [u8; Self::LENGTH] {
        let number = if self.ends { self.number | Self::ENDS } else { self.number };
        (u128::from(number) << 64 | u128::from(self.life.0)).to_ne_bytes()
    }

    fn read(bytes: [u8; Self::LENGTH]) -> Self {
        let both = u128::from_ne_bytes(bytes);
        let number = (both >> 64) as u64;
        let ends = number & Self::ENDS != 0;
        Self { number: number & !Self::ENDS, life: Life(both as u64), ends }
    }
}

/// The log as a worker has it, and the worker's life.
static HERE: OnceLock<(File, Life)> = OnceLock::new();

/// The initializer of the workers.
pub fn open_here(path: PathBuf) {
    let life = Life::of(std::process::id()).expect("this process lives");
    HERE.set((open(&path), life)).expect("a worker runs it once");
}

/// Notes in a worker that this job begins or ends.
pub fn note_here(number: u64, ends: bool) {
    let (file, life) = HERE.get().expect("the initializer has opened it");
    let mut file: &File = file;
    file.write_all(&Note { number, life: *life, ends }.bytes()).expect("a note");
}

fn open(path: &Path) -> File {
    OpenOptions::new().append(true).open(path).expect("the log is there")
}

/// The log, as the parent sees it.
#[derive(Debug)]
pub struct Log {
    file: tempfile::NamedTempFile,
    end: File,
}

impl Default for Log {
    fn default() -> Self {
        let file = tempfile::NamedTempFile::new().expect("a file for the log");
        let end = open(file.path());
        Self { file, end }
    }
}

impl Log {
    /// The path of the log.
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// Appends a note.
    pub fn note(&self, note: Note) {
        (&self.end).write_all(&note.bytes()).expect("a note");
    }

    /// Appends a note that says nothing, as slowly as the workers append theirs.
    pub fn note_turn(&self) {
        self.note(Note { number: Note::TURN, life: Life(0), ends: false });
    }

    /// Empties the log.
    pub fn clear(&self) {
        self.file.as_file().set_len(0).expect("an empty log");
    }

    /// All notes so far. A worker that still runs may go on writing.
    pub fn notes(&self) -> impl Iterator<Item = Note> {
        let mut file = BufReader::new(File::open(self.path()).expect("the log is there"));
        let mut bytes = [0; Note::LENGTH];
        let next = move || file.read_exact(&mut bytes).is_ok().then(|| Note::read(bytes));
        std::iter::from_fn(next).filter(|note| note.number != Note::TURN)
    }
}
