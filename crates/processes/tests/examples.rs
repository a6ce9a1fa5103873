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
            // Only the process id may differ.
            let same = |line: &str| match line.split_once(" (pid ") {
                Some((before, after)) => {
                    format!("{before} (pid{}", after.trim_start_matches(char::is_numeric))
                }
                None => line.to_owned(),
            };
            let lines: Vec<_> =
                beside_threads::lines().unwrap().iter().map(|line| same(line)).collect();
            assert_eq!(lines, recorded.lines().map(same).collect::<Vec<_>>());
        }),
    }])
}
