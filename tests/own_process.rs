//! A test harness in which each case runs in a process of its own.
//!
//! A case that forks needs a process with one thread, and libtest runs every test on a second
//! thread. A case that hangs must not hang the others. A case that leaves something behind (a
//! child, an open descriptor) must not be hidden by what another case has open. So the harness
//! starts this program again for each case: the case runs on the only thread, the harness waits
//! with a limit, and the whole process group is killed when the limit is over. The harness is
//! libtest-mimic, which answers `--list` and filters as any test does.

use libtest_mimic::{Arguments, Failed, Trial};
use nix::sys::signal::{Signal::SIGKILL, killpg};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::{Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};
use std::{env, fs, io, process, thread};

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

/// The argument that tells a process to run one case.
const FLAG: &str = "--the-case";

/// The main function of a target: runs all cases as tests, or the one case this process is for.
pub fn main(cases: Vec<Case>) -> ExitCode {
    let mut words = env::args().skip(1);
    if words.next().as_deref() == Some(FLAG) {
        let name = words.next().expect("a name follows the flag");
        let case = cases.into_iter().find(|case| case.name == name).expect("the name is a case's");
        run_here(case.run);
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

/// Starts this program again for one case, waits for the case, and checks that it ends as expected.
fn start(name: &str, expect: Expect) -> Result<(), Failed> {
    let mut output = tempfile::tempfile()?;
    let mut command = Command::new(env::current_exe()?);
    command
        .args([FLAG, name])
        .env_remove("RUST_BACKTRACE") // a backtrace for each panic asked for costs seconds
        .env_remove("RUST_LIB_BACKTRACE")
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output.try_clone()?)
        .process_group(0); // so that all its children can be killed with it
    let limit = match expect {
        Expect::Pass => PASS_LIMIT,
        Expect::Fail => FAIL_LIMIT,
    };
    let mut child = command.spawn()?;
    let ended = wait(&child, limit);
    // The child is not reaped yet, so its process id still stands for the child and its group.
    let _ = killpg(pid(&child), SIGKILL);
    let status = child.wait()?;
    let ended = ended?;

    let mut text = String::new();
    output.rewind()?;
    output.read_to_string(&mut text).unwrap_or_else(|error| {
        let _ = write!(text, "(its output cannot be shown: {error})");
        0
    });
    let passed = ended && status.code() == Some(PASSED);
    let how = if ended { status.to_string() } else { format!("it hung for {limit:?}") };
    match expect {
        Expect::Pass if !passed => Err(format!("{how}\n{text}").into()),
        Expect::Fail if passed => Err("it works; take it off the list of what is lacking".into()),
        _ => Ok(()),
    }
}

/// Waits until the process has ended, and does not reap it. Returns false if the limit is over
/// first.
fn wait(child: &Child, limit: Duration) -> io::Result<bool> {
    let start = Instant::now();
    let how = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT | WaitPidFlag::WNOHANG;
    while waitid(Id::Pid(pid(child)), how)? == WaitStatus::StillAlive {
        if start.elapsed() > limit {
            return Ok(false);
        }
        thread::sleep(Duration::from_millis(2));
    }
    Ok(true)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
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
fn descendants(ancestor: u32) -> BTreeSet<u32> {
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
