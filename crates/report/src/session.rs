//! A lesson's session, from what is typed to its last line: what every lesson does in the same way,
//! whatever runs in it.

use crate::Lesson;
use crate::format::counted;
use crate::output_file::OutputFile;
use crate::screen::{OutputError, Screen, frame};
use crate::typed::one_line;
use clap::builder::StyledStr;
use clap::error::ErrorKind;
use clap::{ArgMatches, Args, Command};
use serde_json::Value;
use std::error::Error;
use std::ffi::OsString;
use std::fmt::{self, Display};
use std::io::{Write, stdout};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

/// What every lesson can be told about its output, as it is typed.
#[derive(Debug, Args)]
pub struct OutputArguments {
    /// Print one JSON document, not text; times in seconds
    #[arg(long)]
    json: bool,
    /// Also draw the schedule into this file, as SVG
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    /// Write the JSON document into this file, beside the text. Not in the help: it is for the
    /// book's recorder, whose text, numbers and drawing have to be of one run.
    #[arg(long, value_name = "FILE", hide = true)]
    record: Option<PathBuf>,
}

/// The same, with a file that was found writable.
#[derive(Debug, Default)]
pub struct Destination {
    json: bool,
    svg: Option<OutputFile>,
    record: Option<OutputFile>,
    /// Whether the lesson itself writes a file that was asked for.
    pub(crate) own_file: bool,
}

impl OutputArguments {
    /// Looks at the files. To be done last, so that a mistake elsewhere touches no file.
    ///
    /// # Errors
    /// [`NoOptions::Input`] if a file cannot be written.
    pub fn open(self) -> Result<Destination, NoOptions> {
        let Self { json, svg, record } = self;
        let named = |path: Option<PathBuf>, what| {
            path.map(|path| OutputFile::named(&path, what)).transpose().map_err(NoOptions::Input)
        };
        let (svg, record) = (named(svg, "drawing")?, named(record, "record")?);
        Ok(Destination { json, svg, record, own_file: false })
    }
}

impl Destination {
    /// Whether there is something to do where nobody reads standard output to its end.
    fn has_files(&self) -> bool {
        self.own_file
            || [&self.svg, &self.record].into_iter().flatten().any(OutputFile::stands_alone)
    }

    /// Writes what was asked for; what was not asked for is not made.
    pub(crate) fn write(
        self,
        drawing: impl FnOnce() -> String,
        document: impl FnOnce() -> serde_json::Result<Value>,
    ) -> Result<(), Box<dyn Error>> {
        let Self { json, svg, record, .. } = self;
        if let Some(file) = svg {
            file.write(&drawing())?;
        }
        if json || record.is_some() {
            let text = document()?.to_string();
            if let Some(file) = record {
                file.write(&text)?;
            }
            if json {
                OutputError::check(writeln!(stdout(), "{text}"))?;
            }
        }
        OutputError::check(stdout().flush())?;
        Ok(())
    }
}

/// Why there are no options to run with.
#[derive(Debug)]
pub enum NoOptions {
    /// Help was asked for; this is it.
    Help(StyledStr),
    /// What was typed cannot be used: one line.
    Input(String),
}

/// Reads the arguments of a lesson, the program's name first.
///
/// # Errors
/// [`NoOptions`] if they are not the command's, or ask for help.
pub fn arguments(
    lesson: &Lesson,
    command: Command,
    arguments: impl IntoIterator<Item = OsString>,
) -> Result<ArgMatches, NoOptions> {
    let Lesson { number, name, question, .. } = lesson;
    let command = command
        .name(name.clone())
        .about(format!("Lesson {number}, {name}: {question}"))
        .override_usage(format!(
            "just lesson-{number} [OPTIONS]\n       cargo lesson {number} -- [OPTIONS]"
        ));
    command.try_get_matches_from(arguments).map_err(NoOptions::from)
}

impl NoOptions {
    /// Prints the help to standard output, or the line to standard error; the exit status is 0 or 2.
    pub fn report(self) -> ExitCode {
        match self {
            Self::Help(help) => {
                // A reader that closes the help early has seen enough of it.
                let _ = write!(anstream::stdout(), "{}", help.ansi());
                ExitCode::SUCCESS
            }
            Self::Input(line) => complain(line, 2),
        }
    }
}

impl From<clap::Error> for NoOptions {
    fn from(error: clap::Error) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp => Self::Help(error.render()),
            _ => Self::Input(one_line(&error.render().to_string())),
        }
    }
}

/// What the person gave cannot be used, and it took the lesson's body to find out: the line for
/// standard error. The exit status is 2.
#[derive(Debug)]
pub struct BadInput(pub String);

impl Display for BadInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for BadInput {}

/// A lesson's `main`: runs the body, if there are options to run it with.
///
/// The exit status is 0; 2 with one line on standard error if the options cannot be used; 1 with
/// one line if the run fails. If nobody reads standard output to its end, the lesson ends quietly;
/// where files were asked for, once they are written.
pub fn main<O>(
    options: Result<O, NoOptions>,
    body: impl FnOnce(O) -> Result<(), Box<dyn Error>>,
) -> ExitCode {
    let error = match options.map(body) {
        Ok(Ok(())) => return ExitCode::SUCCESS,
        Ok(Err(error)) => error,
        Err(none) => return none.report(),
    };
    match error.downcast_ref::<OutputError>() {
        Some(output) if output.is_closed_pipe() => ExitCode::SUCCESS,
        _ => complain(&error, if error.is::<BadInput>() { 2 } else { 1 }),
    }
}

/// Writes one line to standard error, and gives this exit status.
fn complain(message: impl Display, status: u8) -> ExitCode {
    // If standard error is closed too, the status is all that is left to say.
    let _ = writeln!(anstream::stderr(), "error: {message}");
    ExitCode::from(status)
}

/// A lesson that is under way: what it prints, and what it writes at its end.
///
/// Each method that prints fails if standard output cannot be written, and prints nothing if
/// `--json` was given.
pub struct Session {
    /// The lesson's facts.
    pub lesson: Lesson,
    pub(crate) screen: Screen,
    pub(crate) destination: Destination,
}

impl Session {
    /// Prints the lesson's head.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn begin(lesson: &Lesson, destination: Destination) -> Result<Self, Box<dyn Error>> {
        let mut screen = Screen::new(destination.json, destination.has_files());
        screen.line(frame(lesson).0)?;
        Ok(Self { lesson: lesson.clone(), screen, destination })
    }

    /// Prints the lesson's foot.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn foot(&mut self) -> Result<(), Box<dyn Error>> {
        self.line(frame(&self.lesson).1)
    }

    /// Prints a line as it is.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn line(&mut self, line: impl Display) -> Result<(), Box<dyn Error>> {
        Ok(self.screen.line(line)?)
    }

    /// Prints this under a label, broken into lines that stand below each other. A line with
    /// measured numbers is at most 67 characters, so that it breaks nowhere.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn say(&mut self, label: &str, text: &str) -> Result<(), Box<dyn Error>> {
        Ok(self.screen.section(label, text)?)
    }

    /// Says what the lesson runs on, with this many workers.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub fn machine(&mut self, workers: NonZeroUsize) -> Result<(), Box<dyn Error>> {
        if cfg!(debug_assertions) {
            self.say("Build", "not optimised: its times mean nothing; add --release")?;
        }
        let cores = cores().get();
        let machine = match cores {
            1 => "1 core here: expect 1.00×; the rest still teaches".to_owned(),
            _ if workers.get() > cores => {
                let workers = counted(workers.get(), "worker");
                format!("{cores} cores for {workers}: expect at most {cores}.00×")
            }
            _ => counted(cores, "core"),
        };
        self.say("Machine", &machine)
    }

    /// Writes what was asked for beside the text: the drawing, the document.
    ///
    /// # Errors
    /// If a file or standard output cannot be written.
    pub fn end(
        self,
        drawing: impl FnOnce() -> String,
        document: impl FnOnce() -> serde_json::Result<Value>,
    ) -> Result<(), Box<dyn Error>> {
        self.destination.write(drawing, document)
    }
}

/// The real cores that this process may use.
pub fn cores() -> NonZeroUsize {
    thread::available_parallelism().unwrap_or(NonZeroUsize::MIN)
}
