//! A system that refuses: forks, and open files.
//!
//! Forks are refused behind the pool's back: this program has a function `fork` of its own (and a
//! `sendmsg`), which the linker prefers to the C library's. That `fork` reads two numbers in memory
//! that all processes share, so a case can have the fork server's forks refused while the server
//! runs.

use crate::raw::{self, Way};
use crate::{ForkServer, StartError, is_gone, pool_of, try_pool, until, works};
use kernel::{Executor, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use std::fs::File;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};

/// The memory that the processes of a case share.
struct Granted {
    /// How many more forks are granted.
    granted: AtomicI32,
    /// The error of the forks after these.
    errno: AtomicI32,
}

/// The shared memory. Cases that refuse forks set it before their first fork.
static SHARED: OnceLock<&Granted> = OnceLock::new();

/// Replaces the C library's `fork`.
#[unsafe(no_mangle)]
extern "C" fn fork() -> libc::pid_t {
    if let Some(shared) = SHARED.get()
        && shared.granted.fetch_sub(1, SeqCst) <= 0
    {
        Errno::from_raw(shared.errno.load(SeqCst)).set();
        return -1;
    }
    // SAFETY: the name is a C string, and the next object that has one is the C library.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"fork".as_ptr()) };
    assert!(!next.is_null());
    // SAFETY: this is the signature of `fork`.
    let next = unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> i32>(next) };
    next()
}

/// Which sends of this process are refused: sends of calls (one of every so many) or of
/// descriptors.
static REFUSED_SENDS: Mutex<Option<(Errno, Sends)>> = Mutex::new(None);

#[derive(Clone, Copy, PartialEq)]
enum Sends {
    /// One of every so many sends to a stream.
    Calls {
        each: u32,
        since: u32,
    },
    Descriptors,
}

fn is_stream(socket: i32) -> bool {
    let (mut kind, mut length) = (0, size_of::<i32>() as u32);
    let place: *mut i32 = &mut kind;
    // SAFETY: `place` has room for the number that is asked for, and its length is passed.
    unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_TYPE, place.cast(), &mut length) };
    kind == libc::SOCK_STREAM
}

/// Replaces the C library's `sendmsg`.
#[unsafe(no_mangle)]
extern "C" fn sendmsg(socket: i32, message: *const libc::msghdr, flags: i32) -> isize {
    if let Some((errno, sends)) = &mut *REFUSED_SENDS.lock().unwrap() {
        // SAFETY: the caller of `sendmsg` passes a message.
        let with_descriptors = unsafe { &*message }.msg_controllen > 0;
        let refused = match sends {
            Sends::Descriptors => with_descriptors,
            Sends::Calls { each, since } => {
                *since += u32::from(is_stream(socket));
                is_stream(socket) && since.is_multiple_of(*each)
            }
        };
        if refused {
            errno.set();
            return -1;
        }
    }
    // SAFETY: the system call gets the function's arguments.
    unsafe { libc::syscall(libc::SYS_sendmsg, socket, message, flags) as isize }
}

fn refuse(sends: Option<(Errno, Sends)>) {
    *REFUSED_SENDS.lock().unwrap() = sends;
}

fn shared() -> &'static Granted {
    SHARED.get_or_init(|| {
        let length = NonZeroUsize::new(size_of::<Granted>()).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: this is new memory that no other code uses.
        let memory = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_SHARED) };
        // SAFETY: the memory is long enough, aligned to a page, and never unmapped. Zeros are two
        // valid atomic numbers, which any holder of a reference may change.
        unsafe { memory.unwrap().cast::<Granted>().as_ref() }
    })
}

/// Grants this many forks from now on, and refuses the forks after them.
fn grant(forks: i32, then: Errno) {
    shared().errno.store(then as i32, SeqCst);
    shared().granted.store(forks, SeqCst);
}

fn grant_all() {
    grant(i32::MAX, Errno::UnknownErrno);
}

/// The program lowers its limit of open files below the number of workers. Then no `poll` can watch
/// them all, and a pool that took this for a signal would try again for ever.
pub fn fewer_open_files_than_workers() {
    let pool = pool_of(6);
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, 4, hard).unwrap();
    let answers = pool.map_each(|n: u64| 2 * n, vec![1, 2, 3]);
    for error in answers.into_iter().map(Result::unwrap_err) {
        assert!(error.to_string().contains("it cannot wait for its workers: EINVAL"), "{error}");
    }
    setrlimit(Resource::RLIMIT_NOFILE, soft, hard).unwrap();
    drop(pool);
    works(&pool_of(6));
}

const REFUSALS: [Errno; 2] = [Errno::EAGAIN, Errno::ENOMEM];

/// The error of a start. The number of workers that were there before the refusal may differ.
fn refused(count: usize, with: Errno) -> String {
    let error = try_pool(count).unwrap_err();
    let StartError::System(_, system) = &error else { panic!("{error:?}") };
    assert_eq!(system.raw_os_error(), Some(with as i32));
    error.to_string()
}

pub fn no_fork_server() {
    for errno in REFUSALS {
        grant(0, errno);
        assert_eq!(refused(2, errno), format!("a fork: {}", std::io::Error::from(errno)));
    }
    grant_all();
    works(&pool_of(2));
}

pub fn no_worker_at_the_start() {
    grant_all();
    ForkServer::start().unwrap();
    for errno in REFUSALS {
        for granted in 0..3 {
            grant(granted, errno);
            let text = refused(3, errno);
            assert_eq!(text, format!("starting a worker: {}", std::io::Error::from(errno)));
        }
        grant_all();
        works(&pool_of(3));
    }
}

fn kill_and_wait(pid: u32) {
    kill(Pid::from_raw(pid as i32), SIGKILL).unwrap();
    until(|| is_gone(pid).then_some(()));
}

/// The other worker goes on, and the dead one is replaced when forks are granted again.
pub fn no_replacement_for_one() {
    grant_all();
    let pool = pool_of(2);
    for errno in REFUSALS {
        grant(0, errno);
        let before = pool.worker_pids();
        kill_and_wait(before[1]);
        works(&pool);
        assert_eq!(pool.worker_pids(), before[..1]);
        // An item whose worker dies has an error, and the last worker goes on.
        grant_all();
        works(&pool);
        assert_eq!(pool.worker_pids().len(), 2);
    }
}

/// When the last worker is gone, the pool is broken, and its errors say why.
pub fn no_replacement_for_the_last() {
    grant_all();
    for errno in REFUSALS {
        grant_all();
        let pool = pool_of(2);
        grant(0, errno);
        let mut errors = pool
            .map_each(|_: u8| -> u8 { Way::Sigkill.go() }, vec![0; 10])
            .into_iter()
            .map(Result::unwrap_err)
            .collect::<Vec<_>>();
        errors.extend(pool.map_each(|n: u8| n, vec![0]).into_iter().map(Result::unwrap_err));
        let deaths = errors.iter().filter(|error| error.ran() == Ran::Unknown).count();
        assert_eq!(deaths, 2);
        for error in errors.iter().filter(|error| error.ran() == Ran::No) {
            let TaskErrorKind::Broken(why) = error.kind() else { panic!("{error}") };
            let expected = format!("no worker is left, and none can be started: {}", errno.desc());
            assert_eq!(*why, expected);
        }
        drop(pool);
        grant_all();
        works(&pool_of(2));
    }
}

/// Sets how many files this process may have open. Returns the old limit.
fn limit_files(count: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, count, hard).unwrap();
    soft
}

/// Lets this process open this many more files. The function first fills the gaps between the open
/// descriptors: the limit is on a descriptor's number, and without gaps it limits how many there
/// are.
fn leave_room_for(count: u64) -> (u64, Vec<File>) {
    let mut filler = vec![File::open("/dev/null").unwrap()];
    let highest = |filler: &[File]| filler.iter().map(number).max().unwrap();
    fn number(file: &File) -> u64 {
        std::os::fd::AsRawFd::as_raw_fd(file) as u64
    }
    let open = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    let top = open.filter_map(|entry| entry.file_name().to_str()?.parse::<u64>().ok()).max();
    while highest(&filler) <= top.unwrap() {
        filler.push(File::open("/dev/null").unwrap());
    }
    let first = highest(&filler) + 1;
    (limit_files(first + count), filler)
}

/// Too few open files at the start give an error that says what to do, and leave nothing behind.
pub fn no_open_files_at_the_start() {
    for room in 0..8 {
        let (before, filler) = leave_room_for(room);
        let error = try_pool(8).unwrap_err().to_string();
        limit_files(before);
        assert!(error.contains("Too many open files"), "{error}");
        assert!(error.ends_with("raise the limit with `ulimit -n`"), "{error}");
        assert!(!error.contains('\n'));
        drop(filler);
    }
    works(&pool_of(8));
}

/// The common case: the usual limit, and a few workers too many.
pub fn as_many_workers_as_open_files() {
    let before = limit_files(1024);
    let error = try_pool(1024).unwrap_err().to_string();
    assert!(error.ends_with("raise the limit with `ulimit -n`"), "{error}");
    works(&pool_of(10));
    limit_files(before);
}

/// If a worker cannot be replaced for lack of open files, the pool has one worker fewer until files
/// can be opened again.
pub fn no_open_files_for_a_replacement() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let (before, filler) = leave_room_for(0);
    kill(Pid::from_raw(workers[0] as i32), SIGKILL).unwrap();
    // The dead worker frees one descriptor, and a pair of sockets needs two.
    for _ in 0..10 {
        works(&pool);
    }
    assert_eq!(pool.worker_pids().len(), 1);
    limit_files(before);
    works(&pool);
    assert_eq!(pool.worker_pids().len(), 2);
    drop(filler);
}

/// The fork server itself may open no more files.
pub fn no_open_files_in_the_fork_server() {
    let server = ForkServer::start().unwrap().pid() as i32;
    let set = |soft| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: 4096 };
        // SAFETY: the new limit can be read, and the old limit is not asked for.
        let done =
            unsafe { libc::prlimit(server, libc::RLIMIT_NOFILE, &limit, std::ptr::null_mut()) };
        assert_eq!(done, 0);
    };
    let pool = pool_of(1);
    set(3);
    let error = try_pool(2).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("fork server") && text.contains("`ulimit -n`"), "{text}");
    assert!(!text.contains("died") && !text.contains('\n'), "{text}");
    works(&pool);
    set(1024);
    works(&pool_of(2));
    works(&pool);
}

/// No descriptors are expected beside a frame. Descriptors that come all the same are closed again,
/// as the case's footprint shows.
pub fn descriptors_that_nobody_asked_for() {
    fn answer_with_files(count: usize) -> u64 {
        let files: Vec<File> = (0..count).map(|_| File::open("/dev/null").unwrap()).collect();
        raw::write_with(&raw::answer(&7u64, 0), &files);
        Way::Sigkill.go()
    }
    for count in [1, 16, 20] {
        let pool = pool_of(1);
        assert_eq!(pool.map(answer_with_files, vec![count]).unwrap(), [7]);
        works(&pool);
    }
}

/// When a request to the fork server cannot be sent, no thread waits for its effect.
pub fn requests_that_cannot_be_sent() {
    let pool = pool_of(2);
    let before = pool.worker_pids();
    refuse(Some((Errno::ETOOMANYREFS, Sends::Descriptors)));
    let error = try_pool(2).unwrap_err();
    assert!(matches!(error, StartError::System(..)), "{error:?}");
    kill_and_wait(before[0]);
    works(&pool);
    assert_eq!(pool.worker_pids(), before[1..]);
    kill_and_wait(before[1]);
    let error = pool.map(|n: u64| n, vec![1]).unwrap_err();
    assert!(matches!(error.kind(), TaskErrorKind::Broken(_)), "{error}");
    refuse(None);
    works(&pool_of(2));
}

/// When the system has no memory to send a call, the call's worker finishes what it has and is
/// replaced. Every item has its answer, and no item runs twice.
pub fn calls_that_cannot_be_sent() {
    fn note((n, file): (u64, PathBuf)) -> u64 {
        let file = std::fs::OpenOptions::new().append(true).open(file);
        std::io::Write::write_all(&mut file.unwrap(), b".").unwrap();
        n
    }
    let file = tempfile::NamedTempFile::new().unwrap();
    let pool = pool_of(2);
    for errno in [Errno::ENOBUFS, Errno::ENOMEM] {
        file.as_file().set_len(0).unwrap();
        refuse(Some((errno, Sends::Calls { each: 7, since: 0 })));
        let items = (0..1000).map(|n| (n, file.path().to_owned())).collect();
        let answers = pool.map(note, items).unwrap();
        refuse(None);
        assert_eq!(answers, (0..1000).collect::<Vec<u64>>());
        assert_eq!(file.as_file().metadata().unwrap().len(), 1000);
    }
    works(&pool);
}
