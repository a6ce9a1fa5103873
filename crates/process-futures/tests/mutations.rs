//! The soak sees what it is there to see: each case puts one fault into the pool
//! (`src/caller/mutation.rs`), runs the soak for three seconds, and expects the soak to find a fault,
//! to name it, and to end by itself. Without a fault, the soak finds none.
//!
//! The pool with faults is a build of its own, in a folder of its own below `target/`: this test's
//! own pool has no faults, and no other program gets one.

#![cfg(target_os = "linux")]

use one_change_tests::surroundings::{program, run};
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::sync::LazyLock;
use std::time::Duration;

/// How long each soak submits jobs.
const SECONDS: u64 = 3;

/// The time in which the soak has to find each fault.
const FOUND_WITHIN: Duration = Duration::from_secs(10);

/// For each case: the fault, how many chances make one fault (one means always), and which of the
/// soak's checks sees it. (Where there are two, chance decides which.)
macro_rules! faults {
    ($($(#[$what:meta])* $case:ident: $fault:literal => $($seen:literal)|+)*) => {
        $($(#[$what])* #[test] fn $case() { is_seen($fault, &[$($seen),+]); })*
    };
}

faults! {
    /// Every second answer is thrown away.
    an_answer_is_dropped: "drop/2" => "no client waits in vain"
    /// One answer of a thousand is thrown away.
    an_answer_is_dropped_rarely: "drop/1000" => "no client waits in vain"
    /// Every second answer is thrown away, and its worker is said to have died.
    an_answer_is_a_death: "lose/2" => "the soak has caused every error"
    /// One answer of a thousand is thrown away, and its worker is said to have died.
    an_answer_is_a_death_rarely: "lose/1000" => "the soak has caused every error"
    /// One answer of a hundred is thrown away, and the call is said to have taken too long.
    an_answer_is_a_time_out: "time-out/100" => "the soak has caused every error"
    /// Two answers are exchanged.
    answers_are_swapped: "swap/100" => "every answer is right" | "the soak has caused every error"
    /// One bit of an answer is changed.
    an_answer_is_changed: "garble/100" => "every answer is right" | "the soak has caused every error"
    /// A call is run twice; the second answer is not used.
    a_call_is_run_twice: "twice/100" => "no item ran twice"
    /// A call that was running when its worker died is run again.
    a_call_is_run_again: "again/3" => "no item ran twice"
    /// The calls that a dead worker had behind its running call fail too.
    the_calls_behind_fail: "behind/1" => "the soak has caused every error"
    /// The calls that a dead worker had behind its running call are forgotten.
    the_calls_behind_are_forgotten: "forget/1" => "no client waits in vain"
    /// A call whose worker died while it ran is said not to have run.
    a_call_is_said_not_to_have_run: "ran-no/10" => "the soak has caused every error"
    /// A time limit is over when half of it is over.
    a_time_limit_comes_early: "early/1" => "the soak has caused every error"
    /// A call that a worker has is said to be cancelled.
    a_running_call_is_cancelled: "cancel/10" => "what is said not to have run has not"
    /// A call is said to be cancelled, and ends as if nothing had happened.
    a_cancelled_call_goes_on: "cancel-in-vain/10" => "every answer is right" | "the soak has caused every error"
    /// The pool kills a worker for no reason.
    a_worker_is_killed: "kill/100" => "the soak has caused every error"
    /// After the first twenty workers, none is replaced.
    a_worker_is_not_replaced: "unreplaced/20" => "every dead worker is replaced"
    /// A descriptor stays open.
    a_descriptor_is_left: "descriptor/100" => "no descriptor is left"
    /// A child stays behind.
    a_child_is_left: "child/300" => "no child is left"
    /// A thread stays behind.
    a_thread_is_left: "thread/300" => "no thread is left"
    /// A thousand bytes of every tenth call stay behind.
    memory_is_left: "memory/10" => "memory is where it began"
}

#[test]
fn without_a_fault_the_soak_is_clean() {
    let (status, text) = soak(None);
    assert!(status.success(), "{text}");
}

/// Each fault that the pool can make has its case, and each case's fault is one that the pool can
/// make. (A case whose fault the pool does not know would fail: the soak would see nothing.)
#[test]
fn every_fault_has_its_case() {
    let read = |file| fs::read_to_string(root().join(file)).expect("a source");
    let pool = read("src/caller/mutation.rs") + &read("src/caller/lifecycle.rs");
    let names = |text: &str, before: &str, after: char| -> BTreeSet<String> {
        let rest = text.split(before).skip(1);
        let names = rest.filter_map(|rest| rest.split_once(after)).map(|(name, _)| name.to_owned());
        names.filter(|name| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-')).collect()
    };
    let known = &names(&pool, "strikes(\"", '"') | &names(&pool, "has_struck(\"", '"');
    assert!(known.len() > 15, "{known:?}");
    assert_eq!(names(&read("tests/mutations.rs"), ": \"", '/'), known);
}

/// The soak finds each fault within [`FOUND_WITHIN`], by its own plan: it submits jobs for `SECONDS`
/// after a first, short round, and then allows so many turns of its watch for whatever does not come
/// to its end. A soak that finds a fault ends by itself with status 1 (`is_seen`), so it has kept to
/// this plan.
///
/// The test adds up the plan, and measures nothing: on a busy machine a turn takes longer, as the
/// jobs do.
#[test]
fn the_soak_plans_to_find_each_fault_in_time() {
    let number = |file: &str, before: &str| -> u64 {
        let text = fs::read_to_string(root().join("examples/soak").join(file)).expect("a source");
        let rest = text.split(before).nth(1).unwrap_or_else(|| panic!("{file} has no {before}"));
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next();
        digits.and_then(|digits| digits.parse().ok()).expect("a number")
    };
    let turn = "fn turn(log: &Log) {\n    thread::sleep(Duration::from_millis(";
    let turns = number("ledger.rs", "const TURNS: u64 = ") * number("round.rs", turn);
    let settling = 1000 * number("check.rs", "start.elapsed() > Duration::from_secs(");
    let first = number("main.rs", "let first = Duration::from_millis(");
    let plan = Duration::from_millis(first + 1000 * SECONDS + turns.max(settling));
    assert!(plan <= FOUND_WITHIN, "{plan:?}");
}

fn is_seen(fault: &str, checks: &[&str]) {
    let (status, text) = soak(Some(fault));
    assert_eq!(status.code(), Some(1), "{text}");
    let says_no = |check: &&str| {
        let mut rests = text.lines().filter_map(|line| line.trim_start().strip_prefix(*check));
        rests.any(|rest| rest.trim_start().starts_with("NO "))
    };
    assert!(checks.iter().any(says_no), "not one of {checks:?} says NO: {text}");
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The soak on a pool that may have faults.
static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutations");
    let built = program(env!("CARGO"))
        .args(["build", "--offline", "--package", "process-futures", "--example", "soak"])
        .args(["--features", "mutations", "--target-dir"])
        .arg(&target)
        .current_dir(root())
        .output()
        .expect("cargo starts");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    target.join("debug/examples/soak")
});

/// Runs the soak with a fault. Returns its status and its text.
fn soak(fault: Option<&str>) -> (ExitStatus, String) {
    // In these surroundings no backtrace is asked for. A backtrace takes so long in a build that is
    // not optimised that most panicking jobs would be killed before they have panicked.
    let mut command = program(&*PROGRAM);
    command.args(["--seconds", &SECONDS.to_string()]);
    fault.map(|fault| command.env("PROCESS_FUTURES_MUTATION", fault));
    // This limit is for a soak that hangs, and allows for a busy machine.
    let output =
        run(&mut command, Duration::from_secs(120)).unwrap_or_else(|text| panic!("{text}"));
    (output.status, String::from_utf8(output.stdout).expect("text"))
}
