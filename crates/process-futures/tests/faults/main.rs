//! The cases of stage 4's pool that this pool has to pass as well: every way to die at every
//! moment, also where panics abort, a system that refuses, bytes that cross, and any bytes from a
//! worker.
//!
//! The case files are those of `crates/processes/tests/processes`; they take the pool under test
//! from `crate`. Two cases are left out: here a worker that dies idle may have been sent several
//! calls at once, and the pool cannot know whether the first call has begun
//! (`workers::killed_behind_our_back` in `tests/futures` tests this).

#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/builds.rs"]
#[allow(dead_code, reason = "the other cases are about the fork server, or need another example")]
mod builds;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/company.rs"]
#[allow(dead_code, reason = "what is the fork server's own is not asked twice")]
mod company;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/deaths.rs"]
#[allow(dead_code, reason = "two cases are left out")]
mod deaths;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/frames.rs"]
mod frames;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/help.rs"]
mod help;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/inherited.rs"]
#[allow(dead_code, reason = "what is the fork server's own is not asked twice")]
mod inherited;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/matrix.rs"]
mod matrix;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/raw.rs"]
mod raw;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/shortage.rs"]
mod shortage;
#[cfg(target_os = "linux")]
#[path = "../../../processes/tests/processes/traffic.rs"]
mod traffic;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("worker processes need Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use one_change_tests::own_process::{self, Case, Expect, Footprint};

    /// In `kept` the fork server is started beforehand, and the case must leave nothing behind.
    fn kept(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Case {
        let run = || {
            ForkServer::start().expect("the case has one thread");
            let footprint = Footprint::now();
            run();
            footprint.assert_back();
        };
        own(name, run)
    }
    /// A case in `own` starts the fork server and checks the leftovers by itself.
    fn own(name: impl Into<String>, run: impl FnOnce() + Send + 'static) -> Case {
        Case { name: name.into(), expect: Expect::Pass, run: Box::new(run) }
    }
    macro_rules! cases {
        ($how:ident: $($module:ident::$name:ident)*) => {
            vec![$($how(concat!(stringify!($module), "::", stringify!($name)), $module::$name),)*]
        };
    }
    let mut cases = cases! {
        kept:
            deaths::killed_while_it_ran_an_item
            deaths::killed_before_any_answer
            deaths::every_way_to_go
            deaths::a_grandchild_does_not_hide_a_death
            deaths::items_behind_a_dying_one_are_run
            deaths::too_many_in_a_row_break_the_pool
            deaths::answers_between_deaths_keep_the_pool
            deaths::the_next_pool_is_not_broken
            deaths::a_panic_has_message_and_place
            deaths::a_panic_with_no_text_and_a_panic_in_its_drop
            traffic::ten_megabytes_both_ways_at_once
            traffic::one_answer_of_many_megabytes
            traffic::tiny_items_by_the_hundred_thousand
            traffic::left_over_bytes_are_refused
            traffic::what_cannot_be_written_or_read
            traffic::over_the_limit
            traffic::functions_that_no_worker_has
            traffic::signals_in_the_middle
            company::rayon_in_the_program_and_in_a_task
            company::the_place_of_a_panic_is_its_own
            company::a_false_answer_to_the_next_call
            company::killed_while_ten_megabytes_are_on_their_way
            shortage::no_open_files_at_the_start
            shortage::as_many_workers_as_open_files
            shortage::no_open_files_for_a_replacement
            shortage::no_open_files_in_the_fork_server
            shortage::requests_that_cannot_be_sent
            shortage::calls_that_cannot_be_sent
            shortage::descriptors_that_nobody_asked_for
            shortage::fewer_open_files_than_workers
            inherited::a_worker_of_another_user
            inherited::a_task_that_closes_everything
            inherited::panics_that_cannot_unwind
            frames::any_bytes_are_survived_in_bounds
            frames::a_promise_of_a_gigabyte_costs_little
            frames::the_limit_holds_to_the_byte
    };
    cases.extend(cases! {
        own:
            deaths::a_backtrace_comes_if_it_is_asked_for
            company::a_thousand_signals_a_second
            shortage::no_fork_server
            shortage::no_worker_at_the_start
            shortage::no_replacement_for_one
            shortage::no_replacement_for_the_last
    });
    cases.push(own("builds::the_matrix_where_panics_abort", || {
        builds::matrix_where_panics_abort("futures-matrix");
    }));
    cases.extend(matrix::cases().map(|(name, run)| kept(name, run)));
    cases.extend(matrix::cases_elsewhere().map(|(name, run)| own(name, run)));
    own_process::main(cases)
}

#[cfg(target_os = "linux")]
use help::{is_gone, until, works};
#[cfg(target_os = "linux")]
use process_futures::{BuildError, ForkServer, ProcessPoolExecutor, StartError};

/// The pool under test.
#[cfg(target_os = "linux")]
type Pool = ProcessPoolExecutor;

/// A pool of this many workers.
#[cfg(target_os = "linux")]
fn pool_of(workers: usize) -> ProcessPoolExecutor {
    try_pool(workers).expect("a pool")
}

#[cfg(target_os = "linux")]
fn try_pool(workers: usize) -> Result<ProcessPoolExecutor, StartError> {
    let workers = std::num::NonZeroUsize::new(workers).unwrap();
    ProcessPoolExecutor::builder().max_workers(workers).build().map_err(|error| match error {
        BuildError::Start(error) => error,
        error => panic!("{error}"),
    })
}
