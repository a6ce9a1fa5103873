//! A test harness in which each case runs in a process of its own.
//!
//! A case that forks needs a process with one thread, and libtest runs every test on a second
//! thread. A case that hangs must not hang the others. A case that leaves something behind (a
//! child, an open descriptor) must not be hidden by what another case has open. A case must not
//! depend on what the shell has set that `cargo test` was typed into. So this program is started
//! again, in known surroundings, twice for each case:
//!
//! ```text
//! harness (one for all cases)  ──>  keeper  ──>  case, on its only thread  ──>  what it starts
//! ```
//!
//! The keeper waits for the case, with a limit. Every process that the case has left is a child of
//! the keeper sooner or later, because the system gives orphans to the keeper (a "subreaper", on
//! Linux), in whatever group or session they are. So the keeper can kill them all: when the case
//! has ended, when the limit is over, and when the harness is gone. The harness is libtest-mimic,
//! which answers `--list` and filters as any test does.

use crate::surroundings::program;
use libtest_mimic::{Arguments, Failed, Trial};
use nix::errno::Errno;
use nix::sys::signal::{Signal::SIGKILL, kill, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::{Pid, getppid};
use std::collections::BTreeSet;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::ExitCode;
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, process, thread};

/// The expected result of a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// The case ends well, and leaves nothing behind.
    Pass,
    /// The case fails, because a promise is not kept: it panics, dies, leaves something behind or
    /// hangs.
    Fail,
}

/// A test that runs in a process of its own.
pub struct Case {
    /// The test's name.
    pub name: String,
    /// The expected result.
    pub expect: Expect,
    /// The test, which panics if it fails.
    pub run: Box<dyn FnOnce() + Send>,
}

/// The time limit of a case that is to pass. The longest case takes some seconds; the limit allows
/// for a very busy machine. Because of the limit, a hang is reported as a failure.
const PASS_LIMIT: Duration = Duration::from_secs(120);

/// The time after which a hanging case that is to fail counts as failed. A case that works takes a
/// small part of this time.
const FAIL_LIMIT: Duration = Duration::from_secs(4);

/// The status of a case that ended well, so that no accidental exit is taken for success.
const PASSED: i32 = 43;

/// How long the processes that a case has started may take to end after the case.
const LEFT_LIMIT: Duration = Duration::from_secs(10);

/// The argument that tells a process to run one case.
const CASE: &str = "--the-case";

/// The argument that tells a process to keep one case.
const KEEP: &str = "--keep-the-case";

/// The main function of a target: runs all cases as tests, or the one case this process is for.
pub fn main(cases: Vec<Case>) -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match &words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [CASE, name] => {
            let case = cases.into_iter().find(|case| case.name == *name);
            run_here(case.expect("the name is a case's").run);
        }
        [KEEP, name, harness, limit] => {
            let number = |text: &str| text.parse().expect("a number");
            keep(name, number(harness), Duration::from_secs(number(limit) as u64));
        }
        _ => {}
    }
    let names: BTreeSet<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    assert_eq!(names.len(), cases.len(), "two cases have one name");
    let trials = cases
        .into_iter()
        .map(|case| Trial::test(case.name.clone(), move || start(&case.name, case.expect)))
        .collect();
    let mut arguments = Arguments::from_args();
    // Most cases sleep most of the time, so run more cases at once than there are cores.
    arguments.test_threads.get_or_insert(4);
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// The sockets and pipes that this process was born with: the case has not opened them and need not
/// close them.
static INHERITED: OnceLock<BTreeSet<String>> = OnceLock::new();

/// The names of the sockets and pipes that this process was born with.
pub fn inherited() -> &'static BTreeSet<String> {
    INHERITED.get().expect("set when the case begins")
}

/// Runs the case on this process's only thread.
fn run_here(case: Box<dyn FnOnce() + Send>) -> ! {
    INHERITED.get_or_init(|| lines_to_others(process::id()));
    case();
    process::exit(PASSED)
}

/// Starts a keeper for one case, waits for it, and checks that the case ended as expected.
fn start(name: &str, expect: Expect) -> Result<(), Failed> {
    let limit = match expect {
        Expect::Pass => PASS_LIMIT,
        Expect::Fail => FAIL_LIMIT,
    };
    let mut output = tempfile::tempfile()?;
    let status = program(env::current_exe()?)
        .args([KEEP, name, &process::id().to_string(), &limit.as_secs().to_string()])
        .current_dir("/") // where no case finds a file, or leaves one
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .process_group(0) // Ctrl-C ends the harness, and the keeper has to clean up after that
        .status()?;
    let passed = status.code() == Some(PASSED);
    let mut bytes = Vec::new();
    output.rewind()?;
    output.read_to_end(&mut bytes)?;
    match expect {
        Expect::Pass if !passed => Err(String::from_utf8_lossy(&bytes).into()),
        Expect::Fail if passed => Err("it works; take it off the list of what is lacking".into()),
        _ => Ok(()),
    }
}

/// Runs one case, ends what the case leaves behind, and prints how the case ended.
#[expect(clippy::zombie_processes, reason = "`reap` waits for every child, this one among them")]
fn keep(name: &str, harness: i32, limit: Duration) -> ! {
    let harness = Pid::from_raw(harness);
    adopt_orphans().expect("the system lets a process adopt");
    let case = program(env::current_exe().expect("this program has a file"))
        .args([CASE, name])
        .process_group(0)
        .spawn()
        .expect("the case starts");
    let case = Pid::from_raw(case.id() as i32);
    let start = Instant::now();
    let mut status = None;
    while status.is_none() && start.elapsed() < limit && getppid() == harness {
        status = reap().into_iter().find(|status| status.pid() == Some(case));
        thread::sleep(Duration::from_millis(2));
    }
    let how = match status {
        Some(WaitStatus::Exited(_, PASSED)) => left_behind(),
        Some(status) => Some(format!("it ended: {status:?}")),
        None => Some(format!("it hung for {limit:?}")),
    };
    // Elsewhere than on Linux, nothing is known about the case's processes but their group.
    let _ = killpg(case, SIGKILL);
    end_all();
    match how {
        None => process::exit(PASSED),
        Some(how) => {
            println!("{how}");
            process::exit(1)
        }
    }
}

/// Makes this process the parent of every descendant whose own parent dies.
fn adopt_orphans() -> nix::Result<()> {
    #[cfg(target_os = "linux")]
    {
        // The harness's death must not kill the keeper, which has to clean up. The keeper looks
        // for itself whether the harness is there.
        nix::sys::prctl::set_pdeathsig(None)?;
        nix::sys::prctl::set_child_subreaper(true)?;
    }
    Ok(())
}

/// Reaps all children that have ended.
fn reap() -> Vec<WaitStatus> {
    let next = || match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        Ok(WaitStatus::StillAlive) | Err(_) => None,
        Ok(status) => Some(status),
    };
    std::iter::from_fn(next).collect()
}

/// Waits for the processes that the case has started, and says which of them stay.
fn left_behind() -> Option<String> {
    let start = Instant::now();
    loop {
        reap();
        let left = descendants(process::id());
        if left.is_empty() {
            return None;
        }
        if start.elapsed() > LEFT_LIMIT {
            return Some(format!("it ended well and left processes behind: {left:?}"));
        }
        thread::sleep(Duration::from_millis(2));
    }
}

/// Kills all descendants. A killed process leaves its children to this process, so that a process
/// without children has no descendants either.
fn end_all() {
    let start = Instant::now();
    loop {
        for pid in descendants(process::id()) {
            let _ = kill(Pid::from_raw(pid as i32), SIGKILL);
        }
        match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
            Err(Errno::ECHILD) => break,
            Ok(WaitStatus::StillAlive) => thread::sleep(Duration::from_millis(1)),
            _ => {}
        }
        assert!(start.elapsed() < LEFT_LIMIT, "a killed process does not end");
    }
}

/// The resources that a process has to give back: its descriptors and its descendants. Both are
/// empty on a system without `/proc`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Footprint {
    descriptors: BTreeSet<String>,
    descendants: BTreeSet<u32>,
}

impl Footprint {
    /// The resources that this process holds now.
    pub fn now() -> Self {
        Self { descriptors: descriptors(), descendants: descendants(process::id()) }
    }

    /// Asserts that this process holds the same resources as then, and no more. A thread that ends
    /// and a child that is reaped take a moment, so this waits for some time.
    pub fn assert_back(&self) {
        let start = Instant::now();
        while Self::now() != *self {
            if start.elapsed() > Duration::from_secs(10) {
                assert_eq!(Self::now(), *self, "left behind (left), of what was there (right)");
            }
            thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The open descriptors of this process, each with what it is: `3 -> socket:[4711]`.
fn descriptors() -> BTreeSet<String> {
    let Ok(folder) = fs::read_dir("/proc/self/fd") else { return BTreeSet::new() };
    folder
        .flatten()
        // The descriptor that reads the folder is listed too, but is closed when its target is
        // read.
        .filter_map(|entry| {
            let target = fs::read_link(entry.path()).ok()?;
            let number = entry.file_name();
            Some(format!("{} -> {}", number.display(), target.display()))
        })
        .filter(|line| !line.contains("/proc/"))
        .collect()
}

/// The sockets and pipes that a process has open, each by its one name in the kernel.
pub fn lines_to_others(process: u32) -> BTreeSet<String> {
    let Ok(folder) = fs::read_dir(format!("/proc/{process}/fd")) else { return BTreeSet::new() };
    let targets = folder.flatten().filter_map(|entry| fs::read_link(entry.path()).ok());
    targets
        .map(|target| target.display().to_string())
        .filter(|target| target.starts_with("socket:") || target.starts_with("pipe:"))
        .collect()
}

/// The children of a process, their children, and so on.
pub(crate) fn descendants(ancestor: u32) -> BTreeSet<u32> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeSet::new() };
    let parents: Vec<(u32, u32)> = folder
        .flatten()
        .filter_map(|entry| {
            let pid = entry.file_name().to_str()?.parse().ok()?;
            // The name in parentheses may hold anything; the state and the parent follow it.
            let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
            let parent = stat.rsplit(") ").next()?.split(' ').nth(1)?.parse().ok()?;
            Some((pid, parent))
        })
        .collect();
    let mut found = BTreeSet::new();
    let mut new = vec![ancestor];
    while let Some(parent) = new.pop() {
        for &(pid, _) in parents.iter().filter(|&&(_, of)| of == parent) {
            if found.insert(pid) {
                new.push(pid);
            }
        }
    }
    found
}
