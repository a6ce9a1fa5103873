//! An error's `ran()`, compared with what really happened: each task touches a file, and `ran()`
//! must not contradict the file.

use crate::raw::{self, ANSWER, Way};
use crate::{pool_of, until, works};
use kernel::{Executor, Ran, TaskError, TaskErrorKind};
use nix::sys::signal::{Signal::SIGKILL, kill};
use nix::unistd::Pid;
use processes::{ForkServer, Workers, call};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, thread};

/// The fault of an item, and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Fault {
    UnwritableArgument,
    UnreadableArgument,
    PanicInTheArgument,
    DeathInTheArgument,
    Panic,
    Death,
    Nonsense,
    UnwritableAnswer,
    UnreadableAnswer,
    PanicInTheAnswer,
    DeathInTheAnswer,
}

use Fault::*;

struct Argument(Fault, PathBuf);

impl Serialize for Argument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UnwritableArgument => Err(serde::ser::Error::custom("it is not to be written")),
            fault => (fault, &self.1).serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Argument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (fault, file) = <(Fault, PathBuf)>::deserialize(deserializer)?;
        match fault {
            UnreadableArgument => Err(serde::de::Error::custom("it is not to be read")),
            PanicInTheArgument => Way::Panic.go(),
            DeathInTheArgument => Way::Sigkill.go(),
            _ => Ok(Self(fault, file)),
        }
    }
}

#[derive(Debug)]
struct Reply(Fault);

impl Serialize for Reply {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            UnwritableAnswer => Err(serde::ser::Error::custom("it is not to be written")),
            PanicInTheAnswer => Way::Panic.go(),
            DeathInTheAnswer => Way::Sigkill.go(),
            fault => fault.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Reply {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Fault::deserialize(deserializer)? {
            UnreadableAnswer => Err(serde::de::Error::custom("it is not to be read")),
            fault => Ok(Self(fault)),
        }
    }
}

fn touch(Argument(fault, file): Argument) -> Reply {
    fs::write(file, "it ran").unwrap();
    match fault {
        Panic => Way::Panic.go(),
        Death => Way::Sigkill.go(),
        Nonsense => {
            raw::write(&raw::header(u32::MAX, ANSWER, 0));
            Way::Sigkill.go()
        }
        fault => Reply(fault),
    }
}

/// What the error says, and whether the file is there.
fn said(error: &TaskError, file: &Path) -> (&'static str, Ran, bool) {
    let kind = match error.kind() {
        TaskErrorKind::Panicked(_) => "panicked",
        TaskErrorKind::WorkerDied(_) => "died",
        TaskErrorKind::NotSerialised(_) => "not serialised",
        TaskErrorKind::NotDeserialised(_) => "not deserialised",
        TaskErrorKind::NotInTemplate => "not in the template",
        TaskErrorKind::Broken(_) => "broken",
        kind => panic!("{kind}"),
    };
    (kind, error.ran(), file.exists())
}

pub fn ran_is_the_truth() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("touched");
    for (fault, kind, ran, touched) in [
        (UnwritableArgument, "not serialised", Ran::No, false),
        (UnreadableArgument, "not deserialised", Ran::No, false),
        (PanicInTheArgument, "panicked", Ran::No, false),
        (Panic, "panicked", Ran::Yes, true),
        (UnwritableAnswer, "not serialised", Ran::Yes, true),
        (UnreadableAnswer, "not deserialised", Ran::Yes, true),
        (PanicInTheAnswer, "panicked", Ran::Yes, true),
        // A dead worker cannot say whether the task ran, and the file shows that both cases happen.
        (DeathInTheArgument, "died", Ran::Unknown, false),
        (Death, "died", Ran::Unknown, true),
        (DeathInTheAnswer, "died", Ran::Unknown, true),
        (Nonsense, "not deserialised", Ran::Unknown, true),
    ] {
        let pool = pool_of(1);
        let argument = Argument(fault, file.clone());
        let error = pool.map(touch, vec![argument]).unwrap_err();
        assert_eq!(said(&error, &file), (kind, ran, touched), "{fault:?}: {error}");
        works(&pool);
        let _ = fs::remove_file(&file);
    }
}

fn touch_and_wait(file: PathBuf) {
    fs::write(file, "it ran").unwrap();
    thread::sleep(Duration::from_secs(1000));
}

/// `ran()` is true for calls that no worker gets: refused calls, and calls that come too late.
pub fn ran_is_the_truth_of_what_waits() {
    let folder = tempfile::tempdir().unwrap();
    let files = ["runs", "behind", "late", "foreign"].map(|name| folder.path().join(name));
    let [runs, behind, late, foreign] = &files;
    let mut workers = Workers::new(NonZeroUsize::MIN).unwrap();
    let mut ended = Vec::new();
    let submit = |workers: &mut Workers, file: &PathBuf| {
        workers.submit(call(touch_and_wait, file).unwrap());
    };
    submit(&mut workers, runs);
    submit(&mut workers, behind);
    let mut poll = |workers: &mut Workers, until_there: &dyn Fn(usize) -> bool| {
        until(|| {
            for call in workers.poll(Some(Duration::from_millis(1))) {
                let (ran, kind) = call.outcome.unwrap_err();
                ended.push(TaskError::new(call.task as usize, ran, kind));
            }
            until_there(ended.len()).then_some(())
        });
    };
    poll(&mut workers, &|_| runs.exists());
    let server = ForkServer::start().unwrap().pid();
    kill(Pid::from_raw(server as i32), SIGKILL).unwrap();
    poll(&mut workers, &|ended| ended == 2);
    submit(&mut workers, late);
    poll(&mut workers, &|ended| ended == 3);
    ended.sort_by_key(TaskError::index);
    for (error, (file, expected)) in ended.iter().zip([
        (runs, ("died", Ran::Unknown, true)),
        (behind, ("broken", Ran::No, false)),
        (late, ("broken", Ran::No, false)),
    ]) {
        assert_eq!(said(error, file), expected, "{error}");
    }
    let address = libc::getpid as *const ();
    // SAFETY: the function is never called, as the test checks.
    let elsewhere = unsafe { std::mem::transmute::<*const (), fn(PathBuf)>(address) };
    let kind = call(elsewhere, foreign).unwrap_err();
    let error = TaskError::new(0, Ran::No, kind);
    assert_eq!(said(&error, foreign), ("not in the template", Ran::No, false));
}

/// A panic's error has message, place and backtrace, as its caller reads them.
pub fn a_panic_is_told_whole() {
    // SAFETY: this process has one thread.
    unsafe { std::env::set_var("RUST_BACKTRACE", "1") };
    fn unlucky(n: u64) -> u64 {
        assert_ne!(n, 13, "no luck with {n}");
        n
    }
    let error = pool_of(2).map(unlucky, vec![1, 13]).unwrap_err().to_string();
    let (head, backtrace) = error.split_once("\nthe worker's backtrace:\n").expect("a backtrace");
    assert!(head.starts_with("item 2: the task panicked: "), "{head}");
    assert!(head.contains("no luck with 13"), "{head}");
    assert!(head.contains("processes/errors.rs:"), "{head}");
    assert!(backtrace.contains("unlucky") && backtrace.contains("serve"), "{backtrace}");
}

pub fn dropping_waits_for_what_runs_and_cancels_what_waits() {
    fn leave_marks(file: PathBuf) {
        fs::write(file.with_extension("begun"), "").unwrap();
        thread::sleep(Duration::from_millis(300));
        fs::write(file.with_extension("ended"), "").unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let mark = |item: i32, end: &str| folder.path().join(item.to_string()).with_extension(end);
    let mut workers = Workers::new(NonZeroUsize::new(2).unwrap()).unwrap();
    for item in 0..4 {
        workers.submit(call(leave_marks, &folder.path().join(item.to_string())).unwrap());
    }
    until(|| {
        let ended = workers.poll(Some(Duration::from_millis(1)));
        assert!(ended.is_empty(), "the tasks sleep");
        (mark(0, "begun").exists() && mark(1, "begun").exists()).then_some(())
    });
    drop(workers);
    assert!(mark(0, "ended").exists() && mark(1, "ended").exists());
    assert!(!mark(2, "begun").exists() && !mark(3, "begun").exists());
}
