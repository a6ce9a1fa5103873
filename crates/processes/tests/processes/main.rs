//! The process pool under fire: what the pool refuses, what it survives, what it leaves behind.
//!
//! `tests/behaviours` tests the promises of all stages. The cases here concern only this stage:
//! which process may fork when, what each kind of death costs, and bytes that cross.
//!
//! Each case runs in a process of its own, with a limit on its time
//! (`one_change_tests::own_process`), and the fork server is started on the case's only thread.

#[cfg(target_os = "linux")]
mod builds;
#[cfg(target_os = "linux")]
mod company;
#[cfg(target_os = "linux")]
mod deaths;
#[cfg(target_os = "linux")]
mod errors;
#[cfg(target_os = "linux")]
mod fork_server;
#[cfg(target_os = "linux")]
mod frames;
#[cfg(target_os = "linux")]
mod help;
#[cfg(target_os = "linux")]
mod inherited;
#[cfg(target_os = "linux")]
mod isolation;
#[cfg(target_os = "linux")]
mod matrix;
#[cfg(target_os = "linux")]
mod raw;
#[cfg(target_os = "linux")]
mod shortage;
#[cfg(target_os = "linux")]
mod terminal;
#[cfg(target_os = "linux")]
mod traffic;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("worker processes need Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use one_change_tests::own_process::{self, Case, Expect, Footprint};

    if isolation::is_a_program_to_be_killed() {
        isolation::program_to_be_killed();
    }
    if inherited::is_a_program_with_exit_handlers() {
        inherited::a_program_with_exit_handlers();
    }
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
    /// Makes a case of each function.
    macro_rules! cases {
        ($how:ident: $($module:ident::$name:ident)*) => {
            vec![$($how(concat!(stringify!($module), "::", stringify!($name)), $module::$name),)*]
        };
    }
    let mut cases = cases! {
        kept:
            fork_server::a_pool_may_be_made_beside_threads_once_it_runs
            fork_server::a_worker_has_no_pool
            deaths::killed_while_it_ran_an_item
            deaths::killed_while_idle
            deaths::all_killed_while_idle
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
            shortage::no_open_files_at_the_start
            shortage::as_many_workers_as_open_files
            shortage::no_open_files_for_a_replacement
            shortage::no_open_files_in_the_fork_server
            shortage::requests_that_cannot_be_sent
            shortage::calls_that_cannot_be_sent
            shortage::descriptors_that_nobody_asked_for
            errors::ran_is_the_truth
            errors::dropping_waits_for_what_runs_and_cancels_what_waits
            frames::any_bytes_are_survived_in_bounds
            frames::a_promise_of_a_gigabyte_costs_little
            frames::the_limit_holds_to_the_byte
            company::rayon_in_the_program_and_in_a_task
            company::ctrl_c_in_a_program_that_a_task_starts
            company::the_place_of_a_panic_is_its_own
            company::a_false_answer_to_the_next_call
            company::killed_while_ten_megabytes_are_on_their_way
            builds::a_library_that_is_opened_late
            isolation::a_worker_has_its_socket_and_nothing_else
            isolation::input_is_empty
            isolation::ctrl_c_is_for_the_program
            isolation::a_fork_of_the_program_keeps_its_hands_off
            isolation::calls_outstanding_at_a_fork
            inherited::programs_that_tasks_start
            inherited::a_worker_of_another_user
            inherited::a_task_that_closes_everything
            inherited::panics_that_cannot_unwind
            shortage::fewer_open_files_than_workers
            deaths::the_limit_of_deaths_is_a_choice
    };
    cases.extend(cases! {
        own:
            fork_server::killed_while_idle
            fork_server::killed_while_workers_run
            deaths::a_backtrace_comes_if_it_is_asked_for
            shortage::no_fork_server
            shortage::no_worker_at_the_start
            shortage::no_replacement_for_one
            shortage::no_replacement_for_the_last
            errors::ran_is_the_truth_of_what_waits
            errors::a_panic_is_told_whole
            company::a_pool_in_a_lazy_static
            company::a_thousand_signals_a_second
            company::rayon_before_the_fork_server
            company::workers_have_seeds_of_their_own
            company::a_seed_from_before_the_start_is_shared
            builds::panics_that_abort
            terminal::ctrl_c_ends_all
            builds::the_matrix_where_panics_abort
            inherited::handlers_are_the_programs_alone
            inherited::ignored_signals_stay_ignored
            inherited::workers_are_as_the_program_was
            inherited::closed_standard_descriptors
            inherited::closed_standard_descriptors_at_the_start
            inherited::exit_handlers_and_c_streams
            inherited::aborting_panics_are_printed
            isolation::a_partial_line_is_printed_once
            isolation::lines_of_four_workers_stay_whole
            isolation::nothing_outlives_the_program
            isolation::nothing_of_another_user_outlives_the_program
    });
    // `cargo test` in the background of a script once failed here: Ctrl-C is ignored there.
    cases.push(own("in_bad_surroundings", || {
        for some in ["terminal::", "isolation::"] {
            one_change_tests::surroundings::anywhere(&[some]);
        }
    }));
    cases.extend(matrix::cases().map(|(name, run)| kept(name, run)));
    cases.extend(matrix::cases_elsewhere().map(|(name, run)| own(name, run)));
    own_process::main(cases)
}

#[cfg(target_os = "linux")]
use help::{is_gone, until, works};
#[cfg(target_os = "linux")]
use processes::{ForkServer, ProcessPool, StartError};

#[cfg(target_os = "linux")]
type Pool = ProcessPool;

/// A pool of this many workers.
#[cfg(target_os = "linux")]
fn pool_of(workers: usize) -> ProcessPool {
    try_pool(workers).expect("a pool")
}

#[cfg(target_os = "linux")]
fn try_pool(workers: usize) -> Result<ProcessPool, StartError> {
    ProcessPool::new(std::num::NonZeroUsize::new(workers).unwrap())
}
