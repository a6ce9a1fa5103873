//! `just record`, ended in the middle: the records are as they were.
#![cfg(target_os = "linux")]

use bookbinder::{House, check, record};
use one_change_tests::surroundings::program;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// The environment variable that names the house of [`session`].
const HOUSE: &str = "ONE_CHANGE_TEST_HOUSE";

/// Not a test: the process that a test below starts and ends.
#[test]
#[ignore = "a test below runs it in a process of its own"]
fn session() {
    let house = House::at(std::env::var_os(HOUSE).expect("a house"));
    record::record(&house, None, &[]).expect("recorded");
}

/// Writes a script that can be run.
fn script(path: &Path, body: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// A house with two records, and programs that stand in for cargo, git and rustc.
fn house() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().canonicalize().unwrap();
    fs::create_dir_all(root.join("lessons")).unwrap();
    fs::create_dir_all(root.join("crates/a")).unwrap();
    fs::create_dir_all(root.join("book/records")).unwrap();
    let manifest = "[package]\nname = \"a\"\n[package.metadata.records]\n\
                    first = { bin = \"first\" }\nsecond = { bin = \"second\" }\n";
    fs::write(root.join("crates/a/Cargo.toml"), manifest).unwrap();
    for record in ["first.txt", "second.txt", "other.json"] {
        fs::write(root.join("book/records").join(record), format!("old {record}\n")).unwrap();
    }
    fs::create_dir(root.join("book/records/pools")).unwrap();
    fs::write(root.join("book/records/pools/a.py"), "old a.py\n").unwrap();
    script(&root.join("bin/first"), "echo new first");
    // The second program waits until the test lets it go on.
    let wait = format!(
        "touch '{0}/begun'; while [ ! -e '{0}/go' ]; do sleep 0.05; done; echo new second",
        root.display()
    );
    script(&root.join("bin/second"), &wait);
    let message = |name: &str| {
        let path = root.join("bin").join(name);
        format!("{{\"target\":{{\"name\":\"{name}\"}},\"executable\":\"{}\"}}", path.display())
    };
    let (first, second) = (message("first"), message("second"));
    script(&root.join("bin/cargo"), &format!("echo '{first}'\necho '{second}'"));
    for tool in ["git", "rustc"] {
        script(&root.join("bin").join(tool), "echo one two three");
    }
    (folder, root)
}

/// Starts a session, and waits until the second program runs.
fn begin(root: &Path) -> Child {
    let _ = fs::remove_file(root.join("begun"));
    let child = program(std::env::current_exe().unwrap())
        .args(["--exact", "session", "--ignored", "--nocapture"])
        .env(HOUSE, root)
        .env("CARGO", root.join("bin/cargo"))
        .env("PATH", format!("{}:/usr/bin:/bin", root.join("bin").display()))
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let patience = Instant::now() + Duration::from_secs(60);
    while !root.join("begun").exists() {
        assert!(Instant::now() < patience, "the second program does not start");
        thread::sleep(Duration::from_millis(20));
    }
    child
}

/// Every file below the records' folder, with its text.
fn records(root: &Path) -> BTreeMap<PathBuf, String> {
    let folder = root.join("book/records");
    let files = check::all_files_below(&folder).into_iter();
    let named = |file: PathBuf| {
        (file.strip_prefix(&folder).unwrap().to_owned(), fs::read_to_string(&file).unwrap())
    };
    files.map(named).collect()
}

#[test]
fn a_session_that_is_ended_in_the_middle_leaves_the_old_records() {
    let (_folder, root) = house();
    let old = records(&root);
    assert_eq!(old.len(), 4);
    for signal in ["-INT", "-KILL"] {
        let mut child = begin(&root);
        let id = child.id().to_string();
        assert!(program("kill").args([signal, &id]).status().unwrap().success());
        assert!(!child.wait().unwrap().success(), "{signal} ends it");
        assert_eq!(records(&root), old, "{signal}");
    }
    let mut child = begin(&root);
    assert_eq!(records(&root), old, "until the end the old records are there");
    fs::write(root.join("go"), "").unwrap();
    assert!(child.wait().unwrap().success());
    let wanted = [
        ("first.txt", "new first\n"),
        ("second.txt", "new second\n"),
        ("other.json", "old other.json\n"),
        ("pools/a.py", "old a.py\n"),
    ];
    let wanted = wanted.map(|(name, text)| (name.into(), text.to_owned()));
    assert_eq!(records(&root), wanted.into());
}
