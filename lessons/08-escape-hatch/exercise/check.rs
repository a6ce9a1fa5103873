//! The check of exercise 8: who has the lock while the work goes on, and what happens to the list.

use crate::map_pairs;
use crate::python::{List, attach, detached};
use checks::{Checks, LIMIT, Meeting, same, same_answers};
use kernel::{Pair, gcd};
use std::process::ExitCode;
use std::thread;

/// Looks at `map_pairs`: its answers, and what other threads can do meanwhile.
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
        Err("The work waited 5 seconds for a thread that needed nothing but the lock.\n\
             Who does not touch Python's things does not need it: let go."
            .to_owned())
    });
    let sentence = "the list may change meanwhile: what counts is what was in it";
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
        "Two threads wait for each other. The other has the lock, and waits for the\n\
         list that you have borrowed still. You wait for the lock."
            .to_owned()
    });
    checks.that("it lets go once, and not once for each item", || {
        let (list, before) = (three(), detached());
        attach(|py| map_pairs(py, &list, gcd));
        same("how often it lets go for three items", &(detached() - before), &1)
    });
    checks.that("for an empty list it does not let go", || {
        let (list, before) = (List::of(Vec::new()), detached());
        let answers = attach(|py| map_pairs(py, &list, gcd));
        same_answers("no item at all", &answers, &[])?;
        same("how often it lets go for no item", &(detached() - before), &0)
    });
    checks.finish(
        "pyo3 asks for the same in the same way: what is not Send stays with the\n\
         lock. In C it is two macros, and nobody checks what stands between them.",
    )
}

fn three() -> List {
    let pairs = [(12, 18), (7, 21), (5, 9)];
    List::of(pairs.map(|(a, b)| Pair::new(a, b).expect("none of them is 0")).to_vec())
}
