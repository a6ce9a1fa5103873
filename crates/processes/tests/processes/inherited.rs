//! What workers do not take over from the program: handlers, exit handlers, low descriptors, groups.

use crate::{is_gone, pool_of, until, works};
use kernel::{Executor, TaskErrorKind};
use nix::sys::signal::{SaFlags, SigAction, SigHandler, SigSet, Signal, kill, killpg, sigaction};
use nix::unistd::{Pid, getpgrp, getuid, setuid};
use std::io::{Read, Write, pipe};
use std::os::fd::{AsRawFd, IntoRawFd};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI32, Ordering::Relaxed};
use std::{env, fs, process, thread};

/// The self-pipe pattern: the handler writes a byte, and the program reads it when it has time.
static BELL: AtomicI32 = AtomicI32::new(-1);

extern "C" fn ring(_: libc::c_int) {
    let byte = b'!';
    // SAFETY: `write` may be called in a handler, and the byte is there.
    unsafe { libc::write(BELL.load(Relaxed), (&raw const byte).cast(), 1) };
}

fn handle(signal: Signal) {
    let action = SigAction::new(SigHandler::Handler(ring), SaFlags::SA_RESTART, SigSet::empty());
    // SAFETY: the handler makes one system call that is allowed there.
    unsafe { sigaction(signal, &action) }.unwrap();
}

fn ignore(signal: Signal) {
    // SAFETY: no handler is installed.
    unsafe { nix::sys::signal::signal(signal, SigHandler::SigIgn) }.unwrap();
}

/// The lines of `/proc/self/status` that tell of signals: which are blocked, ignored, handled.
fn signals(_: u8) -> [u64; 3] {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    ["SigBlk:", "SigIgn:", "SigCgt:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(line.trim(), 16).unwrap()
    })
}

fn bit(signal: Signal) -> u64 {
    1 << (signal as i32 - 1)
}

/// A program that handles SIGTERM by a byte in a pipe, ignores SIGHUP and blocks SIGUSR2.
pub fn handlers_are_the_programs_alone() {
    let (mut heard, bell) = pipe().unwrap();
    BELL.store(bell.into_raw_fd(), Relaxed);
    for signal in [Signal::SIGTERM, Signal::SIGINT, Signal::SIGCHLD, Signal::SIGUSR1] {
        handle(signal);
    }
    ignore(Signal::SIGHUP);
    SigSet::from(Signal::SIGUSR2).thread_block().unwrap();
    let pool = pool_of(2);
    let server = processes::ForkServer::start().unwrap().pid();
    for [blocked, ignored, handled] in pool.map(signals, vec![0, 1]).unwrap() {
        assert_eq!(blocked, 0, "{blocked:x}");
        assert_ne!(ignored & bit(Signal::SIGHUP), 0, "{ignored:x}");
        assert_eq!(handled & !(bit(Signal::SIGSEGV) | bit(Signal::SIGBUS)), 0, "{handled:x}");
    }
    // One signal to the whole group is heard once, and costs no worker.
    let workers = pool.worker_pids();
    killpg(getpgrp(), Signal::SIGTERM).unwrap();
    let mut byte = [0];
    heard.read_exact(&mut byte).unwrap();
    works(&pool);
    assert_eq!(pool.worker_pids(), workers);
    // A signal to a worker ends that worker, and nobody else hears of it.
    for pid in workers {
        kill(Pid::from_raw(pid as i32), Signal::SIGTERM).unwrap();
        until(|| is_gone(pid).then_some(()));
    }
    works(&pool);
    assert!(!is_gone(server));
    // Now only what this process sends to itself is in the pipe.
    kill(Pid::this(), Signal::SIGTERM).unwrap();
    heard.read_exact(&mut byte).unwrap();
    let flags = nix::fcntl::FcntlArg::F_SETFL(nix::fcntl::OFlag::O_NONBLOCK);
    nix::fcntl::fcntl(&heard, flags).unwrap();
    assert!(heard.read(&mut byte).is_err(), "one more ring");
}

/// What the program ignores, the workers ignore, and so do the programs that tasks start: also
/// SIGINT and SIGCHLD.
pub fn ignored_signals_stay_ignored() {
    let all = [Signal::SIGINT, Signal::SIGQUIT, Signal::SIGCHLD];
    all.into_iter().for_each(ignore);
    let pool = pool_of(1);
    let [_, ignored, _] = pool.map(signals, vec![0]).unwrap()[0];
    for signal in all {
        assert_ne!(ignored & bit(signal), 0, "{signal} in {ignored:x}");
    }
    works(&pool);
}

/// For each set of closed standard descriptors: no descriptor of the pool gets such a number, and
/// what tasks and program print goes nowhere, and not into a socket.
pub fn closed_standard_descriptors() {
    fn chatter(n: u64) -> u64 {
        println!("a task prints {n}");
        eprintln!("a task complains of {n}");
        n + 1
    }
    fn opened(_: u8) -> i32 {
        let file = fs::File::open("/proc/self/status").unwrap();
        println!("where does this go?");
        file.as_raw_fd()
    }
    for number in 0..3 {
        // SAFETY: the program gives up this descriptor, and uses it no more.
        unsafe { libc::close(number) };
        let pool = pool_of(2);
        println!("the program prints");
        assert_eq!(pool.map(chatter, (0..100).collect()).unwrap(), (1..101).collect::<Vec<_>>());
        assert!(pool.map(opened, vec![0]).unwrap()[0] > 2);
        pool.map(|_: u8| -> u8 { process::abort() }, vec![0]).unwrap_err();
        works(&pool);
        for number in 0..=number {
            let link = fs::read_link(format!("/proc/self/fd/{number}"));
            assert!(link.is_err(), "{number} is {link:?}");
        }
        drop(pool);
    }
}

/// The same, if all three are closed before the fork server is started.
pub fn closed_standard_descriptors_at_the_start() {
    // SAFETY: the program gives up these descriptors, and uses them no more.
    (0..3).for_each(|number| unsafe {
        libc::close(number);
    });
    closed_standard_descriptors();
}

/// A worker that is closing down runs none of the program's exit handlers, and loses no C output.
pub fn a_program_with_exit_handlers() -> ! {
    extern "C" fn remove_the_pid_file() {
        let _ = fs::remove_file(Path::new(&env::var_os(PROGRAM).unwrap()).join("pid"));
    }
    fn leave(status: i32) {
        // SAFETY: the texts are C strings without a format.
        unsafe { libc::printf(c"<C says %d>".as_ptr(), status) };
        extern "C" fn of_the_task() {
            // SAFETY: as above.
            unsafe { libc::printf(c"<the task's own handler>".as_ptr()) };
        }
        match status {
            0 => {}
            4 => {
                // SAFETY: the handler is such a function.
                unsafe { libc::atexit(of_the_task) };
                // SAFETY: no other thread is there to be surprised.
                unsafe { libc::exit(4) }
            }
            status => process::exit(status),
        }
    }
    let folder = PathBuf::from(env::var_os(PROGRAM).unwrap());
    fs::write(folder.join("pid"), process::id().to_string()).unwrap();
    // SAFETY: the handler is such a function.
    unsafe { libc::atexit(remove_the_pid_file) };
    // SAFETY: the text is a C string without a format.
    unsafe { libc::printf(c"<C begins>".as_ptr()) };
    let pool = pool_of(1);
    for status in [0, 3, 4] {
        match pool.map(leave, vec![status]) {
            Ok(_) => assert_eq!(status, 0),
            Err(error) => {
                let exited = format!("exited with status {status} ");
                assert!(error.to_string().contains(&exited), "{error}");
            }
        }
        assert!(folder.join("pid").exists(), "after {status}");
    }
    drop(pool);
    assert!(folder.join("pid").exists(), "after the pool's end");
    process::exit(0)
}

/// This variable tells a process that it is the program with exit handlers, and in which folder.
const PROGRAM: &str = "PROCESSES_TEST_EXIT_HANDLERS";

pub fn is_a_program_with_exit_handlers() -> bool {
    env::var_os(PROGRAM).is_some()
}

pub fn exit_handlers_and_c_streams() {
    let folder = tempfile::tempdir().unwrap();
    let mut program = one_change_tests::surroundings::program(env::current_exe().unwrap());
    let output = program.env(PROGRAM, folder.path()).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for part in ["<C begins>", "<C says 0>", "<C says 3>", "<C says 4>", "<the task's own handler>"]
    {
        assert_eq!(text.matches(part).count(), 1, "{part} in {text}");
    }
    assert!(!folder.path().join("pid").exists(), "the program itself runs its handlers");
}

/// Starts programs: one in the worker's group, one that leaves it with `setsid`.
fn start(folder: PathBuf) -> [u32; 2] {
    let sleep = |command: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-c", command]).stdin(Stdio::null()).stdout(Stdio::null());
        shell.spawn().unwrap().id()
    };
    let pid_of = |file: &str| -> u32 {
        until(|| fs::read_to_string(folder.join(file)).ok()?.trim().parse().ok())
    };
    env::set_current_dir(&folder).unwrap();
    sleep("sleep 1000 & echo $! >stays; wait");
    sleep("setsid sh -c 'echo $$ >leaves; exec sleep 1000'");
    [pid_of("stays"), pid_of("leaves")]
}

/// What a task has started ends with its worker, however the worker ends; what has left the group on
/// purpose lives on.
pub fn programs_that_tasks_start() {
    fn start_and_die(folder: PathBuf) {
        start(folder);
        process::abort()
    }
    for how in ["the pool ends", "the worker aborts", "the worker is killed"] {
        let folder = tempfile::tempdir().unwrap();
        let pool = pool_of(1);
        let read = |file: &str| -> u32 {
            until(|| fs::read_to_string(folder.path().join(file)).ok()?.trim().parse().ok())
        };
        if how == "the worker aborts" {
            pool.map(start_and_die, vec![folder.path().to_owned()]).unwrap_err();
        } else {
            let told = pool.map(start, vec![folder.path().to_owned()]).unwrap();
            assert_eq!(told, [[read("stays"), read("leaves")]]);
        }
        if how == "the worker is killed" {
            let worker = pool.worker_pids()[0];
            kill(Pid::from_raw(worker as i32), Signal::SIGKILL).unwrap();
            until(|| is_gone(worker).then_some(()));
            works(&pool);
        }
        let [stays, leaves] = [read("stays"), read("leaves")];
        assert!(!is_gone(leaves), "{how}");
        drop(pool);
        until(|| is_gone(stays).then_some(()));
        assert!(!is_gone(leaves), "{how}");
        kill(Pid::from_raw(leaves as i32), Signal::SIGKILL).unwrap();
        until(|| is_gone(leaves).then_some(()));
    }
}

/// A worker that changes its user (only root can) is still bound to the program: the kernel has
/// forgotten it, and the worker binds itself again before its next call. (A busy worker of another
/// user has its case in `isolation.rs`.)
pub fn a_worker_of_another_user() {
    if !getuid().is_root() {
        return println!("NOT TESTED: only root can change its user");
    }
    fn drop_root(_: u8) -> Option<i32> {
        setuid(nix::unistd::Uid::from_raw(65_534)).unwrap();
        nix::sys::prctl::get_pdeathsig().unwrap().map(|signal| signal as i32)
    }
    fn bound(_: u8) -> Option<i32> {
        nix::sys::prctl::get_pdeathsig().unwrap().map(|signal| signal as i32)
    }
    let pool = pool_of(1);
    assert_eq!(pool.map(drop_root, vec![0]).unwrap(), [None], "the kernel has forgotten it");
    assert_eq!(pool.map(bound, vec![0]).unwrap(), [Some(libc::SIGKILL)], "before the next call");
    works(&pool);
    drop(pool);
}

/// A task closes every descriptor that it finds: the pool says that it has killed the worker itself.
pub fn a_task_that_closes_everything() {
    fn close_all(_: u8) {
        for number in 3..100 {
            // SAFETY: none: this is the fault to be tested.
            unsafe { libc::close(number) };
        }
        loop {
            thread::park();
        }
    }
    let pool = pool_of(1);
    let pid = pool.worker_pids()[0];
    let error = pool.map(close_all, vec![0]).unwrap_err();
    let TaskErrorKind::WorkerDied(death) = error.kind() else { panic!("{error}") };
    assert_eq!((death.worker(), death.pid()), (0, Some(pid)));
    assert_eq!(death.why(), Some("the pool killed it, because its socket was closed"));
    assert!(error.to_string().contains("; the pool killed it, because "), "{error}");
    works(&pool);
    // A kill by somebody else is not said to be the pool's.
    for _ in 0..20 {
        let kill_it = |_: u8| kill(Pid::this(), Signal::SIGKILL).unwrap();
        let error = pool.map(kill_it, vec![0]).unwrap_err();
        let TaskErrorKind::WorkerDied(death) = error.kind() else { panic!("{error}") };
        assert_eq!(death.why(), None, "{error}");
        works(&pool);
    }
}

extern "C" fn compare(_: *const libc::c_void, _: *const libc::c_void) -> libc::c_int {
    panic!("no order between them")
}

/// Panics that abort the process: below a function of C, and in a destructor during a panic.
pub fn panics_that_cannot_unwind() {
    fn sort(_: u8) {
        let mut numbers = [2, 1];
        // SAFETY: two numbers of four bytes. The comparison panics, which aborts the process.
        unsafe { libc::qsort(numbers.as_mut_ptr().cast(), 2, 4, Some(compare)) }
    }
    fn drop_badly(_: u8) {
        struct Bad;
        impl Drop for Bad {
            fn drop(&mut self) {
                panic!("and worse");
            }
        }
        let _bad = Bad;
        panic!("bad");
    }
    let pool = pool_of(1);
    let cases = [
        (sort as fn(u8), &["no order between them"][..]),
        (drop_badly, &["bad", "; then: and worse"]),
    ];
    for (task, texts) in cases {
        let error = pool.map(task, vec![0]).unwrap_err();
        let TaskErrorKind::WorkerDied(death) = error.kind() else { panic!("{error}") };
        let why = death.why().expect("the panic's text");
        assert!(why.starts_with(&format!("it had panicked: {}, at ", texts[0])), "{why}");
        assert!(texts.iter().all(|text| why.contains(text)) && why.contains(".rs:"), "{why}");
        assert!(error.to_string().contains("SIGABRT"), "{error}");
        works(&pool);
    }
    // A panic that was caught is not the cause of a later abort of another kind.
    let caught_before = |abort: bool| {
        if abort {
            process::abort()
        }
        panic!("caught")
    };
    let mut errors = pool.map_each(caught_before, vec![false, true]);
    let error: kernel::TaskError = errors.pop().unwrap().map(|(): ()| ()).unwrap_err();
    let TaskErrorKind::WorkerDied(death) = error.kind() else { panic!("{error}") };
    assert_eq!(death.why(), None);
}

/// The texts of such panics reach standard error.
pub fn aborting_panics_are_printed() {
    let (mut reader, writer) = pipe().unwrap();
    // SAFETY: the number of standard error stays open, and stands for the pipe from now on.
    assert_eq!(unsafe { libc::dup2(writer.as_raw_fd(), 2) }, 2);
    drop(writer);
    panics_that_cannot_unwind();
    std::io::stderr().write_all(b"<end>").unwrap();
    let mut text = Vec::new();
    while !text.ends_with(b"<end>") {
        let mut byte = [0];
        reader.read_exact(&mut byte).unwrap();
        text.push(byte[0]);
    }
    let text = String::from_utf8_lossy(&text);
    assert_eq!(
        text.matches("panicked, and aborted: no order between them, at ").count(),
        1,
        "{text}"
    );
    assert_eq!(text.matches("panicked, and aborted: bad, at ").count(), 1, "{text}");
}

/// What a worker keeps of the program as it was at the start: a task reads it.
#[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
struct State {
    folder: PathBuf,
    variable: Option<String>,
    umask: u32,
    files: u64,
    nice: i32,
    cores: Vec<usize>,
    user: u32,
}

fn state(_: u8) -> State {
    let mask = nix::sys::stat::umask(nix::sys::stat::Mode::empty());
    nix::sys::stat::umask(mask);
    let set = nix::sched::sched_getaffinity(Pid::from_raw(0)).unwrap();
    State {
        folder: env::current_dir().unwrap(),
        variable: env::var("PROCESSES_TEST_VARIABLE").ok(),
        umask: mask.bits(),
        files: nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE)
            .unwrap()
            .0,
        // SAFETY: the call takes two numbers.
        nice: unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) },
        cores: (0..nix::sched::CpuSet::count()).filter(|&core| set.is_set(core).unwrap()).collect(),
        user: getuid().as_raw(),
    }
}

/// Changes whatever anybody may change: folder, variable, umask, limit, niceness, cores.
fn change(folder: PathBuf) {
    env::set_current_dir(folder).unwrap();
    // SAFETY: this process has one thread.
    unsafe { env::set_var("PROCESSES_TEST_VARIABLE", "changed") };
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o027));
    let (soft, hard) =
        nix::sys::resource::getrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE).unwrap();
    nix::sys::resource::setrlimit(nix::sys::resource::Resource::RLIMIT_NOFILE, soft - 1, hard)
        .unwrap();
    // SAFETY: the call takes a number.
    unsafe { libc::nice(1) };
    let mut one = nix::sched::CpuSet::new();
    one.set(*state(0).cores.last().unwrap()).unwrap();
    nix::sched::sched_setaffinity(Pid::from_raw(0), &one).unwrap();
}

/// Workers are as the program was at the start, whatever the program changes later; and a task can
/// change its worker, and neither another worker nor the program.
pub fn workers_are_as_the_program_was() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    change(first.path().to_owned());
    let at_the_start = state(0);
    let pool = pool_of(1);
    change(second.path().to_owned());
    let later = state(0);
    assert_ne!(later, at_the_start);
    assert_eq!(pool.map(state, vec![0]).unwrap(), [at_the_start]);
    pool.map(change, vec![second.path().to_owned()]).unwrap();
    let changed = pool.map(state, vec![0]).unwrap();
    assert_eq!(changed[0].variable.as_deref(), Some("changed"));
    assert_eq!((&changed[0].folder, changed[0].umask), (&later.folder, later.umask));
    assert_eq!(state(0), later);
}
