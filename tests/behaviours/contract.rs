//! The promises of every stage about order, number and life.

use kernel::{Executor, Pair, gcd, ten_pairs};
use one_change_tests::Stage;
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

pub fn workers(number: usize) -> NonZeroUsize {
    NonZeroUsize::new(number).expect("a number of workers")
}

/// The task of the tests in which the task does not matter.
pub fn square(n: u64) -> u64 {
    n * n
}

/// Asserts that so many workers answer so many items, each in its place.
pub fn assert_squares<E: Executor>(executor: &E, items: u64) {
    let answers = executor.map(square, (0..items).collect()).expect("every item has an answer");
    assert_eq!(answers, (0..items).map(square).collect::<Vec<_>>());
}

pub fn it_has_as_many_workers_as_asked_for<E: Executor>(stage: &Stage<E>) {
    use one_change_tests::Place;
    for number in [1, 2, 5] {
        let expected = if stage.place == Place::Caller { 1 } else { number };
        assert_eq!((stage.make)(workers(number)).workers(), workers(expected));
    }
}

/// Neighbours take different times, so that no stage keeps the order by luck.
pub fn order_is_kept<E: Executor>(stage: &Stage<E>) {
    fn slow_square(n: u64) -> u64 {
        thread::sleep(Duration::from_millis(n * 7 % 5));
        square(n)
    }
    for number in [1, 2, 3] {
        let answers = (stage.make)(workers(number)).map(slow_square, (0..50).collect()).unwrap();
        assert_eq!(answers, (0..50).map(square).collect::<Vec<_>>());
    }
}

pub fn no_item<E: Executor>(stage: &Stage<E>) {
    let executor = (stage.make)(workers(2));
    assert_squares(&executor, 0);
    assert!(executor.map_each(square, vec![]).is_empty());
    assert_squares(&executor, 3);
}

pub fn one_item<E: Executor>(stage: &Stage<E>) {
    for number in [1, 2] {
        assert_squares(&(stage.make)(workers(number)), 1);
    }
}

pub fn more_items_than_workers<E: Executor>(stage: &Stage<E>) {
    // 23 is a prime number, and no chunks of it are all alike.
    assert_squares(&(stage.make)(workers(3)), 23);
}

pub fn more_workers_than_items<E: Executor>(stage: &Stage<E>) {
    // With ten items and nine workers, chunks that are rounded up leave four workers with nothing.
    let executor = (stage.make)(workers(9));
    for items in [2, 8, 9, 10] {
        assert_squares(&executor, items);
    }
}

/// The first items end last.
pub fn uneven_costs<E: Executor>(stage: &Stage<E>) {
    fn wait(milliseconds: u64) -> u64 {
        thread::sleep(Duration::from_millis(milliseconds));
        milliseconds
    }
    let executor = (stage.make)(workers(3));
    let costs = vec![40, 1, 30, 2, 20, 3, 10, 4, 0, 0];
    assert_eq!(executor.map(wait, costs.clone()).unwrap(), costs);
    assert_eq!(executor.map(gcd, ten_pairs()).unwrap(), [1, 1, 5, 1, 32, 1, 14, 9, 1, 9]);
}

pub fn every_item_runs_once<E: Executor>(stage: &Stage<E>) {
    /// Fails if the file is there already.
    fn sign(file: PathBuf) {
        File::create_new(file).expect("nobody has run this item");
    }
    let folder = tempfile::tempdir().unwrap();
    let files: Vec<PathBuf> = (0..40).map(|item| folder.path().join(item.to_string())).collect();
    assert_eq!((stage.make)(workers(3)).map(sign, files).unwrap().len(), 40);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 40);
}

pub fn tiny_items<E: Executor>(stage: &Stage<E>) {
    assert_squares(&(stage.make)(workers(2)), 100_000);
}

/// The first of sixteen items waits until all the others have run. A worker that was assigned this
/// item and others beforehand would wait for itself.
pub fn idle_takes_next<E: Executor>(stage: &Stage<E>) {
    #[derive(Serialize, Deserialize)]
    struct Item {
        folder: PathBuf,
        number: usize,
        of: usize,
    }
    fn first_waits(item: Item) -> usize {
        if item.number > 0 {
            File::create(item.folder.join(item.number.to_string())).unwrap();
        } else {
            let start = Instant::now();
            while fs::read_dir(&item.folder).unwrap().count() < item.of - 1 {
                assert!(start.elapsed() < Duration::from_secs(30), "the others do not run");
                thread::sleep(Duration::from_millis(1));
            }
        }
        item.number
    }
    let folder = tempfile::tempdir().unwrap();
    let items = (0..16).map(|number| Item { folder: folder.path().into(), number, of: 16 });
    let answers = (stage.make)(workers(2)).map(first_waits, items.collect()).unwrap();
    assert_eq!(answers, (0..16).collect::<Vec<_>>());
}

pub fn other_types_one_after_the_other<E: Executor>(stage: &Stage<E>) {
    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    enum Shape {
        Dot,
        Circle { radius: f64 },
        Named(String, Option<Box<Shape>>),
    }
    let executor = (stage.make)(workers(2));
    assert_squares(&executor, 5);
    let words = vec!["one".to_owned(), String::new(), "drei ß".to_owned()];
    assert_eq!(executor.map(|word: String| word.len(), words.clone()).unwrap(), [3, 0, 7]);
    assert_eq!(executor.map(|word: String| word.to_uppercase(), words).unwrap()[2], "DREI SS");
    let dot = Shape::Named("dot".into(), Some(Box::new(Shape::Dot)));
    let shapes = vec![Shape::Dot, Shape::Circle { radius: -0.5 }, dot];
    assert_eq!(executor.map(|shape: Shape| shape, shapes.clone()).unwrap(), shapes);
    let pairs = vec![Pair::new(12, 18).unwrap()];
    assert_eq!(
        executor.map(|pair: Pair| (gcd(pair), pair), pairs.clone()).unwrap(),
        [(6, pairs[0])]
    );
    let results = executor.map(|n: i8| if n < 0 { Err(n) } else { Ok([n; 3]) }, vec![-1, 1]);
    assert_eq!(results.unwrap(), [Err(-1), Ok([1; 3])]);
    assert_squares(&executor, 5);
}

pub fn two_at_once<E: Executor>(stage: &Stage<E>) {
    let one = (stage.make)(workers(2));
    let other = (stage.make)(workers(3));
    assert_squares(&one, 7);
    assert_squares(&other, 8);
    assert_squares(&one, 9);
    drop(one);
    assert_squares(&other, 10);
    let third = (stage.make)(workers(2));
    drop(other);
    assert_squares(&third, 11);
}

pub fn one_on_each_of_two_threads<E: Executor>(stage: &Stage<E>) {
    let make = stage.make;
    thread::scope(|scope| {
        for number in [2, 3] {
            scope.spawn(move || {
                for items in 0..20 {
                    let executor = make(workers(number));
                    assert_squares(&executor, items);
                    assert_squares(&executor, 2 * items);
                }
            });
        }
    });
}
