//! Why a pool cannot start.

use std::error::Error;
use std::{fmt, io};

/// Why the fork server or a pool could not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// This system has no process stage: the stage is written for Linux.
    Unsupported,
    /// The process has this many threads, and a fork beside threads is refused: a lock that
    /// another thread holds stays locked in the child for ever.
    Threads(usize),
    /// The fork server was started and has died, and the process has this many threads by now, so
    /// another cannot start.
    ServerDied(usize),
    /// This process is a worker. A worker belongs to a pool already, and its tasks cannot have a
    /// pool of their own.
    InWorker,
    /// The fork server has died while the pool was being made.
    ServerGone,
    /// The system refused something; the first field names the action that failed.
    System(&'static str, io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unsupported => f.write_str(
                "worker processes need Linux (on Windows WSL2, elsewhere a container); \
                 the other stages run on any Unix",
            ),
            Self::Threads(count) => write!(
                f,
                "the process has {count} threads, and forking beside threads is refused; \
                 make the pool, or call ForkServer::start(), first in main \
                 (a #[test] has no main: see ForkServer, \"In tests\")"
            ),
            Self::ServerDied(count) => write!(
                f,
                "the fork server has died, and another cannot start: the process has {count} \
                 threads by now, and forking beside threads is refused"
            ),
            Self::InWorker => f.write_str("a worker cannot have a pool of its own"),
            Self::ServerGone => f.write_str("the fork server has died, and no worker can start"),
            Self::System(doing, error) if error.raw_os_error() == Some(24) => {
                // EMFILE, on every Unix.
                write!(f, "{doing}: {error}; raise the limit with `ulimit -n`")
            }
            Self::System(doing, error) => write!(f, "{doing}: {error}"),
        }
    }
}

// No `source`: the text of the system's error is in the text of this one.
impl Error for StartError {}
