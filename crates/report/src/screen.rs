//! Standard output, line by line.

use crate::Lesson;
use crate::format::wrap;
use crate::words::LABEL;
use anstream::AutoStream;
use anstyle::{AnsiColor, Style};
use std::error::Error;
use std::fmt;
use std::io::{self, Stdout, Write};

const WIDTH: usize = 80;
const BOLD: Style = Style::new().bold();
const MARK: Style = AnsiColor::Green.on_default().bold();

/// Where a lesson's text goes: to standard output, with colour if that is a terminal and
/// `NO_COLOR` does not forbid it; or nowhere, if the lesson prints its JSON document instead.
pub(crate) struct Screen {
    out: Option<AutoStream<Stdout>>,
    /// Whether there is something to do beside printing, so that a lesson whose output nobody
    /// reads goes on in silence.
    goes_on: bool,
}

impl Screen {
    pub(crate) fn new(quiet: bool, goes_on: bool) -> Self {
        Self { out: (!quiet).then(anstream::stdout), goes_on }
    }

    /// One line as it is.
    pub(crate) fn line(&mut self, line: impl fmt::Display) -> Result<(), OutputError> {
        let Some(out) = &mut self.out else { return Ok(()) };
        match writeln!(out, "{line}").map_err(OutputError) {
            Err(error) if error.is_closed_pipe() && self.goes_on => {
                self.out = None;
                Ok(())
            }
            written => written,
        }
    }

    /// A line that begins with a label, which is as wide as every other.
    pub(crate) fn labelled(&mut self, label: &str, rest: &str) -> Result<(), OutputError> {
        self.line(labelled(label, rest))
    }

    /// A label and its text, broken into lines that stand below each other.
    pub(crate) fn section(&mut self, label: &str, text: &str) -> Result<(), OutputError> {
        section(label, text).iter().try_for_each(|line| self.line(line))
    }

    /// A line with a mark after it, in colour where there is colour; its words say it anyway.
    pub(crate) fn marked(&mut self, line: &str, mark: &str) -> Result<(), OutputError> {
        self.line(format_args!("{line}{MARK}{mark}{MARK:#}"))
    }
}

fn labelled(label: &str, rest: &str) -> String {
    let gap = " ".repeat(LABEL.saturating_sub(label.chars().count()).max(1));
    format!("{BOLD}{label}{BOLD:#}{gap}{rest}")
}

fn section(label: &str, text: &str) -> Vec<String> {
    let lines = wrap(text, WIDTH - LABEL).into_iter().enumerate();
    lines
        .map(|(index, line)| match index {
            0 => labelled(label, &line),
            _ => format!("{:LABEL$}{line}", ""),
        })
        .collect()
}

/// A lesson's first line and its last ones, styled.
///
/// Public for the one lesson whose text is printed by another program: lesson 8's is a script in
/// Python, which gets its frame from here.
pub fn frame(lesson: &Lesson) -> (String, String) {
    let Lesson { number, name, question, minutes, remember, next, .. } = lesson;
    let (left, right) =
        (format!("Lesson {number}   {name}   {question}"), format!("about {minutes} minutes"));
    let gap = WIDTH.saturating_sub(left.chars().count() + right.chars().count()).max(2);
    let head = format!("{BOLD}{left}{BOLD:#}{}{right}", " ".repeat(gap));
    let foot = [section("Remember", remember), section("Next", next)].concat();
    (head, foot.join("\n"))
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
