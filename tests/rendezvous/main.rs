//! A test for every stage, without a clock: is it parallel?
//!
//! As many items as workers try to meet, and each item waits for the others: on a parallel stage
//! all items meet, in a loop the first item waits alone. With one worker fewer than items, the
//! tests assert that the items do not meet; otherwise a meeting would prove nothing. Every test
//! runs a second time on a single core, because a meeting shows that items are in progress at once,
//! and one core is enough for that.

use kernel::Executor;
use one_change_tests::meeting::{WHERE_THEY_MUST_MEET, WHERE_THEY_MUST_NOT, guests, meet};
use one_change_tests::own_process::{self, Case, Expect, Footprint};
use one_change_tests::{Place, Stage, every_stage, every_step};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::Duration;

/// For each of so many items, whether it met all the others.
fn meeting<E: Executor>(executor: &E, items: usize, patience: Duration) -> Vec<bool> {
    let folder = tempfile::tempdir().expect("a place to meet");
    executor.map(meet, guests(folder.path(), items, patience)).expect("every item has an answer")
}

fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("a number of workers")
}

fn two_meet_on_two_workers<E: Executor>(stage: &Stage<E>) {
    assert_eq!(meeting(&(stage.make)(workers(2)), 2, WHERE_THEY_MUST_MEET), [true; 2]);
}

fn five_meet_on_five_workers<E: Executor>(stage: &Stage<E>) {
    assert_eq!(meeting(&(stage.make)(workers(5)), 5, WHERE_THEY_MUST_MEET), [true; 5]);
}

fn two_do_not_meet_on_one_worker<E: Executor>(stage: &Stage<E>) {
    assert_eq!(meeting(&(stage.make)(workers(1)), 2, WHERE_THEY_MUST_NOT), [false; 2]);
}

fn five_do_not_meet_on_four_workers<E: Executor>(stage: &Stage<E>) {
    assert_eq!(meeting(&(stage.make)(workers(4)), 5, WHERE_THEY_MUST_NOT), [false; 5]);
}

/// A pool that hands out several tiny items at a time must stop doing so.
fn they_meet_after_tiny_items<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(3));
    for _ in 0..3 {
        executor.map(|n: u64| n, (0..300).collect()).expect("every item has an answer");
        assert_eq!(meeting(&executor, 3, WHERE_THEY_MUST_MEET), [true; 3]);
    }
}

/// A loop has one worker, whatever number is asked for.
fn in_a_loop_nobody_meets<E: Executor>(stage: &Stage<E>) {
    assert_eq!(meeting(&(stage.make)(workers(2)), 2, WHERE_THEY_MUST_NOT), [false; 2]);
}

fn cases<E: Executor + 'static>(stage: Stage<E>) -> Vec<Case> {
    type Test<E> = (&'static str, fn(&Stage<E>));
    let parallel: [Test<E>; 5] = [
        ("two_meet_on_two_workers", two_meet_on_two_workers),
        ("five_meet_on_five_workers", five_meet_on_five_workers),
        ("two_do_not_meet_on_one_worker", two_do_not_meet_on_one_worker),
        ("five_do_not_meet_on_four_workers", five_do_not_meet_on_four_workers),
        ("they_meet_after_tiny_items", they_meet_after_tiny_items),
    ];
    let alone: [Test<E>; 1] = [("in_a_loop_nobody_meets", in_a_loop_nobody_meets)];
    let tests = if stage.place == Place::Caller { &alone[..] } else { &parallel[..] };
    let mut cases = Vec::new();
    for &(name, test) in tests {
        for (suffix, prepare) in [("", as_it_is as fn()), ("::on_one_core", stay_on_one_core)] {
            cases.push(Case {
                name: format!("{}::{name}{suffix}", stage.label),
                expect: Expect::Pass,
                run: Box::new(move || {
                    prepare();
                    drop((stage.make)(NonZeroUsize::MIN)); // starts the parts that stay (the fork server)
                    let before = Footprint::now();
                    test(&stage);
                    before.assert_back();
                }),
            });
        }
    }
    cases
}

fn as_it_is() {}

/// Binds this process to one core, and with it all threads and processes that it starts from now
/// on.
#[cfg(target_os = "linux")]
fn stay_on_one_core() {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).expect("the cores that this process may use");
    let first = (0..CpuSet::count())
        .find(|&core| allowed.is_set(core).expect("a core's number"))
        .expect("a process may use one core at least");
    let mut one = CpuSet::new();
    one.set(first).expect("a core's number");
    sched_setaffinity(this, &one).expect("a process may bind itself");
    assert_eq!(std::thread::available_parallelism().ok(), Some(NonZeroUsize::MIN));
}

/// On systems other than Linux the process is not bound, and the meeting runs on all cores.
#[cfg(not(target_os = "linux"))]
fn stay_on_one_core() {}

fn main() -> ExitCode {
    let mut all = Vec::new();
    every_stage!(stage => all.extend(cases(stage)));
    every_step!(step => all.extend(cases(step)));
    own_process::main(all)
}
