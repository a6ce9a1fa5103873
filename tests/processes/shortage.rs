//! A system that refuses: forks, and open files.
//!
//! Forks are refused through a seam that the pool does not know of: this program has a function
//! `fork` of its own (and a `sendmsg`), which the linker prefers to the C library's. It asks two numbers in memory
//! that all processes share, so a case can have the fork server's forks refused while it runs.

use crate::raw::{self, ANSWER, Way};
use crate::{is_gone, pool_of, until, works};
use kernel::{Executor, Ran, TaskErrorKind};
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use processes::crew::Crew;
use processes::{ForkServer, ProcessPool, StartError};
use std::fs::File;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::atomic::{AtomicI32, Ordering::SeqCst};
use std::sync::{Mutex, OnceLock};

/// What the processes of a case share.
struct Shared {
    /// How many forks are granted yet.
    granted: AtomicI32,
    /// What those after them are refused with.
    errno: AtomicI32,
}

/// Set by the cases that refuse, before their first fork.
static SHARED: OnceLock<&Shared> = OnceLock::new();

/// In place of the C library's.
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
    // SAFETY: that is the signature of `fork`.
    let next = unsafe { std::mem::transmute::<*mut libc::c_void, extern "C" fn() -> i32>(next) };
    next()
}

/// Which sends of this process are refused: those of calls (each so often) or of descriptors.
static REFUSED_SENDS: Mutex<Option<(Errno, Sends)>> = Mutex::new(None);

#[derive(Clone, Copy, PartialEq)]
enum Sends {
    /// Each that is so many-th since, to a stream.
    Calls {
        each: u32,
        since: u32,
    },
    Descriptors,
}

fn is_stream(socket: i32) -> bool {
    let (mut kind, mut length) = (0, size_of::<i32>() as u32);
    let place: *mut i32 = &mut kind;
    // SAFETY: the place has room for the number that is asked for, and its length is told.
    unsafe { libc::getsockopt(socket, libc::SOL_SOCKET, libc::SO_TYPE, place.cast(), &mut length) };
    kind == libc::SOCK_STREAM
}

/// In place of the C library's.
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
    // SAFETY: the system call has the function's arguments.
    unsafe { libc::syscall(libc::SYS_sendmsg, socket, message, flags) as isize }
}

fn refuse(sends: Option<(Errno, Sends)>) {
    *REFUSED_SENDS.lock().unwrap() = sends;
}

fn shared() -> &'static Shared {
    SHARED.get_or_init(|| {
        let length = NonZeroUsize::new(size_of::<Shared>()).unwrap();
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: new memory, of which nobody has anything.
        let memory = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_SHARED) };
        // SAFETY: it is long enough, aligned to a page, never unmapped, and zeros are two numbers
        // that may be changed by whoever has a reference.
        unsafe { memory.unwrap().cast::<Shared>().as_ref() }
    })
}

/// Grants this many forks from now on, and refuses those after them.
fn grant(forks: i32, then: Errno) {
    shared().errno.store(then as i32, SeqCst);
    shared().granted.store(forks, SeqCst);
}

fn grant_all() {
    grant(i32::MAX, Errno::UnknownErrno);
}

const REFUSALS: [Errno; 2] = [Errno::EAGAIN, Errno::ENOMEM];

fn workers(count: usize) -> NonZeroUsize {
    NonZeroUsize::new(count).unwrap()
}

/// The error of a start, whatever the number of workers that were there before the refusal.
fn refused(count: usize, with: Errno) -> String {
    let error = ProcessPool::new(workers(count)).unwrap_err();
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

/// The other worker goes on, and the seat is taken again when forks are granted again.
pub fn no_replacement_for_one() {
    grant_all();
    let pool = pool_of(2);
    for errno in REFUSALS {
        grant(0, errno);
        let before = pool.worker_pids();
        kill_and_wait(before[1]);
        works(&pool);
        assert_eq!(pool.worker_pids(), before[..1]);
        // One that dies while it runs an item has its error, and the last one goes on.
        grant_all();
        works(&pool);
        assert_eq!(pool.worker_pids().len(), 2);
    }
}

/// With the last worker the pool is broken, and says why.
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

/// How many files this process may have open; the old limit.
fn limit_files(count: u64) -> u64 {
    let (soft, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    setrlimit(Resource::RLIMIT_NOFILE, count, hard).unwrap();
    soft
}

/// Lets this process open so many files more. It fills the gaps between the open ones, so that the
/// limit, which is on the numbers, is one on how many.
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

/// Too few at the start: an error that says what to do, and nothing left behind.
pub fn no_open_files_at_the_start() {
    for room in 0..8 {
        let (before, filler) = leave_room_for(room);
        let error = ProcessPool::new(workers(8)).unwrap_err().to_string();
        limit_files(before);
        assert!(error.contains("Too many open files"), "{error}");
        assert!(error.ends_with("raise the limit with `ulimit -n`"), "{error}");
        assert!(!error.contains('\n'));
        drop(filler);
    }
    works(&pool_of(8));
}

/// As a person meets it: the usual limit, and a few workers too many.
pub fn as_many_workers_as_open_files() {
    let before = limit_files(1024);
    let error = ProcessPool::new(workers(1024)).unwrap_err().to_string();
    assert!(error.ends_with("raise the limit with `ulimit -n`"), "{error}");
    works(&pool_of(10));
    limit_files(before);
}

/// A worker that cannot be replaced for lack of open files is one less, until there are some.
pub fn no_open_files_for_a_replacement() {
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let (before, filler) = leave_room_for(0);
    kill(Pid::from_raw(workers[0] as i32), SIGKILL).unwrap();
    // What is left of the dead one makes room for one file, and a pair of sockets is two.
    for _ in 0..10 {
        works(&pool);
    }
    assert_eq!(pool.worker_pids().len(), 1);
    limit_files(before);
    works(&pool);
    assert_eq!(pool.worker_pids().len(), 2);
    drop(filler);
}

/// The fork server's own limit.
pub fn no_open_files_in_the_fork_server() {
    let server = ForkServer::start().unwrap().pid() as i32;
    let set = |soft| {
        let limit = libc::rlimit { rlim_cur: soft, rlim_max: 4096 };
        // SAFETY: the new limit is there to be read, and the old one is not asked for.
        let done =
            unsafe { libc::prlimit(server, libc::RLIMIT_NOFILE, &limit, std::ptr::null_mut()) };
        assert_eq!(done, 0);
    };
    let pool = pool_of(1);
    set(3);
    let error = ProcessPool::new(workers(2)).unwrap_err();
    assert!(!error.to_string().contains('\n'), "{error}");
    works(&pool);
    set(1024);
    works(&pool_of(2));
    works(&pool);
}

/// An answer that says of itself that descriptors travel with it.
fn answer_with(Item { say, send, body, die }: Item) -> u64 {
    let files: Vec<File> = (0..send).map(|_| File::open("/dev/null").unwrap()).collect();
    let mut bytes = raw::header(body, ANSWER, say, 0);
    bytes.push(7);
    raw::write_with(&bytes, &files);
    if die { Way::Sigkill.go() } else { 8 }
}

#[derive(Clone, Copy, Debug, serde::Serialize, serde::Deserialize)]
struct Item {
    say: u8,
    send: u8,
    body: u32,
    die: bool,
}

/// A worker dies half way through a frame, with its descriptors sent: they are closed again.
pub fn a_frame_with_descriptors_half_way() {
    for send in [1, 2, 16] {
        let pool = pool_of(1);
        let item = Item { say: send, send, body: 1000, die: true };
        let error = pool.map(answer_with, vec![item]).unwrap_err();
        assert!(matches!(error.kind(), TaskErrorKind::WorkerDied(_)), "{error}");
        works(&pool);
    }
}

/// The descriptors of a frame do not come, or more come than a frame may have. What does come is
/// closed again, which the case's footprint shows.
pub fn a_frame_without_its_descriptors() {
    for (say, send, why) in
        [(3, 2, "are lost"), (17, 17, "are lost"), (255, 20, "are lost"), (0, 1, "")]
    {
        let pool = pool_of(1);
        let item = Item { say, send, body: 1, die: true };
        match pool.map(answer_with, vec![item]) {
            Ok(answers) => assert_eq!((answers, why), (vec![7], "")),
            Err(error) => {
                assert!(error.to_string().contains(why) && !why.is_empty(), "{error}");
                assert!(matches!(error.kind(), TaskErrorKind::NotDeserialised(_)), "{error}");
            }
        }
        works(&pool);
    }
}

/// They come, and this process may open no more.
pub fn descriptors_that_nobody_can_take() {
    let pool = pool_of(1);
    let (before, filler) = leave_room_for(2);
    let item = Item { say: 5, send: 5, body: 1, die: false };
    let error = pool.map(answer_with, vec![item]).unwrap_err();
    limit_files(before);
    assert!(error.to_string().contains("descriptors of a frame are lost"), "{error}");
    drop(filler);
    works(&pool);
}

/// Descriptors with each byte of a frame that does not end.
pub fn descriptors_without_an_end() {
    fn flood(_: PathBuf) -> u64 {
        raw::write(&raw::header(1_000, ANSWER, 0, 0));
        for _ in 0..900 {
            raw::write_with(&[0], &[File::open("/dev/null").unwrap()]);
        }
        Way::Sigkill.go()
    }
    let pool = pool_of(1);
    let error = pool.map(flood, vec![PathBuf::new()]).unwrap_err();
    assert!(error.to_string().contains("too many descriptors"), "{error}");
    works(&pool);
}

/// A request to the fork server that cannot be sent: nobody waits for what it was about.
pub fn requests_that_cannot_be_sent() {
    let pool = pool_of(2);
    let before = pool.worker_pids();
    refuse(Some((Errno::ETOOMANYREFS, Sends::Descriptors)));
    let error = ProcessPool::new(workers(2)).unwrap_err();
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

/// No memory for a call on its way: its worker ends what it has and is replaced. Every item has its
/// answer, and none is run twice.
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

/// A worker has had its last call, and there are no open files for the next one: calls that wait
/// end, in an answer if there are some soon, else in an error.
pub fn no_open_files_for_a_successor() {
    for soon in [true, false] {
        let mut crew = Crew::new(workers(1)).unwrap();
        crew.limit_calls(1);
        let (before, filler) = leave_room_for(0);
        for n in 0..3u64 {
            let call = crew.call(|n: u64| n, &n).unwrap();
            crew.dispatch(call);
        }
        let mut outcomes = Vec::new();
        while outcomes.len() < 3 {
            outcomes.extend(crew.poll(None).into_iter().map(|event| event.outcome));
            if soon && !outcomes.is_empty() {
                limit_files(before);
            }
        }
        limit_files(before);
        drop(filler);
        assert!(outcomes[0].is_ok());
        for outcome in outcomes {
            match outcome {
                Ok(answer) => assert!(answer.read::<u64>().unwrap() < 3),
                Err((ran, kind)) => {
                    assert!(!soon && ran == Ran::No, "{kind}");
                    assert!(matches!(kind, TaskErrorKind::Broken(_)), "{kind}");
                }
            }
        }
    }
}
