//! What this machine can show: its cores and the limits on them, the tools found, and which lessons
//! work.
//!
//! Facts are gathered first and printed afterwards, so that tests can print the facts of machines
//! that they do not have. A fact that cannot be found is `None` and prints as "unknown"; nothing
//! here fails.

use nix::sys::statvfs::statvfs;
use report::Lesson;
use report::words::{count, paragraph};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};
use std::{env, fs};

/// What is known about a machine.
#[derive(Clone, Debug, PartialEq)]
pub struct Facts {
    /// The operating system, as it names itself.
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
    /// The optional tools, in the order of [`TOOLS`]: the version of each that was found.
    pub found: Vec<Found>,
}

/// Was a tool found?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No program of this name in `PATH`.
    No,
    /// There is one, but it did not say its version, or did not end within two seconds.
    Silent,
    /// There is one, of this version.
    Version(String),
}

/// A tool that something in the kit uses if it is there.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// What it is called.
    pub name: &'static str,
    /// The names of its program, the usual one first.
    pub programs: &'static [&'static str],
    /// What needs it.
    pub needed_for: &'static str,
    /// What to do without it.
    pub without: &'static str,
    /// How to get it.
    pub get: &'static str,
}

/// The tools that are looked for. A Rust toolchain is not among them: you have one.
pub const TOOLS: [Tool; 5] = [
    Tool {
        name: "just",
        programs: &["just"],
        needed_for: "the short commands, such as just lesson-4",
        without: "cargo lesson 4, cargo kit doctor and cargo book read do the same",
        get: "pip install rust-just (seconds), or cargo install just (minutes)",
    },
    Tool {
        name: "python3",
        programs: &["python3"],
        needed_for: "lesson 8, and the second half of lesson 6",
        without: "lesson 6 leaves that half out; lesson 8 says what it needs",
        get: "your system's package python3",
    },
    Tool {
        name: "chromium",
        programs: &["chromium", "chromium-browser", "google-chrome", "chrome"],
        needed_for: "looking at the book's pages without a person",
        without: "just read serves the book to any browser",
        get: "your system's package chromium",
    },
    Tool {
        name: "mpirun",
        programs: &["mpirun", "mpiexec"],
        needed_for: "a lesson to come, on more than one machine",
        without: "no lesson so far needs it",
        get: "your system's package openmpi-bin or mpich",
    },
    Tool {
        name: "perf",
        programs: &["perf"],
        needed_for: "your own look inside a run: perf stat, perf sched",
        without: "no lesson needs it",
        get: "your system's package linux-perf, perf or linux-tools (Linux only)",
    },
];

impl Facts {
    /// Gathers the facts of this machine.
    pub fn gather() -> Self {
        let linux = cfg!(target_os = "linux");
        let mut facts = Self::of_files(Path::new("/"), linux);
        facts.cores = thread::available_parallelism().ok().map(usize::from);
        facts.shared = shared_memory();
        if facts.cpu.is_none() && !linux {
            facts.cpu = said_by("sysctl", &["-n", "machdep.cpu.brand_string"]);
        }
        facts.found = TOOLS.iter().map(find).collect();
        facts
    }

    /// The facts that stand in files below `root`, which is `/` but for tests. The others are
    /// unknown, and no tool is found.
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
            found: vec![Found::No; TOOLS.len()],
        }
    }
}

/// The size of `/dev/shm`, and what is free in it.
// The counters are 64 bits wide here and 32 on other systems, where the casts are not unnecessary.
#[allow(clippy::unnecessary_cast)]
fn shared_memory() -> Option<(u64, u64)> {
    let shm = statvfs("/dev/shm").ok()?;
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

/// Looks for a tool in `PATH`, and asks it for its version.
fn find(tool: &Tool) -> Found {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let there = |program: &&&str| folders.iter().any(|folder| folder.join(program).is_file());
    let Some(program) = tool.programs.iter().find(there) else { return Found::No };
    let version = said_by(program, &["--version"]).and_then(|line| {
        let starts_with_digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        line.split_whitespace().find(starts_with_digit).map(str::to_owned)
    });
    version.map_or(Found::Silent, Found::Version)
}

/// The first line that a command prints, if it ends well within two seconds.
fn said_by(program: &str, arguments: &[&str]) -> Option<String> {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let deadline = Instant::now() + Duration::from_secs(2);
    // A version is shorter than what a pipe holds, so the child need not be read while it runs.
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break Some(status),
            Ok(None) if Instant::now() < deadline => thread::sleep(Duration::from_millis(5)),
            _ => break None,
        }
    };
    if !status.is_some_and(|status| status.success()) {
        // Already gone or about to be: either way there is nothing to say about it.
        let _ = child.kill();
        let _ = child.wait();
        return None;
    }
    let mut text = Vec::new();
    child.stdout.take()?.take(4096).read_to_end(&mut text).ok()?;
    let text = String::from_utf8_lossy(&text);
    text.lines().next().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned)
}

/// Prints the facts, and what follows from them.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(facts: &Facts, all: &[Lesson], out: &mut impl Write) -> io::Result<()> {
    paragraph(out, "System", &facts.system)?;
    paragraph(out, "CPU", facts.cpu.as_deref().unwrap_or("unknown"))?;
    paragraph(out, "Cores", &cores(facts))?;
    paragraph(out, "SMT", &smt(facts))?;
    paragraph(out, "Memory", &memory(facts))?;
    paragraph(out, "Load", &load(facts))?;
    paragraph(out, "Fork server", &fork_server(facts))?;
    paragraph(out, "Tools", &tools(facts, true))?;
    let missing = tools(facts, false);
    if !missing.is_empty() {
        paragraph(out, "Missing", &missing)?;
    }
    paragraph(out, "Lessons", &lessons(facts, all))
}

fn known<T: ToString>(fact: Option<T>) -> String {
    fact.map_or_else(|| "unknown".to_owned(), |fact| fact.to_string())
}

fn cores(facts: &Facts) -> String {
    let mut text = match facts.cores {
        Some(1) => "1 for this program: every stage works, and none is faster than the loop;\n\
                    expect 1.00x, and read the schedules"
            .to_owned(),
        Some(cores) => format!("{cores} for this program"),
        None => "unknown: the lessons run all the same".to_owned(),
    };
    text += &format!(
        "\nswitched on: {}; allowed to this process: {}; control group's limit: {}",
        known(facts.online),
        known(facts.allowed),
        match facts.quota {
            Some(quota) => format!("{quota:.2}"),
            None if facts.linux => "none".to_owned(),
            None => "unknown".to_owned(),
        }
    );
    if let (Some(online), Some(allowed)) = (facts.online, facts.allowed)
        && allowed < online
    {
        text +=
            &format!("\nan affinity mask (taskset, a container) keeps {} away", online - allowed);
    }
    if let Some(quota) = facts.quota
        && facts.allowed.is_none_or(|allowed| quota < allowed as f64)
    {
        text += "\nthe control group (a container's CPU limit) stops the program for the rest of\n\
                 each period when its share is used up: times jump, so read the medians";
    }
    text
}

fn smt(facts: &Facts) -> String {
    match facts.threads_a_core {
        Some(1) => "no: each processor is a core of its own, as far as the system knows".to_owned(),
        Some(threads) => format!(
            "yes: {threads} hardware threads share a core; workers that meet on one core get\n\
             less than a core each, so expect less than predicted from more than {} workers",
            facts.online.map_or_else(|| "half as many".to_owned(), |n| (n / threads).to_string())
        ),
        None => "unknown".to_owned(),
    }
}

fn memory(facts: &Facts) -> String {
    let size = |(all, free): (u64, u64)| {
        let (unit, name) = if all < 1 << 30 { (1 << 20, "MiB") } else { (1 << 30, "GiB") };
        let shown = |bytes: u64| bytes as f64 / f64::from(unit);
        format!("{:.1} {name}, {:.1} of it free", shown(all), shown(free))
    };
    format!("{}; /dev/shm: {}", known(facts.memory.map(size)), known(facts.shared.map(size)))
}

fn load(facts: &Facts) -> String {
    let Some(load) = facts.load else { return "unknown".to_owned() };
    // The lessons use two workers unless told otherwise: that many cores should be free.
    let spare = facts.cores.map_or(0.0, |cores| cores as f64 - 2.5).max(0.5);
    let verdict = if load > spare {
        "the machine is busy, or was (a build counts);\nwait before you measure"
    } else {
        "quiet enough to measure"
    };
    format!("{load:.2} over the last minute: {verdict}")
}

fn fork_server(facts: &Facts) -> String {
    match why_no_fork_server(facts) {
        None => "works: this is Linux, and /proc can be read".to_owned(),
        Some(why) => format!("does not work: {why}"),
    }
}

fn why_no_fork_server(facts: &Facts) -> Option<&'static str> {
    if !facts.linux {
        Some("it needs Linux; on Windows use WSL2, elsewhere a container")
    } else if !facts.proc {
        Some("/proc/self/task cannot be read, and it counts the threads")
    } else {
        None
    }
}

/// Why a lesson does not work here, if it does not.
fn why_not(lesson: &Lesson, facts: &Facts) -> Option<String> {
    if lesson.requires.fork_server {
        return why_no_fork_server(facts).map(|why| format!("does not work here: {why}"));
    }
    let python = TOOLS.iter().zip(&facts.found).find(|(tool, _)| tool.name == "python3");
    let has_python = python.is_some_and(|(_, found)| matches!(found, Found::Version(_)));
    // Which Python it needs, the lesson itself says.
    (lesson.requires.python && !has_python)
        .then(|| "does not work here: there is no python3".to_owned())
}

/// The tools that were found, or those that were not; nothing if there is none.
fn tools(facts: &Facts, found: bool) -> String {
    let mut lines = Vec::new();
    for (tool, state) in TOOLS.iter().zip(&facts.found) {
        let (name, why) = (tool.name, tool.needed_for);
        match state {
            Found::No if found => {}
            Found::No => lines.push(format!(
                "{name:<10}for {why}\n{:<10}without it: {}\n{:<10}get it: {}",
                "", tool.without, "", tool.get
            )),
            _ if !found => {}
            Found::Silent => {
                lines.push(format!("{name:<10}{:<10}{why}", "found"));
                lines.push(format!("{:<10}but it does not run: `{name} --version` fails", ""));
            }
            Found::Version(version) => lines.push(format!("{name:<10}{version:<9} {why}")),
        }
    }
    if lines.is_empty() && found {
        lines.push("none of the optional ones; a Rust toolchain is enough".to_owned());
    }
    lines.join("\n")
}

fn lessons(facts: &Facts, all: &[Lesson]) -> String {
    let mut lines = Vec::new();
    for lesson in all {
        let verdict = match why_not(lesson, facts) {
            Some(why) => why,
            None if facts.cores == Some(1) => "works; expect 1.00x".to_owned(),
            None => "works".to_owned(),
        };
        lines.push(format!("{} {:<17}{verdict}", lesson.number, lesson.name));
    }
    let working = all.iter().filter(|lesson| why_not(lesson, facts).is_none()).count();
    lines.push(format!("{} of {} work here", working, count(all.len(), "lesson")));
    lines.join("\n")
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
        assert!(facts.proc);
    }

    #[test]
    fn a_command_that_does_not_end_is_given_up() {
        assert_eq!(said_by("sleep", &["60"]), None);
        assert_eq!(said_by("no-such-program-here", &[]), None);
        assert_eq!(said_by("false", &[]), None);
        assert_eq!(said_by("echo", &["one two"]), Some("one two".to_owned()));
    }
}
