//! The list of cases, and the functions that the cases share.

mod completion;
mod crossings;
mod descriptors;
mod endings;
mod examples;
mod forks;
mod gate;
mod handles;
mod limits;
mod nested;
mod numbers;
mod scale;
mod shutdown;
mod statics;
mod streams;
mod threads;
mod workers;

use kernel::{Death, TaskError, TaskErrorKind};
use one_change_tests::own_process::{self, Case, Expect, Footprint};
use process_futures::{Builder, ProcessPoolExecutor};
use std::num::NonZeroUsize;
use std::process::ExitCode;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

pub fn main() -> ExitCode {
    if let Some(ended) = statics::main() {
        return ended;
    }
    macro_rules! cases {
        ([$($module:ident::$name:ident)*] [$($own_module:ident::$own_name:ident)*]) => {
            vec![
                $(Case {
                    name: format!("{}::{}", stringify!($module), stringify!($name)),
                    expect: Expect::Pass,
                    run: Box::new(|| {
                        process_futures::ForkServer::start().expect("the case has one thread");
                        let footprint = Footprint::now();
                        $module::$name();
                        footprint.assert_back();
                        until("the end of all threads", || {
                            fs::read_dir("/proc/self/task").is_ok_and(|tasks| tasks.count() == 1)
                        });
                    }),
                },)*
                $(Case {
                    name: format!("{}::{}", stringify!($own_module), stringify!($own_name)),
                    expect: Expect::Pass,
                    run: Box::new($own_module::$own_name),
                },)*
            ]
        };
    }
    own_process::main(cases! {[
        handles::an_answer_may_be_asked_for_again
        handles::a_panic_is_the_futures_error
        handles::a_death_is_the_futures_error
        handles::errors_count_the_calls
        handles::what_cannot_be_sent_has_failed_at_once
        handles::what_nobody_waits_for_runs
        handles::dropping_a_future_does_not_cancel
        handles::a_queued_call_can_be_cancelled
        handles::cancelling_wakes_who_waits
        handles::a_running_call_cannot_be_cancelled
        handles::a_call_that_has_ended_cannot_be_cancelled
        handles::clones_are_one_call
        handles::its_debug_text_tells_the_end
        handles::no_long_call_waits_on_the_word_of_tiny_ones
        handles::no_long_call_waits_on_the_word_of_those_before_a_pause
        handles::large_arguments_and_answers_at_once
        handles::it_works_after_every_kind_of_error

        limits::an_answer_in_time
        limits::a_queued_call_is_withdrawn
        limits::a_running_call_costs_its_worker
        limits::an_end_is_an_end_for_all
        limits::a_call_behind_another
        limits::no_time_at_all
        limits::they_are_no_deaths
        limits::of_a_map
        limits::of_a_map_in_chunks
        limits::of_a_map_that_keeps_them
        limits::to_wait_for_a_while_ends_nothing
        limits::a_look_moves_the_call_on

        completion::wait_for_all
        completion::wait_for_the_first
        completion::wait_for_the_first_error
        completion::a_cancelled_call_is_no_error
        completion::wait_for_nothing
        completion::wait_no_longer
        completion::wait_for_two_pools
        completion::as_they_end
        completion::as_they_have_ended
        completion::as_they_end_in_two_pools
        completion::what_is_given_twice_comes_once
        completion::waiting_reads_no_answer

        streams::in_order
        streams::in_the_order_of_their_ends
        streams::of_nothing
        streams::errors_do_not_end_it
        streams::the_source_is_read_to_its_end_at_once
        streams::the_buffer_bounds_the_reading
        streams::the_buffer_bounds_the_reading_in_chunks
        streams::without_an_end
        streams::a_long_one
        streams::chunks_of_all_sizes
        streams::a_panic_in_a_chunk
        streams::a_death_in_a_chunk
        streams::a_chunk_that_does_not_come_back
        streams::dropping_one_cancels_what_is_queued
        streams::dropping_one_that_was_never_asked
        streams::two_at_once
        streams::the_contract

        crossings::an_argument_that_panics_when_written
        crossings::an_answer_that_panics_when_read
        crossings::one_bad_item_in_a_chunk

        shutdown::it_runs_what_is_queued
        shutdown::it_cancels_what_is_queued
        shutdown::without_waiting
        shutdown::twice
        shutdown::before_any_call
        shutdown::no_call_comes_after_it
        shutdown::in_the_middle_of_submitting
        shutdown::dropping_waits_and_cancels
        shutdown::dropping_while_others_wait
        shutdown::killing_the_workers
        shutdown::killing_the_workers_before_any_call
        shutdown::a_map_outlives_the_pool

        endings::a_drop_with_a_limit
        endings::a_drop_within_its_limit
        endings::programs_that_tasks_start
        endings::killing_the_workers_while_the_pool_ends

        statics::without_a_wait_its_calls_are_lost
        statics::with_a_shutdown_its_calls_run

        workers::an_initializer_comes_first
        workers::an_initializer_in_each_that_comes_later
        workers::an_initializer_that_panics
        workers::an_initializer_that_panics_later
        workers::an_initializer_that_exits
        workers::an_initializer_that_is_killed
        workers::an_initializer_that_cannot_be_sent
        workers::a_new_one_for_each_call
        workers::a_new_one_after_some_calls
        workers::ten_thousand_of_them
        workers::their_deaths_are_put_up_with
        workers::so_many_and_no_more
        workers::one_is_too_many
        workers::killed_while_nobody_waits
        workers::killed_behind_our_back

        nested::a_worker_makes_no_pool
        nested::a_worker_waits_for_no_pool

        forks::of_futures
        forks::of_the_pool
        forks::of_what_is_dropped
        forks::of_a_wait
        forks::of_as_completed
        forks::of_a_map
        forks::in_the_middle_of_a_source
        forks::beside_threads_that_hold_locks

        numbers::of_time
        numbers::of_a_map
        numbers::of_calls_and_deaths
        numbers::of_workers

        scale::whose_pool_it_is_is_asked_once_for_many
        scale::as_completed_of_a_hundred_thousand
        scale::two_hundred_thousand_that_wait
        scale::a_map_of_a_hundred_thousand_whose_time_is_over
        scale::as_completed_keeps_no_answer
        scale::ten_times_as_many_cost_ten_times_as_much
        scale::a_million

        threads::many_submit_at_once
        threads::many_wait_for_one_future
        threads::the_driver_changes
        threads::one_waits_and_others_submit
        threads::all_ways_at_once

        descriptors::a_frame_with_descriptors_half_way
        descriptors::a_frame_without_its_descriptors
        descriptors::descriptors_that_nobody_can_take
        descriptors::descriptors_without_an_end
        descriptors::none_for_a_successor

        examples::the_tour
        examples::a_short_soak
        examples::a_soak_sees_what_is_off
        examples::a_soak_accepts_its_own_cancellations_and_time_limits_only
        examples::a_soak_accepts_its_own_deaths_only
    ] [
        endings::closed_standard_descriptors
        nested::a_fork_of_the_program_uses_no_pool
        handles::ran_is_the_truth_of_what_waits
    ]})
}

/// A builder for this many workers.
fn builder(workers: usize) -> Builder {
    ProcessPoolExecutor::builder().max_workers(count(workers))
}

/// A pool of this many workers.
fn pool(workers: usize) -> ProcessPoolExecutor {
    builder(workers).build().expect("a pool")
}

fn count(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("not zero")
}

/// Waits for something to happen. The long limit allows for a busy machine.
fn until(what: &str, mut there: impl FnMut() -> bool) {
    let start = Instant::now();
    while !there() {
        assert!(start.elapsed().as_secs() < 60, "it does not come: {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

/// Whether this process has ended. (The process may still wait to be reaped.)
fn is_gone(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .map_or(true, |stat| stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with('Z')))
}

fn kill(pid: u32) {
    let pid = nix::unistd::Pid::from_raw(pid as i32);
    nix::sys::signal::kill(pid, nix::sys::signal::Signal::SIGKILL).expect("it is there");
}

/// The text of a `Broken` error.
fn broken<R>(result: Result<R, TaskError>) -> String {
    match result.err().expect("an error").kind() {
        TaskErrorKind::Broken(why) => why.clone(),
        kind => panic!("it is not broken: {kind:?}"),
    }
}

fn death<R>(result: &Result<R, TaskError>) -> &Death {
    match result.as_ref().err().expect("an error").kind() {
        TaskErrorKind::WorkerDied(death) => death,
        kind => panic!("nobody died: {kind:?}"),
    }
}

fn is_cancelled<R>(result: &Result<R, TaskError>) -> bool {
    matches!(result, Err(error) if matches!(error.kind(), TaskErrorKind::Cancelled))
}

fn is_timed_out<R>(result: &Result<R, TaskError>) -> bool {
    matches!(result, Err(error) if matches!(error.kind(), TaskErrorKind::TimedOut))
}

// Tasks.

fn square(n: u64) -> u64 {
    n * n
}

fn my_pid((): ()) -> u32 {
    process::id()
}

fn no_luck(n: u64) -> u64 {
    panic!("no luck with {n}")
}

fn exit(status: i32) -> u64 {
    process::exit(status)
}

fn abort((): ()) -> u64 {
    process::abort()
}

fn sleep_for_ever((): ()) -> u64 {
    loop {
        thread::sleep(Duration::from_secs(3600));
    }
}

/// Squares an even number; an odd number panics.
fn square_even(n: u64) -> u64 {
    assert!(n.is_multiple_of(2), "no luck with {n}");
    n * n
}
