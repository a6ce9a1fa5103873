//! The fault matrix: every way to end, at every moment of a worker's life.
//!
//! "Between header and body" and "half way through the body" are real: the worker has written that
//! much of its answer to its socket when it ends. A panic cannot happen between two sends, since an
//! answer is serialised before any of it is sent. A panic happens while the answer is serialised:
//! at the answer's beginning, and after five megabytes.

use crate::raw::{self, ANSWER, Way};
use crate::{is_gone, pool_of, until, works};
use kernel::{Bytes, Executor, Ran, TaskErrorKind};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::{Path, PathBuf};
use std::{fs, process, thread};

/// The moment of a worker's life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    ReadingTheArgument,
    InTheCall,
    AfterTheHeader,
    HalfWayThroughTheBody,
    Idle,
}

impl Moment {
    pub const ALL: [Self; 5] = [
        Self::ReadingTheArgument,
        Self::InTheCall,
        Self::AfterTheHeader,
        Self::HalfWayThroughTheBody,
        Self::Idle,
    ];
}

/// How the worker ends, when, and the folder in which an idle worker is told to end. With `None`,
/// the worker lives.
#[derive(Clone, Debug, Serialize)]
struct Item(Option<(Way, Moment)>, PathBuf);

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match <(Option<(Way, Moment)>, PathBuf)>::deserialize(deserializer)? {
            (Some((way, Moment::ReadingTheArgument)), _) => way.go(),
            (how, folder) => Ok(Self(how, folder)),
        }
    }
}

/// The worker's process id. The value panics at the chosen place while it is serialised.
#[derive(Debug, PartialEq, Eq)]
struct Reply(u32, Option<Moment>);

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.1 {
            None => self.0.serialize(serializer),
            Some(Moment::HalfWayThroughTheBody) => {
                let mut parts = serializer.serialize_tuple(2)?;
                parts.serialize_element(&Bytes::from(vec![0; 5_000_000]))?;
                Way::Panic.go()
            }
            Some(_) => Way::Panic.go(),
        }
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(u32::deserialize(deserializer)?, None))
    }
}

fn task(Item(how, folder): Item) -> Reply {
    // The first call of a pool has the number 0, and this is the call whose worker ends.
    let part_of_an_answer = |length| raw::write(&raw::header(length, ANSWER, 0));
    match how {
        Some((way, Moment::InTheCall)) => way.go(),
        Some((Way::Panic, moment @ (Moment::AfterTheHeader | Moment::HalfWayThroughTheBody))) => {
            return Reply(0, Some(moment));
        }
        Some((way, Moment::AfterTheHeader)) => {
            part_of_an_answer(4);
            way.go()
        }
        Some((way, Moment::HalfWayThroughTheBody)) => {
            part_of_an_answer(10_000_000);
            raw::write(&vec![0; 5_000_000]);
            way.go()
        }
        Some((way, Moment::Idle)) => go_later(way, &folder),
        Some((_, Moment::ReadingTheArgument)) => unreachable!("it was not read"),
        None => {}
    }
    Reply(process::id(), None)
}

/// Leaves a thread behind that ends the worker when it is told to; by then the worker is idle.
fn go_later(way: Way, folder: &Path) {
    struct Gone(PathBuf);
    impl Drop for Gone {
        fn drop(&mut self) {
            let _ = fs::write(&self.0, "");
        }
    }
    let (told, gone) = (folder.join("told"), Gone(folder.join("gone")));
    thread::spawn(move || {
        let _gone = gone; // dropped by a panic, which is the end of this thread and no more
        until(|| told.exists().then_some(()));
        way.go()
    });
}

/// The text of a death by this way.
fn what_happened(way: Way) -> &'static str {
    match way {
        Way::Panic => "was killed by SIGABRT", // if panics abort
        Way::ExitZero => "exited with status 0",
        Way::ExitThree => "exited with status 3",
        Way::Abort => "was killed by SIGABRT",
        Way::InvalidWrite => "was killed by SIGSEGV",
        Way::Sigkill => "was killed by SIGKILL",
    }
}

/// The cases, each with a name such as `abort, in the call`.
pub fn cases() -> impl Iterator<Item = (String, impl FnOnce() + Send + 'static)> {
    let all = Way::ALL.into_iter().flat_map(|way| Moment::ALL.map(|moment| (way, moment)));
    all.map(|(way, moment)| (format!("matrix::{way:?}::{moment:?}"), move || one(way, moment)))
}

/// What a program may have done before it uses the pool.
#[derive(Clone, Copy, Debug)]
enum Surroundings {
    /// It began as root, and has become another user before the fork server was started.
    UserBefore,
    /// The same, after the fork server was started: the workers are root's.
    UserAfter,
    /// It has closed its standard descriptors.
    NoStandardDescriptors,
    /// It handles the usual signals, ignores others, and blocks others.
    Handlers,
}

impl Surroundings {
    fn enter(self) {
        match self {
            Self::UserBefore => become_another_user(),
            Self::UserAfter => {
                crate::ForkServer::start().unwrap();
                become_another_user();
            }
            // SAFETY: nobody uses these three numbers any more.
            Self::NoStandardDescriptors => (0..3).for_each(|number| unsafe {
                libc::close(number);
            }),
            Self::Handlers => {
                extern "C" fn handler(_: libc::c_int) {}
                for number in [libc::SIGTERM, libc::SIGCHLD, libc::SIGABRT, libc::SIGPIPE] {
                    // SAFETY: the handler does nothing.
                    unsafe { libc::signal(number, handler as *const () as usize) };
                }
                for number in [libc::SIGINT, libc::SIGHUP] {
                    // SAFETY: no handler is installed.
                    unsafe { libc::signal(number, libc::SIG_IGN) };
                }
                nix::sys::signal::SigSet::all().thread_block().unwrap();
            }
        }
    }
}

/// Only root can do this; for anybody else the case is the usual one.
fn become_another_user() {
    if nix::unistd::getuid().is_root() {
        nix::unistd::setuid(nix::unistd::Uid::from_raw(65_534)).unwrap();
        // The tests look into `/proc/self`, which the kernel closes for such a process.
        nix::sys::prctl::set_dumpable(true).unwrap();
    }
}

/// The whole matrix in other surroundings: a case for each way to end.
pub fn cases_elsewhere() -> impl Iterator<Item = (String, impl FnOnce() + Send + 'static)> {
    use Surroundings::*;
    let all = [UserBefore, UserAfter, NoStandardDescriptors, Handlers];
    let all = all.into_iter().flat_map(|around| Way::ALL.map(|way| (around, way)));
    all.map(|(around, way)| {
        let run = move || {
            around.enter();
            Moment::ALL.into_iter().for_each(|moment| one(way, moment));
        };
        (format!("matrix::{around:?}::{way:?}"), run)
    })
}

/// One item ends its worker, with other items before it, beside it and behind it. The end costs
/// this item and no other.
fn one(way: Way, moment: Moment) {
    let folder = tempfile::tempdir().unwrap();
    let pool = pool_of(2);
    let workers = pool.worker_pids();
    let is_caught = way == Way::Panic && cfg!(panic = "unwind");
    let item = |how| Item(how, folder.path().to_owned());
    let mut items = vec![item(None); 6];
    items[0] = item(Some((way, moment)));
    let mut answers = pool.map_each(task, items).into_iter();
    let first = answers.next().unwrap();
    for answer in answers {
        let Reply(pid, _) = answer.unwrap();
        assert_ne!(pid, process::id());
    }
    match (way, moment) {
        (_, Moment::Idle) => {
            let Reply(pid, _) = first.unwrap();
            fs::write(folder.path().join("told"), "").unwrap();
            if is_caught {
                until(|| folder.path().join("gone").exists().then_some(()));
            } else {
                until(|| is_gone(pid).then_some(()));
            }
        }
        (Way::Panic, _) if is_caught => {
            let error = first.unwrap_err();
            let TaskErrorKind::Panicked(panic) = error.kind() else { panic!("{error}") };
            assert_eq!(panic.message, "as it was asked to");
            assert!(panic.location.as_ref().unwrap().contains("processes/raw.rs:"), "{panic}");
            let reading = moment == Moment::ReadingTheArgument;
            assert_eq!(error.ran(), if reading { Ran::No } else { Ran::Yes });
        }
        _ => {
            let error = first.unwrap_err();
            assert_eq!(error.ran(), Ran::Unknown);
            let (pid, what) = (workers[0], what_happened(way));
            let start = format!("item 1: worker A (pid {pid}) {what} while it ran this item; ");
            let rest = error.to_string();
            let rest = rest.strip_prefix(&start).unwrap_or_else(|| panic!("{error}"));
            if way == Way::Panic {
                assert!(rest.starts_with("it had panicked: as it was asked to, at "), "{error}");
                assert!(rest.ends_with("; did the item run? unknown"), "{error}");
            } else {
                assert_eq!(rest, "did the item run? unknown");
            }
        }
    }
    works(&pool);
    let same = pool.worker_pids() == workers;
    assert_eq!(same, is_caught, "a caught panic is no death, and everything else is one");
}
