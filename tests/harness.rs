//! The harness itself: each case begins in a known state, wherever `cargo test` was started, and a
//! case that hangs takes every process along that it has started.

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("the processes of a case are found in /proc, which is Linux's");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    linux::main()
}

#[cfg(target_os = "linux")]
mod linux {
    use nix::sys::resource::{Resource, getrlimit};
    use nix::sys::signal::{Signal, kill, killpg};
    use nix::unistd::{ForkResult, Pid, fork, getpgrp, getpid, setpgid, setsid};
    use one_change_tests::own_process::{self, Case, Expect};
    use one_change_tests::surroundings::{MARK, anywhere, marked, program, run};
    use std::collections::BTreeSet;
    use std::os::unix::process::{CommandExt, ExitStatusExt};
    use std::path::Path;
    use std::process::{Command, ExitCode, Stdio};
    use std::time::{Duration, Instant};
    use std::{env, fs, process, thread};

    /// This variable tells the program that a case has started it, to see some of its cases end
    /// badly.
    const INNER: &str = "ONE_CHANGE_TREE_INNER";

    pub fn main() -> ExitCode {
        let case = |name: &str, expect, run: fn()| Case {
            name: name.to_owned(),
            expect,
            run: Box::new(run),
        };
        let mut cases = vec![
            case("the_state_is_known", Expect::Pass, the_state_is_known),
            case("the_state_is_known_in_bad_surroundings", Expect::Pass, || {
                anywhere(&["--exact", "the_state_is_known"]);
            }),
            case("a_hanging_case_takes_its_tree_along", Expect::Pass, out_of_time),
            case("a_killed_harness_takes_its_cases_along", Expect::Pass, killed),
            case("ctrl_c_takes_the_cases_along", Expect::Pass, interrupted),
            case("a_case_that_leaves_an_orphan_fails", Expect::Pass, an_orphan_is_seen),
            case("a_program_out_of_time_takes_its_tree_along", Expect::Pass, a_program_out_of_time),
        ];
        if env::var_os(INNER).is_some() {
            cases.push(case("hanging", Expect::Fail, hang));
            cases.push(case("hanging_for_minutes", Expect::Pass, hang));
            cases.push(case("leaving", Expect::Pass, leave_an_orphan));
        }
        own_process::main(cases)
    }

    /// The names of the variables that would change what a program prints.
    const SILENT: [&str; 8] = [
        "CLICOLOR_FORCE",
        "COLUMNS",
        "LANG",
        "LC_ALL",
        "NO_COLOR",
        "RUST_BACKTRACE",
        "RUST_LOG",
        "TZ",
    ];

    fn the_state_is_known() {
        let status = fs::read_to_string("/proc/self/status").unwrap();
        let word = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
            line.trim().to_owned()
        };
        let number = |name: &str| u64::from_str_radix(&word(name), 16).unwrap();
        assert_eq!(number("SigBlk:"), 0, "no signal is blocked");
        // Rust ignores SIGPIPE in every program. The C library keeps two signals for itself.
        let not_ours = 0b11 << (32 - 1);
        assert_eq!(number("SigIgn:") & !not_ours, 1 << (Signal::SIGPIPE as i32 - 1));
        assert_eq!(word("Umask:"), "0022");
        assert_eq!(word("Threads:"), "1");
        assert_eq!(getrlimit(Resource::RLIMIT_CORE).unwrap().0, 0);
        let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
        assert_eq!(soft, hard.min(1024));
        for name in SILENT {
            assert!(env::var_os(name).is_none(), "{name} is set");
        }
        assert_eq!(env::current_dir().unwrap(), Path::new("/"));
        assert_eq!(getpgrp(), getpid());
        assert_eq!(fs::read_link("/proc/self/fd/0").unwrap(), Path::new("/dev/null"));
        // Standard output and error are the harness's file, and nothing else is open.
        let numbers: BTreeSet<i32> = fs::read_dir("/proc/self/fd")
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(numbers, (0..=3).collect(), "3 reads the folder itself");
        // A child's exit status reaches its parent, so SIGCHLD has its default action.
        let status = Command::new("sh").args(["-c", "exit 5"]).status().unwrap();
        assert_eq!(status.code(), Some(5));
        tempfile::tempfile().unwrap();
    }

    /// What the processes of [`hang`] write their process ids into, each into a file of its own.
    const FILES: [&str; 5] = ["burning", "group", "orphan", "session", "case"];

    /// Hangs, beside a worker that burns a core, a grandchild in another process group, one in
    /// another session, and one whose parent has died.
    fn hang() {
        let folder = env::temp_dir();
        let say = |name: &str| fs::write(folder.join(name), process::id().to_string()).unwrap();
        // All end by themselves at last, so that a harness with a fault costs minutes and not days.
        let end = Instant::now() + Duration::from_secs(90);
        let left = || end.saturating_duration_since(Instant::now());
        child(|| {
            say("burning");
            child(|| {
                setpgid(Pid::from_raw(0), Pid::from_raw(0)).unwrap();
                say("group");
                thread::sleep(left());
            });
            child(|| {
                setsid().unwrap();
                say("session");
                thread::sleep(left());
            });
            while !left().is_zero() {
                std::hint::spin_loop();
            }
        });
        child(|| {
            child(|| {
                setsid().unwrap();
                say("orphan");
                thread::sleep(left());
            });
        });
        say("case");
        thread::sleep(left());
    }

    /// Ends well, and leaves a process in another session.
    fn leave_an_orphan() {
        child(|| {
            setsid().unwrap();
            thread::sleep(Duration::from_secs(90));
        });
    }

    /// Runs this in a child.
    fn child(run: impl FnOnce()) {
        // SAFETY: a case has one thread, so its child may do whatever the case may do.
        if let ForkResult::Child = unsafe { fork() }.unwrap() {
            run();
            process::exit(0);
        }
    }

    /// This program, which runs an inner case of this name. All processes of it are marked by the
    /// folder's name.
    fn harness(name: &str, folder: &Path) -> Command {
        let mut command = program(env::current_exe().unwrap());
        command.args(["--exact", name, "--color", "never"]);
        command.env(INNER, "").env("TMPDIR", folder);
        command
    }

    fn is_marked(folder: &Path) -> BTreeSet<u32> {
        marked(folder.to_str().unwrap())
    }

    /// Waits for something to happen.
    fn until(mut there: impl FnMut() -> bool) {
        let start = Instant::now();
        while !there() {
            assert!(start.elapsed() < Duration::from_secs(60), "it does not come");
            thread::sleep(Duration::from_millis(5));
        }
    }

    fn all_have_begun(folder: &Path) -> bool {
        FILES.iter().all(|file| folder.join(file).exists())
    }

    fn out_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let output = harness("hanging", folder.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success() && text.contains(" 1 passed"), "{text}");
        assert!(all_have_begun(folder.path()), "they were there");
        assert_eq!(is_marked(folder.path()), BTreeSet::new(), "nobody is left");
    }

    /// Starts the harness with a case that hangs for minutes, ends the harness like this, and looks
    /// that nobody is left.
    fn ended_by(signal: Signal, end: fn(Pid)) {
        let folder = tempfile::tempdir().unwrap();
        let mut command = harness("hanging_for_minutes", folder.path());
        let mut harness = command.process_group(0).stdout(Stdio::null()).spawn().unwrap();
        until(|| all_have_begun(folder.path()));
        assert!(is_marked(folder.path()).len() > FILES.len(), "the harness, and those of the case");
        end(Pid::from_raw(harness.id() as i32));
        assert_eq!(harness.wait().unwrap().signal(), Some(signal as i32));
        until(|| is_marked(folder.path()).is_empty());
    }

    fn killed() {
        ended_by(Signal::SIGKILL, |harness| kill(harness, Signal::SIGKILL).unwrap());
    }

    /// Ctrl-C reaches the processes of the terminal's group, to which no keeper belongs.
    fn interrupted() {
        ended_by(Signal::SIGINT, |group| killpg(group, Signal::SIGINT).unwrap());
    }

    fn an_orphan_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let output = harness("leaving", folder.path()).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(!output.status.success() && text.contains("left processes behind"), "{text}");
        assert_eq!(is_marked(folder.path()), BTreeSet::new(), "nobody is left");
    }

    /// The same for a program that a test starts without a keeper.
    fn a_program_out_of_time() {
        let folder = tempfile::tempdir().unwrap();
        let mut command = program(env::current_exe().unwrap());
        command.args(["--the-case", "hanging"]).env(INNER, "").env("TMPDIR", folder.path());
        let error = run(&mut command, Duration::from_secs(5)).unwrap_err();
        assert!(error.contains("hung for 5s"), "{error}");
        assert!(all_have_begun(folder.path()), "they were there");
        until(|| is_marked(folder.path()).is_empty());
        assert!(INNER.starts_with(MARK), "the harness passes the variable on");
    }
}
