//! What a worker has of the program, and what the program has of its workers.

use crate::{is_gone, pool_of, until};
use kernel::{Executor, TaskErrorKind};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitStatus, waitpid};
use nix::unistd::{ForkResult, Pid, fork};
use one_change_tests::own_process::{inherited, lines_to_others};
use one_change_tests::surroundings;
use std::collections::BTreeSet;
use std::io::{self, Write};
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

pub fn ctrl_c_is_for_the_program() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let server = processes::ForkServer::start().unwrap().pid();
    for &pid in workers.iter().chain([&server]) {
        kill(Pid::from_raw(pid as i32), Signal::SIGINT).unwrap();
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
    let mut program = program(folder.path()).stdout(Stdio::null()).spawn().unwrap();
    let pids = ["0", "1", "server"].map(|file| {
        until(|| fs::read_to_string(folder.path().join(file)).ok()?.parse::<u32>().ok())
    });
    assert!(pids.iter().all(|&pid| !is_gone(pid)));
    program.kill().unwrap();
    program.wait().unwrap();
    until(|| pids.iter().all(|&pid| is_gone(pid)).then_some(()));
}
