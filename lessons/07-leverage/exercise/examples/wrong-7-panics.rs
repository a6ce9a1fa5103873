//! A wrong answer to exercise 7: a file that is not there is a panic.
//!
//! Refused on: a file that is not there is an error that names it

use kernel::Executor;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What is sent to a worker: where the bytes are, and not the bytes.
#[derive(Serialize, Deserialize)]
struct Piece {
    file: PathBuf,
    from: u64,
    to: u64,
}

impl Piece {
    fn read(&self) -> io::Result<Vec<u8>> {
        let mut file = File::open(&self.file)?;
        file.seek(SeekFrom::Start(self.from))?;
        let mut bytes = Vec::new();
        file.take(self.to - self.from).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

/// The file in so many pieces: every byte of it in one of them, and some of them empty if the file
/// is shorter than that. An error is one line that names the file.
fn pieces(file: &Path, count: NonZeroUsize) -> Result<Vec<Piece>, String> {
    let length = fs::metadata(file).unwrap().len();
    let count = count.get() as u64;
    // Multiplied first and divided then, so that each piece ends where the next begins.
    let edge = |piece: u64| length * piece / count;
    let piece = |number| Piece { file: file.into(), from: edge(number), to: edge(number + 1) };
    Ok((0..count).map(piece).collect())
}

/// How many line ends (`b'\n'`) are in the piece. A worker runs this. An error is one line that
/// names the file.
fn lines_in(piece: Piece) -> Result<u64, String> {
    let bytes = piece.read().map_err(|error| format!("{}: {error}", piece.file.display()))?;
    Ok(bytes.iter().filter(|&&byte| byte == b'\n').count() as u64)
}

/// How many line ends are in the file, counted in so many pieces on the pool. This is done.
fn count_lines<E: Executor>(pool: &E, file: &Path, count: NonZeroUsize) -> Result<u64, String> {
    let answers = pool.map(lines_in, pieces(file, count)?).map_err(|error| error.to_string())?;
    answers.into_iter().sum()
}

#[path = "../check.rs"]
mod check;

fn main() -> ExitCode {
    check::run()
}
