//! What can go wrong with one item, and what is known about the item afterwards.

use serde::{Deserialize, Serialize};
use std::any::Any;
use std::error::Error;
use std::fmt;

/// Why an item has no answer.
///
/// A `TaskError` is one pointer wide: an error that rarely comes must not make every answer larger.
#[derive(Debug)]
pub struct TaskError(Box<Inner>);

#[derive(Debug)]
struct Inner {
    index: usize,
    ran: Ran,
    kind: TaskErrorKind,
}

impl TaskError {
    /// The error of the item at `index`, counted from 0.
    pub fn new(index: usize, ran: Ran, kind: TaskErrorKind) -> Self {
        Self(Box::new(Inner { index, ran, kind }))
    }

    /// The item's index, counted from 0. (Messages and pictures count items from 1.)
    pub fn index(&self) -> usize {
        self.0.index
    }

    /// Did the task run on this item? The question behind it: may the item be tried again?
    pub fn ran(&self) -> Ran {
        self.0.ran
    }

    /// What happened.
    pub fn kind(&self) -> &TaskErrorKind {
        &self.0.kind
    }
}

impl fmt::Display for TaskError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let item = self.0.index + 1;
        match &self.0.kind {
            TaskErrorKind::WorkerDied(death) => {
                write!(f, "item {item}: {death:#} while it ran this item")?;
                death.why().map_or(Ok(()), |why| write!(f, "; {why}"))?;
            }
            kind => write!(f, "item {item}: {kind}")?,
        }
        match self.0.ran {
            Ran::Unknown => f.write_str("; did the item run? unknown"),
            Ran::No => f.write_str("; the item did not run"),
            Ran::Yes => Ok(()),
        }
    }
}

impl Error for TaskError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.0.kind {
            TaskErrorKind::Panicked(panic) => Some(panic),
            _ => None,
        }
    }
}

/// Did the task run on the item? The place where the error arises sets this value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Ran {
    /// The task did not run: trying again repeats nothing.
    No,
    /// The task ran, to its end or to a panic: trying again repeats its effects.
    Yes,
    /// The pool cannot know: the worker died while it had the item.
    Unknown,
}

impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Ran::No => "no",
            Ran::Yes => "yes",
            Ran::Unknown => "unknown",
        })
    }
}

/// The kinds of failure of one item. More may come.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TaskErrorKind {
    /// The task panicked. The worker lives on.
    Panicked(RemotePanic),
    /// The worker process ended while it had the item.
    WorkerDied(Death),
    /// The argument or the answer could not be written as bytes; the text says why.
    NotSerialised(String),
    /// The argument or the answer could not be read from its bytes; the text says why.
    NotDeserialised(String),
    /// The task's code is not part of the program's own file, so the pool cannot know that its
    /// workers have this code at the same address. The code lies in a shared library, linked or
    /// opened at any time, or was made while the program ran. A library is refused even if it was
    /// open before the fork server started, because a program may close it and open another in its
    /// place. In a native module (a Python extension, for example) everything lies in a library: run
    /// the work in a program of its own, and start that program from the module.
    NotInTemplate,
    /// The executor cannot run anything any more; the text says why.
    Broken(String),
    /// The item was cancelled before a worker had it.
    Cancelled,
    /// The item was not done in time. If a worker had the item, that worker was killed.
    TimedOut,
}

impl fmt::Display for TaskErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Panicked(panic) => write!(f, "{panic}"),
            Self::WorkerDied(death) => write!(f, "{death}"),
            Self::NotSerialised(why) => write!(f, "could not be serialised: {why}"),
            Self::NotDeserialised(why) => write!(f, "could not be deserialised: {why}"),
            Self::NotInTemplate => f.write_str(
                "the task's code is not in the program's own file but in a shared library (or was \
                 made at run time), and a worker may have other code at its address",
            ),
            Self::Broken(why) => write!(f, "the pool is broken: {why}"),
            Self::Cancelled => f.write_str("it was cancelled"),
            Self::TimedOut => f.write_str("it was not done in time"),
        }
    }
}

/// What another thread or process can learn of a panic: the panic's text, not its value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemotePanic {
    /// The panic's message.
    pub message: String,
    /// Where the panic happened (`file:line:column`), if the place is known.
    pub location: Option<String>,
    /// The backtrace, if `RUST_BACKTRACE` asked for one and a worker process caught the panic.
    pub backtrace: Option<String>,
}

impl RemotePanic {
    /// What is left of a panic after `catch_unwind`: the message, if it was text.
    pub fn from_payload(payload: &(dyn Any + Send)) -> Self {
        Self { message: Self::text(payload), location: None, backtrace: None }
    }

    /// The message of a panic with this value, if the value is text, and a phrase otherwise.
    pub fn text(payload: &(dyn Any + Send)) -> String {
        if let Some(text) = payload.downcast_ref::<&str>() {
            (*text).to_owned()
        } else if let Some(text) = payload.downcast_ref::<String>() {
            text.clone()
        } else {
            "a panic whose value is not text".to_owned()
        }
    }
}

impl fmt::Display for RemotePanic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the task panicked: {}", self.message)?;
        if let Some(location) = &self.location {
            write!(f, ", at {location}")?;
        }
        if let Some(backtrace) = &self.backtrace {
            write!(f, "\nthe worker's backtrace:\n{backtrace}")?;
        }
        Ok(())
    }
}

impl Error for RemotePanic {}

/// How a worker process ended. Workers are numbered from 0 and printed as letters from A.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Death {
    /// The worker called `exit` with this status.
    Exited {
        /// Which worker.
        worker: usize,
        /// The worker's process id. It may belong to another process by now.
        pid: u32,
        /// The worker's exit status, 0 to 255.
        status: i32,
        /// What is known of the cause.
        why: Option<String>,
    },
    /// A signal ended the worker.
    Killed {
        /// Which worker.
        worker: usize,
        /// The worker's process id. It may belong to another process by now.
        pid: u32,
        /// The signal's number.
        signal: i32,
        /// The signal's name, such as `SIGKILL`.
        name: String,
        /// What is known of the cause: a panic that could not be caught, or that the pool itself
        /// killed the worker, and for what reason.
        why: Option<String>,
    },
    /// The worker is gone, and no process is left that could say how.
    Unknown {
        /// Which worker.
        worker: usize,
        /// The worker's process id, if it was known. It may belong to another process by now.
        pid: Option<u32>,
    },
}

impl Death {
    /// Which worker died, counted from 0.
    pub fn worker(&self) -> usize {
        let (Self::Exited { worker, .. }
        | Self::Killed { worker, .. }
        | Self::Unknown { worker, .. }) = self;
        *worker
    }

    /// The dead worker's process id, if it was known.
    pub fn pid(&self) -> Option<u32> {
        match self {
            Self::Exited { pid, .. } | Self::Killed { pid, .. } => Some(*pid),
            Self::Unknown { pid, .. } => *pid,
        }
    }

    /// What is known of the cause.
    pub fn why(&self) -> Option<&str> {
        match self {
            Self::Exited { why, .. } | Self::Killed { why, .. } => why.as_deref(),
            Self::Unknown { .. } => None,
        }
    }

    /// Notes the cause, if the cause is not known yet.
    #[must_use]
    pub fn because(mut self, cause: Option<String>) -> Self {
        if let Self::Exited { why, .. } | Self::Killed { why, .. } = &mut self {
            *why = why.take().or(cause);
        }
        self
    }
}

impl fmt::Display for Death {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "worker {}", worker_name(self.worker()))?;
        if let Some(pid) = self.pid() {
            write!(f, " (pid {pid})")?;
        }
        match self {
            Self::Exited { status, .. } => write!(f, " exited with status {status}"),
            Self::Killed { name, .. } => write!(f, " was killed by {name}"),
            Self::Unknown { .. } => f.write_str(" died, nobody knows how,"),
        }?;
        // The alternate form, `{:#}`, leaves the cause out.
        match self.why().filter(|_| !f.alternate()) {
            Some(why) => write!(f, " ({why})"),
            None => Ok(()),
        }
    }
}

/// The letter of a worker counted from 0: A to Z, then AA, AB and so on, as columns of a
/// spreadsheet.
pub fn worker_name(worker: usize) -> String {
    let mut letters = Vec::new();
    let mut rest = worker + 1;
    while rest > 0 {
        rest -= 1;
        letters.push(char::from(b'A' + (rest % 26) as u8));
        rest /= 26;
    }
    letters.iter().rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_pointer_wide() {
        assert_eq!(size_of::<TaskError>(), size_of::<usize>());
        assert_eq!(size_of::<Result<(), TaskError>>(), size_of::<usize>());
    }

    #[test]
    fn errors_speak_plainly() {
        let name = "SIGKILL".to_owned();
        let killed = Death::Killed { worker: 1, pid: 4711, signal: 9, name, why: None };
        let told = killed.clone().because(Some("the pool killed it".to_owned()));
        assert_eq!(
            told.to_string(),
            "worker B (pid 4711) was killed by SIGKILL (the pool killed it)"
        );
        assert_eq!(told.clone().because(Some("another cause".to_owned())), told);
        let died = |death| TaskError::new(7, Ran::Unknown, TaskErrorKind::WorkerDied(death));
        assert_eq!(
            died(killed).to_string(),
            "item 8: worker B (pid 4711) was killed by SIGKILL while it ran this item; \
             did the item run? unknown"
        );
        assert_eq!(
            died(told).to_string(),
            "item 8: worker B (pid 4711) was killed by SIGKILL while it ran this item; \
             the pool killed it; did the item run? unknown"
        );
        let unknown = died(Death::Unknown { worker: 0, pid: None });
        assert!(unknown.to_string().contains(" died, nobody knows how, while it ran"), "{unknown}");
        let panic = RemotePanic {
            message: "no luck".into(),
            location: Some("src/main.rs:3:5".into()),
            backtrace: None,
        };
        let error = TaskError::new(0, Ran::Yes, TaskErrorKind::Panicked(panic));
        assert_eq!(error.to_string(), "item 1: the task panicked: no luck, at src/main.rs:3:5");
        let error = TaskError::new(2, Ran::No, TaskErrorKind::NotInTemplate);
        assert!(error.to_string().ends_with("; the item did not run"), "{error}");
    }

    #[test]
    fn workers_are_named_like_columns() {
        let names: Vec<String> = [0, 1, 25, 26, 27, 701, 702].map(worker_name).to_vec();
        assert_eq!(names, ["A", "B", "Z", "AA", "AB", "ZZ", "AAA"]);
    }
}
