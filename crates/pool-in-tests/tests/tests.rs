//! The tests of `words`: the fork server first, then the harness, which has threads.

use libtest_mimic::{Arguments, Failed, Trial};
use pool_in_tests::words;
use processes::ForkServer;

fn main() {
    if cfg!(not(target_os = "linux")) {
        println!("worker processes need Linux: nothing to test here");
        return;
    }
    // Before anything that may start a thread. All pools of all tests use this server.
    ForkServer::start().expect("main has one thread");
    let tests = vec![
        Trial::test("every_text_is_counted", every_text_is_counted),
        Trial::test("a_text_that_ends_its_worker_costs_one_answer", one_answer_is_lost),
    ];
    libtest_mimic::run(&Arguments::from_args(), tests).exit();
}

fn every_text_is_counted() -> Result<(), Failed> {
    let counts: Result<Vec<usize>, _> = words(texts(["one", "one two", ""]))?.into_iter().collect();
    assert_eq!(counts?, [1, 2, 0]);
    Ok(())
}

fn one_answer_is_lost() -> Result<(), Failed> {
    let counts = words(texts(["one two", "\0", "one two three"]))?;
    let counts: Vec<Option<usize>> = counts.into_iter().map(Result::ok).collect();
    assert_eq!(counts, [Some(2), None, Some(3)]);
    Ok(())
}

fn texts(texts: [&str; 3]) -> Vec<String> {
    texts.map(str::to_owned).into()
}
