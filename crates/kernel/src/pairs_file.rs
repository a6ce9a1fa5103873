//! The file behind `--pairs`: two positive integers a line.

use crate::Pair;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

/// Reads pairs from a file: two positive integers a line, separated by white space; `#` begins a
/// comment; empty lines are passed over.
///
/// # Errors
/// [`PairsFileError`] with the file's name and, if one line is at fault, the line's number. No file
/// is half read: either every line is a pair or there are no pairs.
pub fn read_pairs_file(path: &Path) -> Result<Vec<Pair>, PairsFileError> {
    let at = |line, problem| PairsFileError { path: path.to_owned(), line, problem };
    let bytes = fs::read(path).map_err(|error| at(None, Problem::Unreadable(error)))?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|&&byte| byte == b'\n').count();
        at(Some(line), Problem::NotUtf8)
    })?;
    read_pairs(&text).map_err(|(line, problem)| at(line, problem))
}

/// Reads pairs from text in the format of [`read_pairs_file`]. A byte-order mark at the beginning
/// is passed over, since some editors write one.
///
/// # Errors
/// The number of the first bad line (counted from 1; none if the text holds no pair at all) and
/// what is wrong with that line.
pub fn read_pairs(text: &str) -> Result<Vec<Pair>, (Option<usize>, Problem)> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut pairs = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split_whitespace().collect();
        if words.is_empty() {
            continue;
        }
        let pair = read_pair(&words).map_err(|problem| (Some(index + 1), problem))?;
        pairs.push(pair);
    }
    if pairs.is_empty() { Err((None, Problem::Empty)) } else { Ok(pairs) }
}

fn read_pair(words: &[&str]) -> Result<Pair, Problem> {
    let [a, b] = words else {
        return Err(Problem::Columns(words.len()));
    };
    Pair::new(read_number(a)?, read_number(b)?).map_err(|_| Problem::Zero)
}

fn read_number(word: &str) -> Result<u64, Problem> {
    let digits = word.strip_prefix(['+', '-']).unwrap_or(word);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Problem::NotANumber(word.to_owned()));
    }
    if word.starts_with('-') {
        return Err(Problem::Negative(word.to_owned()));
    }
    // The word holds only digits here, so the only remaining fault is too many digits.
    digits.parse().map_err(|_| Problem::TooLarge(word.to_owned()))
}

/// A pairs file that cannot be used: which file, which line, and why.
#[derive(Debug)]
pub struct PairsFileError {
    path: PathBuf,
    line: Option<usize>,
    problem: Problem,
}

impl PairsFileError {
    /// The number of the line, counted from 1, unless the whole file is at fault.
    pub fn line(&self) -> Option<usize> {
        self.line
    }
}

impl fmt::Display for PairsFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Debug-printed, so that a name with a line feed in it still makes one line.
        let path = self.path.display().to_string();
        let path = path.escape_debug();
        match self.line {
            Some(line) => write!(f, "{path}:{line}: {}", self.problem),
            None => write!(f, "{path}: {}", self.problem),
        }
    }
}

impl Error for PairsFileError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.problem {
            Problem::Unreadable(error) => Some(error),
            _ => None,
        }
    }
}

/// What is wrong with a line, or with the whole file.
#[derive(Debug)]
pub enum Problem {
    /// The file could not be read.
    Unreadable(io::Error),
    /// The file is not UTF-8 text.
    NotUtf8,
    /// There is no pair in the whole file.
    Empty,
    /// The line has this many words instead of two.
    Columns(usize),
    /// A word that is not a whole number.
    NotANumber(String),
    /// A negative number.
    Negative(String),
    /// A number over 64 bits.
    TooLarge(String),
    /// A zero.
    Zero,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(error) if error.kind() == io::ErrorKind::NotFound => {
                f.write_str("there is no such file")
            }
            Self::Unreadable(error) if error.kind() == io::ErrorKind::IsADirectory => {
                f.write_str("this is a folder, not a file of pairs")
            }
            Self::Unreadable(error) => write!(f, "it cannot be read: {error}"),
            Self::NotUtf8 => f.write_str("this is not UTF-8 text"),
            Self::Empty => f.write_str("there is no pair in it: two positive integers a line"),
            Self::Columns(1) => f.write_str("two positive integers are wanted, one word is here"),
            Self::Columns(n) => write!(f, "two positive integers are wanted, {n} words are here"),
            Self::NotANumber(word) => write!(f, "{} is not a whole number", quoted(word)),
            Self::Negative(word) => {
                write!(f, "{} is negative; a pair needs positive numbers", quoted(word))
            }
            Self::TooLarge(word) => write!(f, "{} does not fit in 64 bits", quoted(word)),
            Self::Zero => f.write_str("a pair needs two positive numbers, and one is 0"),
        }
    }
}

/// The word in quotes. A long word is cut, so that a message is one line.
fn quoted(word: &str) -> String {
    const ENOUGH: usize = 32;
    if word.chars().count() <= ENOUGH {
        format!("'{}'", word.escape_debug())
    } else {
        let head: String = word.chars().take(ENOUGH).collect();
        format!("'{}…'", head.escape_debug())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn message(text: &str) -> String {
        let (line, problem) = read_pairs(text).unwrap_err();
        format!("{}: {problem}", line.map_or("-".to_owned(), |line| line.to_string()))
    }

    #[test]
    fn comments_empty_lines_tabs_and_windows_line_ends_are_fine() {
        let text = "\u{feff}# pairs\r\n\r\n12 18\r\n  7\t21 # seven\n";
        let pairs: Vec<(u64, u64)> =
            read_pairs(text).unwrap().into_iter().map(Into::into).collect();
        assert_eq!(pairs, [(12, 18), (7, 21)]);
    }

    #[test]
    fn every_mistake_has_its_line_and_its_sentence() {
        assert_eq!(message("1 2\n0 3\n"), "2: a pair needs two positive numbers, and one is 0");
        assert_eq!(message("-4 3"), "1: '-4' is negative; a pair needs positive numbers");
        assert_eq!(message("\n\n4 three"), "3: 'three' is not a whole number");
        assert_eq!(message("1.5 3"), "1: '1.5' is not a whole number");
        assert_eq!(message("1 2 3"), "1: two positive integers are wanted, 3 words are here");
        assert_eq!(message("1"), "1: two positive integers are wanted, one word is here");
        assert_eq!(
            message("18446744073709551616 1"),
            "1: '18446744073709551616' does not fit in 64 bits"
        );
        assert_eq!(
            message("18446744073709551615 1\n-"),
            "2: two positive integers are wanted, one word is here"
        );
        assert_eq!(
            message("# nothing\n"),
            "-: there is no pair in it: two positive integers a line"
        );
        assert_eq!(message(""), "-: there is no pair in it: two positive integers a line");
    }

    #[test]
    fn a_long_word_is_cut() {
        let line = message(&format!("1 {}", "9".repeat(5000)));
        assert!(line.len() < 100, "{line}");
    }

    #[test]
    fn files_that_cannot_be_read() {
        let folder = tempfile::tempdir().unwrap();
        let error = |path: &Path| read_pairs_file(path).unwrap_err().to_string();
        assert!(error(folder.path()).ends_with(": this is a folder, not a file of pairs"));
        assert!(error(&folder.path().join("none")).ends_with(": there is no such file"));
        let file = folder.path().join("pairs");
        fs::write(&file, b"1 2\n3 \xff4\n").unwrap();
        assert!(error(&file).ends_with("pairs:2: this is not UTF-8 text"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(pairs in prop::collection::vec((1..=u64::MAX, 1..=u64::MAX), 1..50)) {
            let text: String = pairs.iter().map(|(a, b)| format!("{a} {b}\n")).collect();
            let read: Vec<(u64, u64)> = read_pairs(&text).unwrap().into_iter().map(Into::into).collect();
            prop_assert_eq!(read, pairs);
        }

        #[test]
        fn no_text_panics(text in ".{0,200}") {
            let _ = read_pairs(&text);
        }
    }
}
