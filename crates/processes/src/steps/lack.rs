//! The promises that a step does not keep yet.

/// A promise of the pool that a step does not keep. Each promise is worded so that a test can check
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// An item is cheaper than a fork: 100,000 tiny items are over within a second or two.
    CheapItems,
    /// An idle worker takes the next item. Without this promise, take two workers and four items of
    /// which the first waits until all the others have run: the first item waits for ever.
    IdleTakesNext,
    /// A panic costs the item that panicked and no other.
    PanicCostsOneItem,
    /// A worker's death costs the item that it ran and no other.
    DeathCostsOneItem,
    /// A panic is reported as a panic, with its message, and not as a worker that exited.
    PanicMessage,
    /// A panic is reported with the place where it happened.
    PanicLocation,
    /// An answer that does not serialise is reported as such, and not as a worker that exited.
    NotSerialised,
    /// A value comes back as it was, or is refused. Without this promise, a value with a skipped
    /// field comes back as another value.
    RightValues,
    /// A dead worker is replaced: after as many deaths as workers, the next items still run.
    Replacement,
    /// The workers stay: two maps run in the same processes.
    KeptWorkers,
    /// Threads do no harm. Without this promise, a task that locks a mutex which another thread of
    /// the caller holds during the fork waits for ever, because the child lacks the thread that
    /// would release the mutex.
    SafeBesideThreads,
    /// No child outlives the program: when the program is killed, its busy children die, too.
    DiesWithProgram,
    /// A child has no other child's descriptors.
    NoInheritedDescriptors,
}
