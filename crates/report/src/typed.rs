//! What people type, read the same way by every program of the kit.

use kernel::{Pair, read_pairs_file, steps};
use std::num::NonZeroUsize;
use std::path::Path;

/// A number of workers, 1 to 1024.
///
/// # Errors
/// What is wanted instead.
pub fn workers(word: &str) -> Result<NonZeroUsize, String> {
    word.parse()
        .ok()
        .filter(|workers: &NonZeroUsize| workers.get() <= 1024)
        .ok_or_else(|| "a whole number from 1 to 1024 is wanted".to_owned())
}

/// A number of rounds, 1 to 1000.
///
/// # Errors
/// What is wanted instead.
pub fn rounds(word: &str) -> Result<usize, String> {
    word.parse()
        .ok()
        .filter(|rounds| (1..=1000).contains(rounds))
        .ok_or_else(|| "a whole number from 1 to 1000 is wanted".to_owned())
}

/// The pairs of a file, whose steps can be added up.
///
/// # Errors
/// One line with the file's name, and the line's number where there is one.
pub fn pairs(path: &Path) -> Result<Vec<Pair>, String> {
    let pairs = read_pairs_file(path).map_err(|error| error.to_string())?;
    // Predictions add the steps up, and so many would run for centuries.
    let total = pairs.iter().try_fold(0u64, |total, &pair| total.checked_add(steps(pair)));
    total.ok_or_else(|| {
        format!("{}: all these pairs take more steps than 64 bits can count", shown(path))
    })?;
    Ok(pairs)
}

/// A path in a line of text, whatever is in it.
pub(crate) fn shown(path: &Path) -> String {
    path.display().to_string().escape_debug().to_string()
}

/// clap explains itself in paragraphs; the first says what is wrong, and `--help` says the rest.
pub fn one_line(message: &str) -> String {
    let paragraph = message.split("\n\n").next().unwrap_or_default();
    let words: Vec<&str> = paragraph.split_whitespace().collect();
    let line = words.join(" ");
    format!("{}; --help lists the options", line.strip_prefix("error: ").unwrap_or(&line))
}
