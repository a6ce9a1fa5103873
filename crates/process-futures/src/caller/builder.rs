//! How a pool is made.

use crate::caller::call::call;
use crate::caller::core::PoolCore;
use crate::caller::manager;
use crate::caller::pool::ProcessPoolExecutor;
use crate::caller::shared::Shared;
use crate::caller::wake::Wake;
use crate::wire::packet::Packet;
use fork_server::StartError;
use kernel::{Message, TaskErrorKind};
use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;
use std::{fmt, thread};

/// What the pool does when a worker dies. (A worker that the pool kills by itself, over a time
/// limit, is replaced in any case and not counted.)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnDeath {
    /// The dead worker's running call fails, and another worker takes the dead worker's place.
    /// After more than `limit` deaths with no answer from any worker between them, the pool is
    /// broken.
    Replace {
        /// How many deaths in a row the pool tolerates. The default is twice the number of workers,
        /// and at least 20.
        limit: usize,
    },
    /// The first death breaks the pool, as in Python (`BrokenProcessPool`): every call that no
    /// worker has fails with [`Broken`](TaskErrorKind::Broken). Calls that other workers are
    /// running end as usual (in Python these calls are lost too).
    Break,
}

/// Makes a [`ProcessPoolExecutor`]. The methods have the names of the executor's parameters in
/// Python.
#[derive(Default)]
#[must_use = "the pool comes with `build`"]
pub struct Builder {
    max_workers: Option<NonZeroUsize>,
    initializer: Option<Result<Packet, TaskErrorKind>>,
    max_tasks_per_child: Option<NonZeroUsize>,
    on_death: Option<OnDeath>,
    drop_timeout: Option<Duration>,
}

impl ProcessPoolExecutor {
    /// Starts the description of a pool.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

impl Builder {
    /// Sets the number of workers. The default is the number of cores that the program may use, and
    /// 1 if that number is unknown.
    pub fn max_workers(mut self, workers: NonZeroUsize) -> Self {
        self.max_workers = Some(workers);
        self
    }

    /// Has each worker run this function first, with a copy of the argument: to open a file, load a
    /// table, seed a generator. The argument is the way to give workers data that the program has
    /// gained since the fork server started. It is also the place to change what workers inherit
    /// (working folder, user, umask, limits, niceness, cores, environment): see
    /// [`ForkServer`](crate::ForkServer) for the list.
    ///
    /// If the initializer panics or exits, the pool is broken, as in Python: each call fails with a
    /// text that says so, and no worker is forked again and again. If a signal ends the worker in
    /// the initializer, the end counts as a death.
    pub fn initializer<I: Message>(mut self, initializer: fn(I), argument: I) -> Self {
        self.initializer = Some(call(initializer, &argument));
        self
    }

    /// Replaces a worker after this many calls. A chunk of a map is one call, as in Python. The
    /// default is to keep workers for the life of the pool.
    pub fn max_tasks_per_child(mut self, tasks: NonZeroUsize) -> Self {
        self.max_tasks_per_child = Some(tasks);
        self
    }

    /// Sets what the pool does when a worker dies.
    pub fn on_death(mut self, policy: OnDeath) -> Self {
        self.on_death = Some(policy);
        self
    }

    /// Sets how long dropping the pool may wait for running calls, and for initializers, before it
    /// kills the workers (SIGKILL). Calls that are killed so fail with
    /// [`WorkerDied`](TaskErrorKind::WorkerDied). By default the pool waits as long as the calls
    /// take, as in Python: a task or an initializer that hangs then keeps the drop waiting.
    ///
    /// The limit is for the drop alone: [`shutdown`](ProcessPoolExecutor::shutdown) waits as long as
    /// the calls take. With [`Duration::ZERO`], dropping the pool is
    /// [`kill_workers`](ProcessPoolExecutor::kill_workers).
    pub fn drop_timeout(mut self, limit: Duration) -> Self {
        self.drop_timeout = Some(limit);
        self
    }

    /// Starts the workers, and the fork server if it is not running. (Python starts workers with
    /// the first calls.)
    ///
    /// # Errors
    /// [`BuildError::Start`] as for every pool: for example in a program with threads and no fork
    /// server, and in a worker. [`BuildError::Initializer`] if the initializer or its argument
    /// cannot be sent to a worker. An initializer that fails in a worker is reported by the calls.
    pub fn build(self) -> Result<ProcessPoolExecutor, BuildError> {
        let cores = || thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let mut core = PoolCore::new(self.max_workers.unwrap_or_else(cores))?;
        if let Some(tasks) = self.max_tasks_per_child {
            core.limit_calls(tasks);
        }
        match self.on_death {
            Some(OnDeath::Replace { limit }) => core.limit_deaths(limit),
            Some(OnDeath::Break) => core.limit_deaths(0),
            None => {}
        }
        if let Some(call) = self.initializer {
            core.initialize(call.map_err(BuildError::Initializer)?);
            core.send();
        }
        let wake =
            Wake::new().map_err(|errno| StartError::System("an event descriptor", errno.into()))?;
        Ok(ProcessPoolExecutor::of(Shared::new(core, wake, manager::run), self.drop_timeout))
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("max_workers", &self.max_workers)
            .field("initializer", &self.initializer.is_some())
            .field("max_tasks_per_child", &self.max_tasks_per_child)
            .field("on_death", &self.on_death)
            .field("drop_timeout", &self.drop_timeout)
            .finish()
    }
}

/// Why there is no pool.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// The workers could not be started.
    Start(StartError),
    /// The initializer or its argument cannot be sent to a worker.
    Initializer(TaskErrorKind),
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Start(error) => error.fmt(f),
            Self::Initializer(kind) => write!(f, "the initializer: {kind}"),
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Start(error) => error.source(),
            Self::Initializer(_) => None,
        }
    }
}

impl From<StartError> for BuildError {
    fn from(error: StartError) -> Self {
        Self::Start(error)
    }
}
