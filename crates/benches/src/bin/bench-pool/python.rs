//! The Python side: one process that times its own pool, once for each request.

use crate::options::Options;
use serde_json::Value;
use std::error::Error;
use std::io::{BufRead, BufReader, ErrorKind, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// The Python script, which documents the requests that it understands.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/python/process_pool.py");

/// A running interpreter with a pool of two workers.
pub struct Python {
    child: Child,
    // The pipe for requests. `None` when no more requests will come.
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// A description of the interpreter.
pub struct Words {
    /// `Python 3.11.7`, or a text that there is no interpreter.
    pub version: String,
    /// The description in a sentence.
    pub sentence: String,
}

impl Python {
    /// Starts the interpreter that was named, or `python3`, and returns a sentence about what was
    /// started. A missing `python3` is no error; the sentence says so.
    pub fn find(options: &Options) -> Result<(Option<Self>, Words), Box<dyn Error>> {
        let name = options.python.as_deref().unwrap_or(Path::new("python3"));
        match Self::start(name) {
            Ok((python, words)) => Ok((Some(python), words)),
            Err(why) if options.python.is_none() => {
                let sentence = format!("Python's side is left out: {why}");
                Ok((None, Words { version: "no Python".to_owned(), sentence }))
            }
            Err(why) => Err(why),
        }
    }

    fn start(program: &Path) -> Result<(Self, Words), Box<dyn Error>> {
        let named = |error: &dyn Error| format!("{}: {error}", program.display());
        let mut child = Command::new(program)
            .arg(SCRIPT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| named(&error))?;
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().expect("a pipe was asked for"));
        let mut python = Self { child, requests, answers };
        let hello = python.ask("hello").map_err(|error| named(&*error))?;
        let word = |name: &str| hello[name].as_str().unwrap_or("unknown").to_owned();
        let version = format!("Python {}", word("python"));
        let sentence = format!(
            "Python is ProcessPoolExecutor of {}, workers started by {}.",
            word("python"),
            word("start_method")
        );
        Ok((python, Words { version, sentence }))
    }

    fn ask(&mut self, request: &str) -> Result<Value, Box<dyn Error>> {
        let requests = self.requests.as_mut().expect("it is open until the drop");
        // One line, one write. If Python has ended already, the write fails where the read would
        // have found the end: whichever comes first, the same is said.
        match requests.write_all(format!("{request}\n").as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
        let mut line = String::new();
        match self.answers.read_line(&mut line)? {
            0 => Err(format!("{request}: it has ended").into()),
            _ => Ok(serde_json::from_str(&line)?),
        }
    }

    /// Asks for one measurement, in seconds.
    pub fn seconds(&mut self, request: &str) -> Result<f64, Box<dyn Error>> {
        let answer = self.ask(request).map_err(|error| format!("Python, {error}"))?;
        answer.as_f64().ok_or_else(|| format!("Python, {request}: {answer}").into())
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        self.requests = None; // the script reads an end of file, and exits
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The request may be written before the interpreter has ended or after it; here it is after.
    #[test]
    fn an_interpreter_that_has_ended_is_told_as_such() {
        let mut command = Command::new("true");
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let requests = child.stdin.take();
        let answers = BufReader::new(child.stdout.take().unwrap());
        child.wait().unwrap();
        let error = Python { child, requests, answers }.ask("hello").unwrap_err();
        assert_eq!(error.to_string(), "hello: it has ended");
    }
}
