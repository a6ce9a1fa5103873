//! What a step cannot do yet.

/// A promise of the pool that a step does not keep. Each is put so that a test can show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Lack {
    /// An item is cheaper than a fork: 100,000 tiny items are over within a second or two.
    CheapItems,
    /// An idle worker takes the next item. Without it, two workers and four items of which the
    /// first waits until all the others have run: it waits for ever.
    IdleTakesNext,
    /// A panic costs the item that panicked and no other.
    PanicCostsOneItem,
    /// A worker's death costs the item that it ran and no other.
    DeathCostsOneItem,
    /// A panic is told as one, with its message, and not as a worker that exited.
    PanicMessage,
    /// A panic is told with the place where it happened.
    PanicLocation,
    /// An answer that does not serialise is told as that, and not as a worker that exited.
    NotSerialised,
    /// A dead worker is replaced: with as many deaths as workers, the items after them still run.
    Replacement,
    /// The workers stay: two maps meet the same processes.
    KeptWorkers,
    /// Threads do no harm. Without it, a task that locks a mutex which another thread of the
    /// caller holds during the fork waits for ever, on a lock that nobody in the child releases.
    SafeBesideThreads,
    /// Nothing outlives the program: when it is killed, its busy children die with it.
    DiesWithProgram,
    /// A child has no other child's descriptors.
    NoInheritedDescriptors,
}
