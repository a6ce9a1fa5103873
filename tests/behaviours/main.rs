//! Every behaviour on every stage: the promises of the contract, tested on each implementation.
//!
//! A behaviour is a function over any [`Stage`]; [`every_stage!`] and [`every_step!`] give the
//! stages, and each pair is a test named `stage::behaviour`. A promise that a stage is known to
//! lack is asserted to fail, in a test named `stage::behaviour::lacking`.

mod contract;
mod panics;
mod payloads;
mod processes_only;
mod same_answers;

use kernel::Executor;
use one_change_tests::own_process::{self, Case, Expect, Footprint};
use one_change_tests::surroundings::anywhere;
use one_change_tests::{Lack, Place, Stage, every_stage, every_step};
use std::env;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

/// One promise, and a test that a stage keeps it.
struct Behaviour<E> {
    name: &'static str,
    on: On,
    /// A stage that lacks none of these keeps the promise; a stage that lacks one breaks it.
    needs: &'static [Lack],
    test: fn(&Stage<E>),
}

/// The stages on which a behaviour makes sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    Everywhere,
    /// Stages with more than one worker.
    Parallel,
    /// Stages whose tasks run in other processes.
    OtherProcesses,
    /// The stages, not the steps.
    Stages,
}

/// The list: one line for each behaviour, with what it needs and where it makes sense.
fn behaviours<E: Executor>() -> Vec<Behaviour<E>> {
    macro_rules! list {
        ($($module:ident::$name:ident [$($lack:ident)*] $on:ident;)*) => {
            vec![$(Behaviour {
                name: stringify!($name),
                on: On::$on,
                needs: &[$(Lack::$lack),*],
                test: $module::$name,
            }),*]
        };
    }
    list! {
        contract::it_has_as_many_workers_as_asked_for [] Everywhere;
        contract::order_is_kept [] Everywhere;
        contract::no_item [] Everywhere;
        contract::one_item [] Everywhere;
        contract::more_items_than_workers [] Everywhere;
        contract::more_workers_than_items [] Everywhere;
        contract::uneven_costs [] Everywhere;
        contract::every_item_runs_once [] Everywhere;
        contract::tiny_items [CheapItems] Everywhere;
        contract::idle_takes_next [IdleTakesNext] Parallel;
        contract::other_types_one_after_the_other [] Everywhere;
        contract::two_at_once [] Everywhere;
        contract::one_on_each_of_two_threads [] Stages;

        panics::a_panic_is_an_error [] Everywhere;
        panics::a_panic_costs_one_item [PanicCostsOneItem] Everywhere;
        panics::a_panic_is_told_with_its_message [PanicMessage] Everywhere;
        panics::a_panic_whose_value_is_not_text [PanicMessage] Everywhere;
        panics::the_first_of_several_panics [PanicCostsOneItem] Everywhere;
        panics::the_other_items_run [PanicCostsOneItem] Everywhere;
        panics::used_again_after_panics [] Everywhere;

        payloads::large_argument_and_answer [] Everywhere;
        payloads::large_items_in_a_row [] Everywhere;
        payloads::nothing_at_all [] Everywhere;
        payloads::an_argument_that_cannot_be_written [] Everywhere;
        payloads::an_argument_that_cannot_be_read [] Everywhere;
        payloads::an_argument_that_is_not_read_to_its_end [] Stages;
        payloads::an_answer_that_cannot_be_written [NotSerialised] Everywhere;
        payloads::an_answer_that_cannot_be_read [] Everywhere;
        payloads::an_answer_that_is_not_read_to_its_end [] Stages;
        payloads::an_argument_that_panics_when_written [] Stages;
        payloads::an_argument_that_panics_when_read [] Stages;
        payloads::an_answer_that_panics_when_written [] Stages;
        payloads::an_answer_that_panics_when_read [] Stages;
        payloads::an_argument_that_is_refused_in_its_own_words [] Stages;
        payloads::an_answer_that_is_refused_in_its_own_words [] Stages;
        payloads::a_skipped_field_never_becomes_another_value [RightValues] Everywhere;
        payloads::a_path_that_is_not_text [] Stages;

        processes_only::a_panic_is_told_with_its_place [PanicLocation] OtherProcesses;
        processes_only::a_death_costs_one_item [DeathCostsOneItem] OtherProcesses;
        processes_only::the_dead_are_replaced [DeathCostsOneItem Replacement] OtherProcesses;
        processes_only::the_workers_stay [KeptWorkers] OtherProcesses;
        processes_only::threads_do_no_harm [SafeBesideThreads] OtherProcesses;
        processes_only::it_dies_with_the_program [DiesWithProgram] OtherProcesses;
        processes_only::descriptors_are_not_inherited [NoInheritedDescriptors] OtherProcesses;

        same_answers::as_in_a_loop [] Everywhere;
        same_answers::as_in_a_loop_with_panics [PanicCostsOneItem PanicMessage] Everywhere;
    }
}

/// A case for each behaviour that makes sense on this stage.
fn cases<E: Executor + 'static>(stage: Stage<E>, is_step: bool) -> Vec<Case> {
    let other_processes = matches!(stage.place, Place::Forks | Place::Processes);
    let all = behaviours::<E>();
    for lack in stage.lacks {
        // A promise that another lack breaks as well would say nothing about this lack.
        let shown = all.iter().any(|behaviour| {
            behaviour.needs.iter().filter(|need| stage.lacks.contains(need)).eq([lack])
        });
        assert!(shown, "{} lacks {lack:?}, and no behaviour shows it", stage.label);
    }
    let means_anything = |behaviour: &Behaviour<E>| match behaviour.on {
        On::Everywhere => true,
        On::Parallel => stage.place != Place::Caller,
        On::OtherProcesses => other_processes,
        On::Stages => !is_step,
    };
    all.into_iter()
        .filter(means_anything)
        .map(|Behaviour { name, needs, test, .. }| {
            let lacking = needs.iter().any(|need| stage.lacks.contains(need));
            Case {
                name: format!("{}::{name}{}", stage.label, if lacking { "::lacking" } else { "" }),
                expect: if lacking { Expect::Fail } else { Expect::Pass },
                run: Box::new(move || {
                    // Make the first executor while there is one thread: it starts the part of a
                    // stage that lives as long as the program (the fork server).
                    drop((stage.make)(NonZeroUsize::MIN));
                    let before = Footprint::now();
                    test(&stage);
                    before.assert_back();
                }),
            }
        })
        .collect()
}

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [flag, label, folder] = &arguments[..]
        && flag == processes_only::PROGRAM
    {
        every_stage!(stage => if stage.label == label {
            processes_only::program(&stage, Path::new(folder));
        });
        every_step!(step => if step.label == label {
            processes_only::program(&step, Path::new(folder));
        });
        return ExitCode::SUCCESS;
    }
    let mut all = vec![Case {
        name: "in_bad_surroundings".to_owned(),
        expect: Expect::Pass,
        // The pool's deaths, replacements and meetings.
        run: Box::new(|| anywhere(&["processes::the_"])),
    }];
    every_stage!(stage => all.extend(cases(stage, false)));
    every_step!(step => all.extend(cases(step, true)));
    own_process::main(all)
}
