//! The surroundings of a program under test: everything it inherits besides its arguments.
//!
//! `cargo test` passes on what a shell, a script or a terminal has set. A job in the background of
//! a script has Ctrl-C ignored, and so has every program that the job's tests start; a variable
//! turns colour on; a mask takes the rights from new files. A test sets what it depends on, so
//! tests start their programs with [`program`]. If the program may hang, [`run`] starts it with a
//! limit. [`anywhere`] runs tests again in bad surroundings.

use crate::own_process::descendants;
use nix::libc;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit, rlim_t, setrlimit};
use nix::sys::signal::{SigSet, Signal, kill};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::io::{self, Read, Seek};
use std::os::unix::process::CommandExt;
use std::process::{self, Command, Output, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

/// The variables that a program under test gets: where things are, and how cargo builds and gets
/// what it builds. Nothing here changes what a program prints. A list of what is taken away would
/// never be complete.
const KEPT: [&str; 27] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_FALLBACK_LIBRARY_PATH",
    "LLVM_PROFILE_FILE",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_HOME",
    "CARGO_INCREMENTAL",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "ALL_PROXY",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "RUSTC",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "SDKROOT",
];

/// The beginnings of further names of this kind.
const KEPT_BEGINNINGS: [&str; 9] = [
    "CARGO_BUILD_",
    "CARGO_HTTP_",
    "CARGO_NET_",
    "CARGO_PROFILE_",
    "CARGO_REGISTR",
    "CARGO_SOURCE_",
    "CARGO_TARGET_",
    "PROPTEST_",
    MARK,
];

/// How the names of the variables begin by which [`run`] knows the processes of one program.
pub const MARK: &str = "ONE_CHANGE_TREE_";

/// The descriptors that a program may have.
const OPEN_FILES: rlim_t = 1024;

/// The limits that a program under test gets, as far as the hard limit allows. A task that aborts
/// must write no core into the working folder.
const LIMITS: [(Resource, rlim_t); 6] = [
    (Resource::RLIMIT_CORE, 0),
    (Resource::RLIMIT_CPU, RLIM_INFINITY),
    (Resource::RLIMIT_DATA, RLIM_INFINITY),
    (Resource::RLIMIT_FSIZE, RLIM_INFINITY),
    (Resource::RLIMIT_NOFILE, OPEN_FILES),
    (Resource::RLIMIT_STACK, 8 << 20),
];

/// A program to be started in known surroundings: every signal has its default action, none is
/// blocked, new files get the mask 022, standard input is empty, the environment holds little, and no other
/// descriptor is open than the standard ones. The program dies when the thread dies that has started it (on Linux).
pub fn program(path: impl AsRef<OsStr>) -> Command {
    static ONCE: Once = Once::new();
    // With SIGCHLD ignored, the system throws the exit status of every child away.
    // SAFETY: the default action runs no code of this program.
    ONCE.call_once(|| _ = unsafe { libc::signal(libc::SIGCHLD, libc::SIG_DFL) });
    let mut command = Command::new(path);
    let is_kept = |name: &str| {
        KEPT.contains(&name) || KEPT_BEGINNINGS.iter().any(|start| name.starts_with(start))
    };
    let kept = env::vars_os().filter(|(name, _)| name.to_str().is_some_and(is_kept));
    command.env_clear().envs(kept).stdin(Stdio::null());
    // A test may build, but it never changes the compilers of the machine: rustup, behind `cargo`
    // and `rustc`, installs nothing.
    command.env("RUSTUP_AUTO_INSTALL", "0");
    // SAFETY: the function makes system calls only, and allocates nothing.
    unsafe { command.pre_exec(settle) };
    command
}

/// Brings a process between fork and exec into the known state.
fn settle() -> io::Result<()> {
    for number in 1..=64 {
        // The numbers that stand for no signal, or for one that cannot be set, are errors here.
        // SAFETY: the default action runs no code of this program.
        unsafe { libc::signal(number, libc::SIG_DFL) };
    }
    SigSet::empty().thread_set_mask()?;
    umask(Mode::from_bits_truncate(0o022));
    for descriptor in 3..OPEN_FILES {
        // A number that stands for nothing is an error here.
        // SAFETY: the descriptor is open until exec, and no code of this program runs after that.
        unsafe { libc::fcntl(descriptor as i32, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
    for (resource, wanted) in LIMITS {
        let (_, hard) = getrlimit(resource)?;
        setrlimit(resource, wanted.min(hard), hard)?;
    }
    // A program under test outlives no test: not even one that is killed.
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL)?;
    Ok(())
}

/// Runs the program to its end, and returns its output. When the program has ended or the limit is
/// over, every process that the program has started is killed, in whatever group or session the
/// process is (on Linux; elsewhere only the program).
///
/// # Errors
/// If the limit is over first.
///
/// # Panics
/// If the program does not start.
pub fn run(command: &mut Command, limit: Duration) -> Result<Output, String> {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let mark = format!("{MARK}{}_{}", process::id(), COUNT.fetch_add(1, Relaxed));
    // Files and not pipes: a file is never full, and its reader waits for nobody.
    let [mut stdout, mut stderr] = [(); 2].map(|()| tempfile::tempfile().expect("a file"));
    let clone = |file: &fs::File| file.try_clone().expect("a descriptor");
    command.env(&mark, "").stdout(clone(&stdout)).stderr(clone(&stderr));
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let start = Instant::now();
    let status = loop {
        match child.try_wait().expect("the child is ours") {
            None if start.elapsed() < limit => thread::sleep(Duration::from_millis(5)),
            status => break status,
        }
    };
    end_tree(status.is_none().then_some(child.id()), &mark);
    let text = |file: &mut fs::File| {
        let mut bytes = Vec::new();
        file.rewind().and_then(|()| file.read_to_end(&mut bytes)).expect("a file");
        bytes
    };
    let (stdout, stderr) = (text(&mut stdout), text(&mut stderr));
    match status {
        Some(status) => Ok(Output { status, stdout, stderr }),
        None => {
            let _ = child.kill(); // on a system without /proc nobody has done so yet
            child.wait().expect("the child is ours");
            let [stdout, stderr] =
                [stdout, stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
            Err(format!("{command:?} hung for {limit:?}:\n{stdout}{stderr}"))
        }
    }
}

/// Kills a process, its descendants, and all processes that have the mark: a process whose parent
/// has died is nobody's descendant.
fn end_tree(root: Option<u32>, mark: &str) {
    let signal = |pid: u32, signal| _ = kill(Pid::from_raw(pid as i32), signal);
    let mut stopped = BTreeSet::new();
    loop {
        let mut tree = marked(mark);
        tree.extend(root);
        tree.extend(root.map(descendants).unwrap_or_default());
        // A stopped process forks no more: if no process is new, all of them are stopped.
        let new: Vec<u32> = tree.difference(&stopped).copied().collect();
        if new.is_empty() {
            break;
        }
        new.iter().for_each(|&pid| signal(pid, Signal::SIGSTOP));
        stopped.extend(new);
    }
    stopped.into_iter().for_each(|pid| signal(pid, Signal::SIGKILL));
}

/// The living processes that were started with this text in their environment.
pub fn marked(text: &str) -> BTreeSet<u32> {
    let Ok(folder) = fs::read_dir("/proc") else { return BTreeSet::new() };
    let has_mark = |pid: &u32| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        environment.windows(text.len()).any(|window| window == text.as_bytes())
    };
    let pids = folder.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != process::id()).filter(has_mark).collect()
}

/// Bad surroundings: a name, and what is to be done to a process between fork and exec.
type Bad = (&'static str, fn() -> io::Result<()>);

/// What tests have been seen to fail on, or could. Each of these is what some shell, script or
/// service does to the programs that it starts.
const BAD: [Bad; 9] = [
    ("signals that end a program are ignored", || {
        for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGPIPE] {
            // SAFETY: an ignored signal runs no code of this program.
            unsafe { libc::signal(signal, libc::SIG_IGN) };
        }
        Ok(())
    }),
    ("SIGCHLD is ignored", || {
        // SAFETY: as above.
        unsafe { libc::signal(libc::SIGCHLD, libc::SIG_IGN) };
        Ok(())
    }),
    ("every signal is blocked", || Ok(SigSet::all().thread_set_mask()?)),
    ("new files are for their owner only", || {
        umask(Mode::from_bits_truncate(0o077));
        Ok(())
    }),
    ("few open files, and no core", || {
        setrlimit(Resource::RLIMIT_CORE, 0, 0)?;
        Ok(setrlimit(Resource::RLIMIT_NOFILE, 64, 64)?)
    }),
    ("descriptors are open that nobody asked for", || {
        for number in [17, 60, 500] {
            // SAFETY: the process is between fork and exec, and the standard library has no
            // descriptor of such a number.
            unsafe { libc::dup2(0, number) };
        }
        Ok(())
    }),
    ("standard input is closed", || close(0)),
    ("standard output is closed", || close(1)),
    ("standard error is closed", || close(2)),
];

fn close(descriptor: i32) -> io::Result<()> {
    // SAFETY: the process is between fork and exec, and its program has not begun.
    match unsafe { libc::close(descriptor) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Variables that change what programs print, or where.
const ODD: [(&str, &str); 12] = [
    ("CARGO_TERM_COLOR", "always"),
    ("CLICOLOR_FORCE", "1"),
    ("COLUMNS", "20"),
    ("LANG", "de_DE.UTF-8"),
    ("LC_ALL", "de_DE.UTF-8"),
    ("NO_COLOR", "1"),
    ("PYTHONWARNINGS", "always"),
    ("RUST_BACKTRACE", "full"),
    ("RUST_LOG", "trace"),
    ("RUST_LIB_BACKTRACE", "1"),
    ("TERM", "xterm-256color"),
    ("TZ", "Asia/Kathmandu"),
];

/// Runs this test program again with these arguments, which choose some of its tests: in each of
/// the bad surroundings, with an odd environment, and from another folder.
///
/// # Panics
/// If the tests fail in one of the surroundings, or there is no such test.
pub fn anywhere(arguments: &[&str]) {
    let folder = tempfile::Builder::new().prefix("with a space ").tempdir().expect("a folder");
    let again = || {
        let mut again = program(env::current_exe().expect("this program has a file"));
        again.args(arguments).args(["--color", "never"]);
        again
    };
    let mut odd = again();
    odd.envs(ODD).env("TMPDIR", folder.path()).current_dir(folder.path()).process_group(0);
    let mut all = vec![("an odd environment and another folder", odd)];
    for (name, change) in BAD {
        let mut command = again();
        // SAFETY: each of the functions makes system calls only, and allocates nothing.
        unsafe { command.pre_exec(change) };
        all.push((name, command));
    }
    for (name, mut command) in all {
        let output = run(&mut command, Duration::from_secs(300));
        let output = output.unwrap_or_else(|text| panic!("{name}: {text}"));
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned());
        assert!(output.status.success(), "{name}: {}\n{stdout}{stderr}", output.status);
        let ran = stdout.contains("test result: ok.") && !stdout.contains(" 0 passed");
        assert!(ran || name == "standard output is closed", "{name}: {stdout}{stderr}");
    }
}
