//! The check of exercise 8: which thread has the lock during the work, and what happens to the
//! list.

use crate::map_pairs;
use crate::python::{List, attach, detached};
use checks::{Checks, LIMIT, Meeting, same, same_answers};
use kernel::{Pair, gcd};
use std::process::ExitCode;
use std::thread;

/// Checks `map_pairs`: its answers, and what other threads can do meanwhile.
pub fn run() -> ExitCode {
    let file = "lessons/08-escape-hatch/exercise/exercise.rs";
    let mut checks = Checks::of(8, "copy, then let go", file);
    checks.that("the answers are in the order of the list", || {
        let list = three();
        let answers = attach(|py| map_pairs(py, &list, gcd));
        same_answers("the gcds of (12, 18), (7, 21) and (5, 9)", &answers, &[6, 7, 1])?;
        let again = attach(|py| map_pairs(py, &list, gcd));
        same_answers("the same list again", &again, &[6, 7, 1])
    });
    checks.that("another thread has the lock while the work goes on", || {
        static MEETING: Meeting = Meeting::of(2);
        fn meet(pair: Pair) -> u64 {
            MEETING.attend();
            gcd(pair)
        }
        let list = three();
        thread::scope(|scope| {
            attach(|py| {
                scope.spawn(|| attach(|_| MEETING.attend()));
                map_pairs(py, &list, meet)
            })
        });
        if MEETING.most() == 2 {
            return Ok(());
        }
        Err("The work waited 5 seconds for a thread that needed only the lock.\n\
             Code that touches no Python object needs no lock: let go of it."
            .to_owned())
    });
    let sentence = "a change of the list meanwhile does not change the answers";
    let check = || {
        static MEETING: Meeting = Meeting::of(2);
        fn wait_for_the_change(pair: Pair) -> u64 {
            MEETING.attend();
            gcd(pair)
        }
        let list = three();
        let answers = thread::scope(|scope| {
            attach(|py| {
                let change = || {
                    attach(|py| list.clear(py));
                    MEETING.attend();
                };
                scope.spawn(change);
                map_pairs(py, &list, wait_for_the_change)
            })
        });
        same_answers("the answers, though the list was emptied", &answers, &[6, 7, 1])
    };
    checks.that_within(LIMIT, sentence, check, || {
        "Two threads wait for each other. The other thread has the lock,\n\
         and waits for the list, which your code still has borrowed. Your\n\
         code waits for the lock."
            .to_owned()
    });
    checks.that("map_pairs lets go once, and not once for each item", || {
        let (list, before) = (three(), detached());
        attach(|py| map_pairs(py, &list, gcd));
        same("how often map_pairs lets go for three items", &(detached() - before), &1)
    });
    checks.that("map_pairs does not let go for an empty list", || {
        let (list, before) = (List::of(Vec::new()), detached());
        let answers = attach(|py| map_pairs(py, &list, gcd));
        same_answers("no item at all", &answers, &[])?;
        same("how often map_pairs lets go for no item", &(detached() - before), &0)
    });
    checks.finish(
        "pyo3 has the same rule, and checks it in the same way: a value\n\
         that is not Send stays with the lock. In C two macros let go of\n\
         the lock and take it again, and no compiler checks the code\n\
         between them.",
    )
}

fn three() -> List {
    let pairs = [(12, 18), (7, 21), (5, 9)];
    List::of(pairs.map(|(a, b)| Pair::new(a, b).expect("none of them is 0")).to_vec())
}
