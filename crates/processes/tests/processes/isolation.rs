//! What a worker has of the program, and what the program has of its workers.

use crate::{is_gone, pool_of, until};
use kernel::{Executor, TaskErrorKind};
use nix::sys::signal::{SigSet, Signal, kill, killpg};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork, getpgid, getpgrp, getuid, setuid};
use one_change_tests::own_process::{inherited, lines_to_others};
use one_change_tests::surroundings;
use processes::{Ended, Workers, call};
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Write};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{env, fs, process, thread};

fn double(n: u64) -> u64 {
    2 * n
}

/// Three pools' workers, old and replaced: each worker has one socket, and no two workers have the
/// same.
pub fn a_worker_has_its_socket_and_nothing_else() {
    let lines = |die: bool| {
        if die {
            process::abort()
        }
        lines_to_others(process::id())
    };
    let pools = [pool_of(1), pool_of(1), pool_of(1)];
    let mut seen: BTreeSet<String> = lines_to_others(process::id());
    for pool in &pools {
        for _ in 0..2 {
            let worker = &pool.map(lines, vec![false]).unwrap()[0] - inherited();
            assert_eq!(worker.len(), 1, "{worker:?}");
            assert!(worker.iter().all(|line| line.starts_with("socket:")), "{worker:?}");
            let ours = lines_to_others(process::id());
            assert!(worker.is_disjoint(&ours), "the program has its end, and not this one");
            assert!(worker.is_disjoint(&seen), "{worker:?} again");
            seen.extend(worker);
            // The same holds for the worker that replaces the dead one.
            pool.map(lines, vec![true]).unwrap_err();
        }
    }
}

pub fn input_is_empty() {
    fn read(_: u8) -> (PathBuf, usize) {
        let text = io::read_to_string(io::stdin()).unwrap();
        (fs::read_link("/proc/self/fd/0").unwrap(), text.len())
    }
    assert_eq!(pool_of(1).map(read, vec![0]).unwrap(), [(PathBuf::from("/dev/null"), 0)]);
}

/// The workers share one standard error, here a pipe. `eprintln!` writes each piece of its format by
/// itself, and other workers' pieces get between them. A line of at most 4096 bytes that is written
/// in one call stays whole (pipe(7), `PIPE_BUF`).
pub fn lines_of_four_workers_stay_whole() {
    const LINES: u64 = 2000;
    fn line(item: u64) -> String {
        format!("item {item} of {LINES}: {item} {item} {item}")
    }
    fn tell(item: u64) {
        let line = line(item) + "\n";
        io::stderr().write_all(line.as_bytes()).unwrap();
    }
    let (reader, writer) = io::pipe().unwrap();
    let own = io::stderr().as_fd().try_clone_to_owned().unwrap();
    let to_standard_error = |end: BorrowedFd| {
        // SAFETY: both descriptors are open, and no code relies on what the second one was.
        assert_eq!(unsafe { libc::dup2(end.as_raw_fd(), 2) }, 2);
    };
    // The fork server starts with this standard error, and so do the workers.
    to_standard_error(writer.as_fd());
    let pool = pool_of(4);
    to_standard_error(own.as_fd());
    // A torn line has its end too, so there are as many ends as lines.
    let reader = thread::spawn(|| {
        let lines = io::BufReader::new(reader).lines().take(LINES as usize);
        lines.collect::<Result<BTreeSet<String>, _>>().unwrap()
    });
    pool.map(tell, (0..LINES).collect()).unwrap();
    let (told, lines) = (reader.join().unwrap(), (0..LINES).map(line).collect());
    let torn: Vec<_> = told.difference(&lines).collect();
    assert!(torn.is_empty(), "{} of {LINES} lines are torn, as {:?}", torn.len(), torn[0]);
    assert_eq!(told.len(), lines.len());
}

/// Ctrl-C, and whatever else is sent to the program's process group, reaches the program alone.
pub fn ctrl_c_is_for_the_program() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let server = processes::ForkServer::start().unwrap().pid();
    let group = |pid: u32| getpgid(Some(Pid::from_raw(pid as i32))).unwrap().as_raw() as u32;
    for &pid in workers.iter().chain([&server]) {
        assert_eq!(group(pid), pid);
    }
    let blocked = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP]);
    blocked.thread_block().unwrap();
    for signal in &blocked {
        killpg(getpgrp(), signal).unwrap();
    }
    assert_eq!(pool.map(double, vec![1, 2, 3]).unwrap(), [2, 4, 6]);
    assert_eq!(pool.worker_pids(), workers);
}

/// A fork of the program has a copy of the pool, but the workers stay the program's.
pub fn a_fork_of_the_program_keeps_its_hands_off() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    // SAFETY: this process has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let error = pool.map(double, vec![1]).unwrap_err();
            let broken = matches!(error.kind(), TaskErrorKind::Broken(_));
            drop(pool);
            // SAFETY: ends this process.
            unsafe { libc::_exit(if broken { 42 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 42));
        }
    }
    assert_eq!(pool.map(double, vec![1, 2, 3]).unwrap(), [2, 4, 6]);
    assert_eq!(pool.worker_pids(), workers);
    // A fork that lives on does not keep the pool from ending. SAFETY: this process has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => loop {
            thread::sleep(Duration::from_secs(1000));
        },
        ForkResult::Parent { child } => {
            drop(pool);
            assert!(workers.iter().all(|&worker| is_gone(worker)));
            kill(child, Signal::SIGKILL).unwrap();
            waitpid(child, None).unwrap();
        }
    }
}

/// A fork that happens while calls are on their way: in the copy each call ends in an error, and in
/// the program each call ends with its answer.
pub fn calls_outstanding_at_a_fork() {
    fn slow_double(n: u64) -> u64 {
        thread::sleep(Duration::from_millis(100));
        2 * n
    }
    let mut workers = Workers::new(NonZeroUsize::new(2).unwrap()).unwrap();
    for n in 0..6 {
        workers.submit(call(slow_double, &n).unwrap());
    }
    assert!(workers.poll(Some(Duration::ZERO)).is_empty(), "the tasks sleep");
    // SAFETY: this process has one thread.
    match unsafe { fork() }.unwrap() {
        ForkResult::Child => {
            let mut ended = workers.poll(None);
            ended.extend(workers.poll(None));
            let broken = |call: &Ended| matches!(call.outcome, Err((_, TaskErrorKind::Broken(_))));
            let right = ended.len() == 6 && ended.iter().all(broken);
            drop(workers);
            // SAFETY: ends this process.
            unsafe { libc::_exit(if right { 42 } else { 1 }) }
        }
        ForkResult::Parent { child } => {
            assert_eq!(waitpid(child, None).unwrap(), WaitStatus::Exited(child, 42));
        }
    }
    let mut answers = BTreeMap::new();
    while answers.len() < 6 {
        for Ended { task, outcome } in workers.poll(None) {
            let answer: u64 = outcome.unwrap().answer().unwrap();
            assert_eq!(answers.insert(task, answer), None);
        }
    }
    assert!(answers.into_iter().eq((0..6).map(|n| (n, 2 * n))));
}

/// This variable tells a process that it is not a test but a program under test.
const PROGRAM: &str = "PROCESSES_TEST_PROGRAM";

pub fn is_a_program_to_be_killed() -> bool {
    env::var_os(PROGRAM).is_some()
}

/// Leaves a line unfinished, starts workers, and prints in them. Then, if there is a folder, the
/// workers write their process ids there and are busy until they are killed.
pub fn program_to_be_killed() -> ! {
    fn print(n: u64) -> u64 {
        print!("<task {n}>");
        n
    }
    fn be_busy(file: PathBuf) {
        change_user();
        // A program that a task has started ends with its worker.
        let mut sleep = Command::new("sleep");
        sleep.arg("1000").stdin(Stdio::null()).stdout(Stdio::null());
        let started = sleep.spawn().unwrap().id();
        fs::write(file.with_extension("started"), started.to_string()).unwrap();
        let half = file.with_extension("half");
        fs::write(&half, process::id().to_string()).unwrap();
        fs::rename(half, file).unwrap();
        loop {
            std::hint::spin_loop(); // and reads no socket
        }
    }
    print!("<begun>");
    let pool = pool_of(2);
    pool.map(print, vec![1, 2, 3]).unwrap();
    // A worker that is forked late has no copy of this text either.
    print!("<late>");
    pool.map(|_: u8| -> u8 { process::abort() }, vec![0]).unwrap_err();
    pool.map(print, vec![4]).unwrap();
    let folder = env::var_os(PROGRAM).unwrap();
    if !folder.is_empty() {
        let server = processes::ForkServer::start().unwrap().pid();
        fs::write(Path::new(&folder).join("server"), server.to_string()).unwrap();
        let files = ["0", "1"].map(|file| Path::new(&folder).join(file));
        let _ = pool.map(be_busy, files.into());
    }
    drop(pool);
    print!("<ended>");
    io::stdout().flush().unwrap();
    process::exit(0)
}

/// The program, not started yet.
pub fn program(folder: &Path) -> Command {
    let mut program = surroundings::program(env::current_exe().unwrap());
    program.env(PROGRAM, folder);
    program
}

pub fn a_partial_line_is_printed_once() {
    let output = program(Path::new("")).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    for part in ["<begun>", "<task 1>", "<task 2>", "<task 3>", "<late>", "<task 4>", "<ended>"] {
        assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    }
    assert!(text.starts_with("<begun>") && text.ends_with("<ended>"), "{text}");
}

pub fn nothing_outlives_the_program() {
    let folder = tempfile::tempdir().unwrap();
    ends_with_all(folder.path(), &mut program(folder.path()));
}

/// The same if the busy workers have changed their user (only root can): the kernel has forgotten
/// that they are bound to the program, and the fork server kills them.
pub fn nothing_of_another_user_outlives_the_program() {
    if !getuid().is_root() {
        return println!("NOT TESTED: only root can change its user");
    }
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    ends_with_all(folder.path(), program(folder.path()).env(USER, "65534"));
}

/// This variable tells the busy workers of the program to change their user.
const USER: &str = "PROCESSES_TEST_USER";

/// Changes the user, if the program's workers are to do so.
fn change_user() {
    if let Some(user) = env::var(USER).ok().and_then(|user| user.parse().ok()) {
        setuid(nix::unistd::Uid::from_raw(user)).unwrap();
    }
}

/// Kills the program while its workers are busy, and waits until nothing of it is left.
fn ends_with_all(folder: &Path, program: &mut Command) {
    let mut program = program.stdout(Stdio::null()).spawn().unwrap();
    let pids = ["0", "1", "server", "0.started", "1.started"]
        .map(|file| until(|| fs::read_to_string(folder.join(file)).ok()?.parse::<u32>().ok()));
    assert!(pids.iter().all(|&pid| !is_gone(pid)));
    program.kill().unwrap();
    program.wait().unwrap();
    until(|| pids.iter().all(|&pid| is_gone(pid)).then_some(()));
}
