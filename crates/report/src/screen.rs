//! Standard output, line by line.

use crate::format::wrap;
use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use std::error::Error;
use std::fmt;
use std::io::{self, Stdout, Write};

/// Every label is this wide, and what it labels stands to the right of it.
pub(crate) const LABEL: usize = 13;
const WIDTH: usize = 80;
const BOLD: Style = Style::new().bold();
const MARK: Style = AnsiColor::Green.on_default().bold();

/// Where a lesson's text goes: to standard output, with colour if that is a terminal and
/// `NO_COLOR` does not forbid it; or nowhere, if the lesson prints its JSON document instead.
pub(crate) struct Screen {
    out: Option<AutoStream<Stdout>>,
}

impl Screen {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { out: (!quiet).then(anstream::stdout) }
    }

    /// One line as it is.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        match &mut self.out {
            Some(out) => writeln!(out, "{line}").map_err(OutputError),
            None => Ok(()),
        }
    }

    /// A line that begins with a label, which is as wide as every other.
    pub(crate) fn labelled(&mut self, label: &str, rest: &str) -> Result<(), OutputError> {
        let gap = " ".repeat(LABEL.saturating_sub(label.chars().count()).max(1));
        self.line(format_args!("{BOLD}{label}{BOLD:#}{gap}{rest}"))
    }

    /// A label and its text, broken into lines that stand below each other.
    pub(crate) fn section(&mut self, label: &str, text: &str) -> Result<(), OutputError> {
        for (index, line) in wrap(text, WIDTH - LABEL).iter().enumerate() {
            if index == 0 {
                self.labelled(label, line)?;
            } else {
                self.line(format_args!("{:LABEL$}{line}", ""))?;
            }
        }
        Ok(())
    }

    /// A line with a mark after it, in colour where there is colour; its words say it anyway.
    pub(crate) fn marked(&mut self, line: &str, mark: &str) -> Result<(), OutputError> {
        self.line(format_args!("{line}{MARK}{mark}{MARK:#}"))
    }

    /// A line with its end at the right margin.
    pub(crate) fn justified(&mut self, left: &str, right: &str) -> Result<(), OutputError> {
        let gap = WIDTH.saturating_sub(left.chars().count() + right.chars().count()).max(2);
        self.line(format_args!("{BOLD}{left}{BOLD:#}{}{right}", " ".repeat(gap)))
    }
}

/// Standard output did not take what was written.
#[derive(Debug)]
pub(crate) struct OutputError(io::Error);

impl OutputError {
    /// Writes everything that standard output still holds back.
    pub(crate) fn check(result: io::Result<()>) -> Result<(), Self> {
        result.map_err(Self)
    }

    /// Nobody reads on, as in `| head -1`. That is the reader's right and no failure.
    pub(crate) fn is_closed_pipe(&self) -> bool {
        self.0.kind() == io::ErrorKind::BrokenPipe
    }
}

impl fmt::Display for OutputError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "standard output cannot be written: {}", self.0)
    }
}

impl Error for OutputError {}
