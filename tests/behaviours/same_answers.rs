//! For any items, every stage gives the same answers as the loop.

use crate::contract::workers;
use kernel::{Executor, Ran, TaskError, TaskErrorKind};
use one_change_tests::{Serial, Stage};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::hint::black_box;

/// An item that costs this much, and panics or does not.
type Item = (u16, bool);

fn task((cost, panics): Item) -> String {
    let sum: u64 = (0..u64::from(cost)).map(|n| black_box(n) % 7).sum();
    assert!(!panics, "a panic after {cost} steps");
    format!("{cost}: {sum}")
}

/// The comparable part of an item's outcome.
#[derive(Debug, PartialEq)]
enum End {
    Answer(String),
    Panic(usize, Ran, String),
    Other(String),
}

fn end(answer: Result<String, TaskError>) -> End {
    match answer {
        Ok(answer) => End::Answer(answer),
        Err(error) => match error.kind() {
            TaskErrorKind::Panicked(panic) => {
                End::Panic(error.index(), error.ran(), panic.message.clone())
            }
            other => End::Other(other.to_string()),
        },
    }
}

fn ends<E: Executor>(executor: &E, items: Vec<Item>) -> Vec<End> {
    executor.map_each(task, items).into_iter().map(end).collect()
}

/// All cases use one executor, so that each case begins where the last case ended.
fn hold<E: Executor>(stage: &Stage<E>, panics: impl Strategy<Value = bool>) {
    let config = Config { cases: 30, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let costs = prop_oneof![8 => 0..100_u16, 2 => 0..20_000_u16];
    let items = vec((costs, panics), 0..30);
    for number in [1, 2, 3] {
        let executor = (stage.make)(workers(number));
        let same = |items: Vec<Item>| {
            prop_assert_eq!(ends(&executor, items.clone()), ends(&Serial, items));
            Ok(())
        };
        runner.run(&items, same).unwrap();
    }
}

pub fn as_in_a_loop<E: Executor>(stage: &Stage<E>) {
    hold(stage, Just(false));
}

pub fn as_in_a_loop_with_panics<E: Executor>(stage: &Stage<E>) {
    hold(stage, proptest::bool::weighted(0.1));
}
