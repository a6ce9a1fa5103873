//! A panic of a task is an error of its item, and of no other item.

use crate::contract::{assert_squares, workers};
use kernel::{Executor, Ran, TaskError, TaskErrorKind};
use one_change_tests::Stage;
use std::fs::{self, File};
use std::panic::panic_any;
use std::path::PathBuf;

/// Panics on a 13, with the number in its message.
fn no_thirteen(n: u64) -> u64 {
    assert_ne!(n % 100, 13, "no luck with {n}");
    n
}

/// The message of the panic in this error.
fn message(error: &TaskError) -> &str {
    match error.kind() {
        TaskErrorKind::Panicked(panic) => &panic.message,
        other => panic!("not told as a panic: {other}"),
    }
}

pub fn a_panic_is_an_error<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(2));
    let error = executor.map(no_thirteen, vec![13]).unwrap_err();
    assert_eq!(error.index(), 0);
    assert!(error.to_string().starts_with("item 1: "), "{error}");
}

pub fn a_panic_costs_one_item<E: Executor>(stage: &Stage<E>) {
    let items: Vec<u64> = (10..20).collect();
    let answers = (stage.make)(workers(2)).map_each(no_thirteen, items.clone());
    assert_eq!(answers.len(), items.len());
    for (index, (answer, item)) in answers.into_iter().zip(items).enumerate() {
        match answer {
            Ok(answer) => assert_eq!(answer, item),
            Err(error) => assert_eq!((item, error.index()), (13, index), "{error}"),
        }
    }
}

pub fn a_panic_is_told_with_its_message<E: Executor>(stage: &Stage<E>) {
    let error = (stage.make)(workers(2)).map(no_thirteen, vec![13]).unwrap_err();
    assert!(message(&error).contains("no luck with 13"), "{error}");
    assert_eq!(error.ran(), Ran::Yes);
}

pub fn a_panic_whose_value_is_not_text<E: Executor>(stage: &Stage<E>) {
    fn throw(n: u64) {
        panic_any(n);
    }
    let error = (stage.make)(workers(2)).map(throw, vec![13]).unwrap_err();
    assert_eq!(message(&error), "a panic whose value is not text");
    assert_eq!(error.ran(), Ran::Yes);
}

pub fn the_first_of_several_panics<E: Executor>(stage: &Stage<E>) {
    let items = vec![1, 2, 113, 4, 213, 6, 7, 313];
    let error = (stage.make)(workers(3)).map(no_thirteen, items).unwrap_err();
    assert_eq!(error.index(), 2);
}

/// `map` gives one error, and still runs every item.
pub fn the_other_items_run<E: Executor>(stage: &Stage<E>) {
    /// Creates the file, and panics if the file's name is even.
    fn sign(file: PathBuf) {
        File::create_new(&file).expect("nobody has run this item");
        let number: u64 = file.file_name().unwrap().to_str().unwrap().parse().unwrap();
        assert_ne!(number % 2, 0);
    }
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..20).map(|item| folder.path().join(item.to_string())).collect();
    assert_eq!((stage.make)(workers(3)).map(sign, files).unwrap_err().index(), 0);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 20);
}

/// More panics than workers, so that some worker panics more than once, and then good items.
pub fn used_again_after_panics<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(2));
    for _ in 0..3 {
        let answers = executor.map_each(no_thirteen, vec![13; 10]);
        assert_eq!(answers.iter().filter(|answer| answer.is_err()).count(), 10);
        assert_squares(&executor, 10);
    }
}
