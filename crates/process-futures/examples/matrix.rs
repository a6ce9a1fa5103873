//! The fault matrix of stage 4, for this pool, as a program: `tests/faults` builds it with panics that
//! abort.

#[cfg(target_os = "linux")]
#[path = "../../processes/tests/processes/help.rs"]
mod help;
#[cfg(target_os = "linux")]
#[path = "../../processes/tests/processes/matrix.rs"]
#[allow(dead_code, reason = "the matrix in other surroundings has its own tests")]
mod matrix;
#[cfg(target_os = "linux")]
#[path = "../../processes/tests/processes/raw.rs"]
#[allow(dead_code, reason = "the matrix needs a part of it")]
mod raw;

#[cfg(target_os = "linux")]
use help::{is_gone, until, works};
#[cfg(target_os = "linux")]
use process_futures::{ForkServer, ProcessPoolExecutor};

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("worker processes need Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use one_change_tests::own_process::{self, Case, Expect};

    println!("{}", if cfg!(panic = "abort") { "panics abort" } else { "panics unwind" });
    let case = |(name, run)| {
        let run: Box<dyn FnOnce() + Send> = Box::new(run);
        Case { name, expect: Expect::Pass, run }
    };
    own_process::main(matrix::cases().map(case).collect())
}

#[cfg(target_os = "linux")]
fn pool_of(workers: usize) -> ProcessPoolExecutor {
    let workers = std::num::NonZeroUsize::new(workers).unwrap();
    ProcessPoolExecutor::builder().max_workers(workers).build().expect("a pool")
}
