//! What the process holds before and after a soak.

use peak_alloc::PeakAlloc;
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Everything that has to be given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    /// The process's children and grandchildren: the fork server and no other process.
    pub processes: usize,
    pub descriptors: usize,
    pub threads: usize,
    /// The allocated memory, in bytes.
    pub heap: usize,
}

/// How many bytes larger the heap may end, since a list may keep the room that it once needed. A
/// client that leaks one payload in a thousand is far over this limit.
const SLACK: usize = 64 * 1024;

impl Footprint {
    pub fn now(allocated: &PeakAlloc) -> Self {
        let heap = allocated.current_usage();
        let count = |folder: &str| fs::read_dir(folder).map_or(0, Iterator::count);
        Self {
            processes: descendants(std::process::id()),
            descriptors: count("/proc/self/fd"),
            threads: count("/proc/self/task"),
            heap,
        }
    }

    /// Whether this footprint is no larger than `before`.
    pub fn is_back_at(&self, before: &Self) -> bool {
        self.processes == before.processes
            && self.descriptors == before.descriptors
            && self.threads == before.threads
            && self.heap <= before.heap + SLACK
    }
}

/// The footprint, once it is back to `before`; at the latest, the footprint after five seconds. A
/// thread that has been joined and a child that is being reaped take a moment.
pub fn settled(before: &Footprint, now: impl Fn() -> Footprint) -> Footprint {
    let start = Instant::now();
    loop {
        let after = now();
        if after.is_back_at(before) || start.elapsed() > Duration::from_secs(5) {
            return after;
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The number of this process's descendants.
fn descendants(ancestor: u32) -> usize {
    let children = format!("/proc/{ancestor}/task/{ancestor}/children");
    let Ok(children) = fs::read_to_string(children) else { return 0 };
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    children.map(|pid| 1 + descendants(pid)).sum()
}
