//! The crate's example, whose output is in the book: its printed lines must equal the recorded
//! lines.

#[cfg(target_os = "linux")]
#[allow(dead_code, reason = "an example has a main")]
#[path = "../examples/beside_threads.rs"]
mod beside_threads;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("worker processes need Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    use one_change_tests::own_process::{self, Case, Expect};

    own_process::main(vec![Case {
        name: "a_fork_hangs_beside_threads".to_owned(),
        expect: Expect::Pass,
        run: Box::new(|| {
            let recorded = include_str!("../../../book/records/beside-threads.txt");
            assert_eq!(beside_threads::lines().unwrap(), recorded.lines().collect::<Vec<_>>());
        }),
    }])
}
