//! The pool that you can keep: every method, and what becomes of the pool after each.
//!
//! Each case runs in a process of its own, with a limit on its time (`one_change_tests::own_process`); the
//! fork server is started on its only thread, and the case must leave nothing behind: no child, no
//! thread, no descriptor. No case measures a time. What has to happen in an order is ordered by
//! files (`gate.rs`).

#![cfg_attr(not(target_os = "linux"), allow(unused))]

#[cfg(target_os = "linux")]
mod cases;

#[cfg(not(target_os = "linux"))]
fn main() {
    println!("worker processes need Linux: nothing to test here");
}

#[cfg(target_os = "linux")]
fn main() -> std::process::ExitCode {
    cases::main()
}
