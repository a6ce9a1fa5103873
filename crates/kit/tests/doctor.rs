//! What `kit doctor` prints: of machines that exist only here, and of this one.

use kit::doctor::{Found, TOOLS, print};
use machine::Facts;
use one_change_tests::surroundings::program;

/// A Linux machine with two cores.
fn two_cores() -> Facts {
    Facts {
        system: "Linux 6.1.0, Penguin 12, x86_64".into(),
        linux: true,
        cpu: Some("Abacus 3000".into()),
        cores: Some(2),
        online: Some(2),
        allowed: Some(2),
        quota: None,
        threads_a_core: Some(1),
        proc: true,
        memory: Some((8 << 30, 5 << 30)),
        shared: Some((4 << 30, 4 << 30)),
        load: Some(0.12),
    }
}

/// Every tool.
fn tools() -> Vec<Found> {
    (0..TOOLS.len()).map(|n| Found::Version(format!("1.{n}"))).collect()
}

/// The lessons of this workspace.
fn lessons() -> Vec<curriculum::Lesson> {
    curriculum::lessons(&curriculum::root().unwrap()).unwrap()
}

fn printed(facts: &Facts) -> String {
    printed_with(facts, &tools())
}

fn printed_with(facts: &Facts, found: &[Found]) -> String {
    let mut out = anstream::AutoStream::never(Vec::new());
    print(facts, found, &lessons(), &mut out).expect("a vector can be written");
    String::from_utf8(out.into_inner()).expect("what is printed is UTF-8")
}

#[test]
fn two_cores_and_every_tool() {
    insta::assert_snapshot!("two-cores", printed(&two_cores()));
}

#[test]
fn one_core_and_busy() {
    let one =
        Facts { cores: Some(1), online: Some(1), allowed: Some(1), load: Some(3.4), ..two_cores() };
    insta::assert_snapshot!("one-core", printed(&one));
}

#[test]
fn a_container_with_a_limit_on_a_machine_with_many_cores() {
    let limited = Facts {
        cores: Some(1),
        online: Some(64),
        allowed: Some(8),
        quota: Some(1.5),
        threads_a_core: Some(2),
        shared: Some((64 << 20, 64 << 20)),
        ..two_cores()
    };
    insta::assert_snapshot!("limited", printed(&limited));
}

#[test]
fn no_tool_at_all() {
    let bare = vec![Found::No; TOOLS.len()];
    insta::assert_snapshot!("no-tools", printed_with(&two_cores(), &bare));
}

#[test]
fn a_python_that_does_not_run() {
    let mut found = tools();
    found[1] = Found::Silent;
    let facts = Facts { proc: false, ..two_cores() };
    insta::assert_snapshot!("silent-python", printed_with(&facts, &found));
}

#[test]
fn not_linux() {
    let other = Facts {
        system: "macos, aarch64".into(),
        linux: false,
        cpu: Some("Apple M2".into()),
        cores: Some(8),
        online: None,
        allowed: None,
        threads_a_core: None,
        proc: false,
        memory: None,
        shared: None,
        load: None,
        ..two_cores()
    };
    insta::assert_snapshot!("not-linux", printed(&other));
}

/// The real command on this machine: its labels and the number of lessons do not depend on it.
#[test]
fn this_machine() {
    let output = program(env!("CARGO_BIN_EXE_kit")).arg("doctor").output().expect("kit starts");
    assert!(output.status.success(), "{}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    let text = String::from_utf8(output.stdout).expect("what is printed is UTF-8");
    for label in ["System", "CPU", "Cores", "SMT", "Memory", "Load", "Fork server", "Lessons"] {
        assert!(text.lines().any(|line| line.starts_with(label)), "{label} in\n{text}");
    }
    for tool in TOOLS {
        assert!(text.contains(tool.name), "{} in\n{text}", tool.name);
    }
    let all = format!(" of {} lessons work here", lessons().len());
    assert!(text.contains(&all), "{text}");
    if cfg!(target_os = "linux") {
        assert!(text.contains("works: this is Linux"), "{text}");
    }
}
