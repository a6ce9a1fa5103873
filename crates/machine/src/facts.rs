//! Processors, their limits, memory, load and system.
//!
//! Facts are gathered first and told afterwards, so that tests can tell the facts of machines that
//! they do not have. A fact that cannot be found is `None`; nothing here fails.

use crate::said;
use std::path::Path;
use std::process::Command;
use std::{env, fs, thread};

/// What is known about a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The operating system: its kernel, its own name and the architecture, with commas between.
    pub system: String,
    /// Is it Linux? (The process stage runs there only.)
    pub linux: bool,
    /// The CPU's model.
    pub cpu: Option<String>,
    /// How many threads can run at once, by the standard library's word, which knows the limits
    /// below on most systems.
    pub cores: Option<usize>,
    /// How many processors the system has switched on.
    pub online: Option<usize>,
    /// How many of them this process may use (its affinity mask).
    pub allowed: Option<usize>,
    /// How much of them its control group may use, in processors: 1.5 is one and a half.
    pub quota: Option<f64>,
    /// How many hardware threads share one core.
    pub threads_a_core: Option<usize>,
    /// Can `/proc/self/task` be read? (The fork server counts threads there.)
    pub proc: bool,
    /// Memory in bytes: all, and what is available.
    pub memory: Option<(u64, u64)>,
    /// `/dev/shm` in bytes: all, and what is free.
    pub shared: Option<(u64, u64)>,
    /// How many processes ran or wanted to, on average over the last minute.
    pub load: Option<f64>,
}

impl Facts {
    /// Gathers the facts of this machine.
    pub fn gather() -> Self {
        let linux = cfg!(target_os = "linux");
        let mut facts = Self::of_files(Path::new("/"), linux);
        facts.cores = thread::available_parallelism().ok().map(usize::from);
        #[cfg(unix)]
        {
            facts.shared = shared_memory();
        }
        if facts.cpu.is_none() && !linux {
            let name = said(Command::new("sysctl").args(["-n", "machdep.cpu.brand_string"]));
            facts.cpu = name.ok().flatten().map(|text| text.trim().to_owned());
        }
        facts
    }

    /// The facts that stand in files below `root`, which is `/` but for tests. The others are
    /// unknown.
    pub fn of_files(root: &Path, linux: bool) -> Self {
        let read = |path: &str| fs::read_to_string(root.join(path)).ok();
        let status = read("proc/self/status");
        let allowed = status.as_deref().and_then(|text| field(text, "Cpus_allowed_list"));
        let info = read("proc/cpuinfo");
        let memory = read("proc/meminfo");
        let kilobytes = |name| -> Option<u64> {
            let value = field(memory.as_deref()?, name)?;
            value.split_whitespace().next()?.parse::<u64>().ok()?.checked_mul(1024)
        };
        let siblings = read("sys/devices/system/cpu/cpu0/topology/thread_siblings_list");
        let smt_off = read("sys/devices/system/cpu/smt/active").is_some_and(|on| on.trim() == "0");
        Self {
            system: system(root),
            linux,
            cpu: info.as_deref().and_then(|text| field(text, "model name")).map(str::to_owned),
            cores: None,
            online: read("sys/devices/system/cpu/online").as_deref().and_then(listed),
            allowed: allowed.and_then(listed),
            quota: quota(root),
            threads_a_core: siblings.as_deref().and_then(listed).or(smt_off.then_some(1)),
            proc: root.join("proc/self/task").is_dir(),
            memory: kilobytes("MemTotal").zip(kilobytes("MemAvailable")),
            shared: None,
            load: read("proc/loadavg").and_then(|text| text.split(' ').next()?.parse().ok()),
        }
    }
    /// What keeps this program from using all processors, or "none".
    pub fn limits(&self) -> String {
        let mut limits = Vec::new();
        if let (Some(allowed), Some(online)) = (self.allowed, self.online)
            && allowed < online
        {
            limits.push(format!("affinity: {allowed} of {online} cores"));
        }
        limits.extend(self.quota.map(|quota| format!("control group: {quota:.1} cores")));
        if limits.is_empty() { "none".to_owned() } else { limits.join(", ") }
    }
}

/// The size of `/dev/shm`, and what is free in it.
// The counters are 64 bits wide here and 32 on other systems, where the casts are not unnecessary.
#[cfg(unix)]
#[allow(clippy::unnecessary_cast)]
fn shared_memory() -> Option<(u64, u64)> {
    let shm = nix::sys::statvfs::statvfs("/dev/shm").ok()?;
    let size = shm.fragment_size() as u64;
    Some((shm.blocks() as u64 * size, shm.blocks_available() as u64 * size))
}

/// The system's name and version, as far as its files say; else what Rust calls it.
fn system(root: &Path) -> String {
    let read = |path: &str| fs::read_to_string(root.join(path)).ok();
    let kernel = read("proc/sys/kernel/osrelease").map(|text| text.trim().to_owned());
    let name = read("etc/os-release").and_then(|text| {
        let line = text.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
        Some(line.trim_matches('"').to_owned())
    });
    let arch = env::consts::ARCH;
    match (kernel, name) {
        (Some(kernel), Some(name)) => format!("Linux {kernel}, {name}, {arch}"),
        (Some(kernel), None) => format!("Linux {kernel}, {arch}"),
        (None, _) => format!("{}, {arch}", env::consts::OS),
    }
}

/// The value of the first line "name : value".
fn field<'text>(text: &'text str, name: &str) -> Option<&'text str> {
    text.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.trim() == name)
        .map(|(_, value)| value.trim())
}

/// How many numbers a list such as "0-3,8" names.
fn listed(list: &str) -> Option<usize> {
    let mut all = 0;
    for part in list.trim().split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (usize, usize) = (first.parse().ok()?, last.parse().ok()?);
        all += last.checked_sub(first)?.checked_add(1)?;
    }
    Some(all)
}

/// The tightest limit on processor time among this process's control groups, in processors.
fn quota(root: &Path) -> Option<f64> {
    let groups = fs::read_to_string(root.join("proc/self/cgroup")).ok()?;
    let mut tightest: Option<f64> = None;
    for line in groups.lines() {
        // "0::/path" is version 2; "4:cpu,cpuacct:/path" is version 1.
        let mut parts = line.splitn(3, ':').skip(1);
        let (Some(controllers), Some(path)) = (parts.next(), parts.next()) else { continue };
        let mounted = root.join("sys/fs/cgroup");
        let top = match controllers {
            "" => mounted,
            some if some.split(',').any(|one| one == "cpu") => mounted.join(some),
            _ => continue,
        };
        // A limit on a group holds for all groups below it. In a container the path may name
        // groups that are not mounted here: those files do not exist, and the top one does.
        for group in Path::new(path.trim_start_matches('/')).ancestors() {
            let limit = limit_of(&top.join(group));
            tightest = match (tightest, limit) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
    }
    tightest
}

/// The limit that one control group sets by itself: microseconds of work in a period.
fn limit_of(group: &Path) -> Option<f64> {
    let read = |name: &str| fs::read_to_string(group.join(name)).ok();
    let (work, period) = match read("cpu.max") {
        Some(text) => {
            let (work, period) = text.trim().split_once(' ')?;
            (work.to_owned(), period.to_owned())
        }
        None => (read("cpu.cfs_quota_us")?, read("cpu.cfs_period_us")?),
    };
    // "max" and -1 say that there is no limit: neither is a positive number.
    let (work, period): (f64, f64) = (work.trim().parse().ok()?, period.trim().parse().ok()?);
    (work > 0.0 && period > 0.0).then(|| work / period)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A root folder with these files in it.
    fn root(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        root
    }

    #[test]
    fn lists_of_processors() {
        for (list, number) in [("0", 1), ("0-3\n", 4), ("0-1,4,8-9", 5)] {
            assert_eq!(listed(list), Some(number), "{list}");
        }
        for list in ["", "x", "3-1", "-", "0-18446744073709551615"] {
            assert_eq!(listed(list), None, "{list}");
        }
    }

    #[test]
    fn an_empty_machine_is_unknown_and_nothing_panics() {
        let root = root(&[]);
        let facts = Facts::of_files(root.path(), true);
        assert_eq!((facts.online, facts.allowed, facts.quota), (None, None, None));
        assert!(!facts.proc);
        let garbage = tests::root(&[
            ("proc/self/cgroup", "\n::\n0:\n0::/../..\nx"),
            ("proc/self/status", "Cpus_allowed_list"),
            ("proc/meminfo", "MemTotal: many kB\nMemAvailable: 99999999999999999999 kB"),
            ("proc/loadavg", ""),
            ("sys/fs/cgroup/cpu.max", "100000"),
            ("sys/devices/system/cpu/online", "all"),
        ]);
        let facts = Facts::of_files(garbage.path(), true);
        assert_eq!((facts.online, facts.memory, facts.load), (None, None, None));
    }

    #[test]
    fn limits_of_both_kinds_of_control_group() {
        let second = root(&[
            ("proc/self/cgroup", "0::/a/b\n"),
            ("sys/fs/cgroup/a/b/cpu.max", "max 100000\n"),
            ("sys/fs/cgroup/a/cpu.max", "150000 100000\n"),
        ]);
        assert_eq!(quota(second.path()), Some(1.5));
        let facts = Facts::of_files(second.path(), true);
        assert_eq!(facts.limits(), "control group: 1.5 cores");
        let container = root(&[
            ("proc/self/cgroup", "0::/not/mounted\n"),
            ("sys/fs/cgroup/cpu.max", "50000 100000\n"),
        ]);
        assert_eq!(quota(container.path()), Some(0.5));
        let first = root(&[
            ("proc/self/cgroup", "5:memory:/x\n4:cpu,cpuacct:/docker/7\n"),
            ("sys/fs/cgroup/cpu,cpuacct/docker/7/cpu.cfs_quota_us", "200000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/docker/7/cpu.cfs_period_us", "100000\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "-1\n"),
            ("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "100000\n"),
        ]);
        assert_eq!(quota(first.path()), Some(2.0));
        let free =
            root(&[("proc/self/cgroup", "0::/\n"), ("sys/fs/cgroup/cpu.max", "max 100000\n")]);
        assert_eq!(quota(free.path()), None);
        assert_eq!(Facts::of_files(free.path(), true).limits(), "none");
    }

    #[test]
    fn facts_of_files() {
        let root = root(&[
            ("etc/os-release", "NAME=x\nPRETTY_NAME=\"Penguin 12\"\n"),
            ("proc/sys/kernel/osrelease", "6.1.0\n"),
            ("proc/cpuinfo", "processor\t: 0\nmodel name\t: Abacus 3000\n"),
            ("proc/self/status", "Name:\tkit\nCpus_allowed_list:\t0,2\n"),
            ("proc/self/task/1/comm", "kit\n"),
            ("proc/meminfo", "MemTotal:  2048 kB\nMemAvailable:  1024 kB\n"),
            ("proc/loadavg", "0.25 0.10 0.05 1/100 7\n"),
            ("sys/devices/system/cpu/online", "0-3\n"),
            ("sys/devices/system/cpu/cpu0/topology/thread_siblings_list", "0-1\n"),
        ]);
        let facts = Facts::of_files(root.path(), true);
        assert_eq!(facts.system, format!("Linux 6.1.0, Penguin 12, {}", env::consts::ARCH));
        assert_eq!(facts.cpu.as_deref(), Some("Abacus 3000"));
        assert_eq!(
            (facts.online, facts.allowed, facts.threads_a_core),
            (Some(4), Some(2), Some(2))
        );
        assert_eq!((facts.memory, facts.load), (Some((2 << 20, 1 << 20)), Some(0.25)));
        assert_eq!(facts.limits(), "affinity: 2 of 4 cores");
        assert!(facts.proc);
    }
}
