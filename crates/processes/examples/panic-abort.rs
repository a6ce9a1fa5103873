//! A program whose panics abort, if it is built that way (`tests/processes/builds.rs` does it): then
//! a task that panics is a worker that dies.

use kernel::Executor;
use std::num::NonZeroUsize;

fn unlucky(n: u64) -> u64 {
    assert_ne!(n, 13, "no luck with {n}");
    n
}

fn main() {
    println!("{}", if cfg!(panic = "abort") { "panics abort" } else { "panics unwind" });
    let pool = processes::ProcessPool::new(NonZeroUsize::new(2).unwrap()).expect("one thread");
    for answer in pool.map_each(unlucky, vec![1, 13, 2]) {
        match answer {
            Ok(answer) => println!("{answer}"),
            Err(error) => println!("{error}"),
        }
    }
    println!("{:?}", pool.map(unlucky, vec![3, 4]).unwrap());
}
