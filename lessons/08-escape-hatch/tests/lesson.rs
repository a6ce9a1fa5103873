//! Lesson 8's text. The script is the real script, in the machine's Python. A module in Python
//! (`fakes/module`) replaces the native module, which needs a compiler and minutes. `just
//! test-extension` tests the real module.

use machine::{NoPython, Python};
use one_change_tests::lesson::{Said, names, run};
use one_change_tests::mask::mask;
use one_change_tests::surroundings::program;
use report::{Lesson, frame, mask_json};
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use tempfile::TempDir;

one_change_tests::lesson!(8: words_fit_their_places, recorded, predict_asks, predict_answers,
    predict_gives_nothing_away);
one_change_tests::exercise!(8);

/// The `python3` on the path, if the lesson can use it. A busy machine answers late, and then this
/// asks again: a test that is left out for that reason would look like one that holds.
fn python() -> Option<&'static str> {
    let ask = || match Python::ask("python3") {
        Err(NoPython::Silent) => None,
        answer => Some(answer.is_ok_and(|python| python.version >= (3, 11, 0))),
    };
    let there = (0..30).find_map(|_| ask()).expect("python3 answers within a minute");
    if !there {
        println!(
            "NOT TESTED: there is no python3 (3.11 or newer) on the PATH for lesson 8's script"
        );
    }
    there.then_some("python3")
}

/// The script with these arguments, if there is a Python for it.
fn script(arguments: &[&str]) -> Option<Command> {
    let mut script = program(python()?);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (head, foot) = frame(&Lesson::of(SUBJECT.facts));
    script
        .arg("-B")
        .arg(here.join("escape_hatch.py"))
        .args(["--rounds", "1"])
        .args(arguments)
        .env("PYTHONPATH", here.join("tests/fakes/module"))
        .env("PYTHONIOENCODING", "utf-8")
        .env("ONE_CHANGE_HEAD", anstream::adapter::strip_str(&head).to_string())
        .env("ONE_CHANGE_FOOT", anstream::adapter::strip_str(&foot).to_string());
    Some(script)
}

/// What the script prints, if there is a Python for it.
fn said(arguments: &[&str]) -> Option<String> {
    let Said { stdout, stderr, status } = run(&mut script(arguments)?);
    assert_eq!((stderr.as_str(), status), ("", Some(0)), "{stdout}");
    Some(stdout)
}

/// A folder with a file of these pairs, and the file's name.
fn pairs(text: &str) -> (TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs");
    fs::write(&file, text).unwrap();
    (folder, file.to_str().unwrap().to_owned())
}

#[test]
fn the_text_of_the_lesson() {
    let Some(text) = said(&[]) else { return };
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
    }
    SUBJECT.snapshot("text", &mask(&text).replace("1 round,", "5 rounds,"));
}

#[test]
fn the_document() {
    let Some(text) = said(&["--json"]) else { return };
    let document: Value = serde_json::from_str(&text).expect("one document");
    SUBJECT.snapshot("json", &serde_json::to_string_pretty(&mask_json(&document)).unwrap());
}

#[test]
fn its_head_is_one_line() {
    let (head, _) = frame(&Lesson::of(SUBJECT.facts));
    assert!(anstream::adapter::strip_str(&head).to_string().chars().count() <= 80, "{head}");
}

/// A record that was asked for is written whole, although nobody reads the output: the output is
/// closed before the head, or behind it.
#[test]
fn the_record_of_a_closed_output() {
    let (folder, pairs) = pairs("12 18\n");
    for lines in [0, 1] {
        let file = folder.path().join(format!("record-{lines}"));
        let words = ["--pairs", &pairs, "--record", file.to_str().unwrap()];
        let Some(mut script) = script(&words) else { return };
        let mut child = script.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            reader.read_line(&mut String::new()).unwrap();
        }
        drop(reader);
        let output = child.wait_with_output().unwrap();
        assert_eq!((text(&output.stderr).as_str(), output.status.code()), ("", Some(0)));
        let record = fs::read_to_string(&file).expect("the record is written");
        assert_eq!(serde_json::from_str::<Value>(&record).unwrap()["lesson"], 8);
    }
}

/// A record takes the place of what was there in one step, with its mode and at the end of a link;
/// or what was there stays, and nothing is left beside it.
#[test]
fn a_record_is_whole_or_not_at_all() {
    let (folder, pairs) = pairs("12 18\n");
    let [file, link] = ["record", "link"].map(|name| folder.path().join(name));
    fs::write(&file, "what was there before").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
    symlink(&file, &link).unwrap();
    let words = ["--pairs", &pairs, "--record", link.to_str().unwrap()];
    let Some(script) = script(&words) else { return };

    // As on a disk that is full after the first block: no file may be longer.
    let mut limited = program("/bin/sh");
    limited.args(["-c", "ulimit -f 1; trap '' XFSZ; exec \"$0\" \"$@\""]).arg(script.get_program());
    limited.args(script.get_args()).envs(script.get_envs().filter_map(|(n, v)| Some((n, v?))));
    let Said { stderr, status, .. } = run(&mut limited);
    assert_eq!(stderr, "error: the record was not written: File too large\n");
    assert_eq!(status, Some(1));
    assert_eq!(fs::read_to_string(&file).unwrap(), "what was there before");

    let before = fs::metadata(&file).unwrap().ino();
    said(&words);
    let after = fs::metadata(&file).unwrap();
    assert!(fs::read_to_string(&file).unwrap().ends_with('}'));
    assert_eq!(after.mode() & 0o777, 0o640);
    assert_ne!(after.ino(), before, "another file has taken the name");
    assert!(link.is_symlink());
    assert_eq!(names(folder.path()), ["link", "pairs", "record"], "and nothing else is left");

    // What cannot be replaced is written as it is.
    let text = said(&["--pairs", &pairs, "--record", "/dev/stdout"]).unwrap();
    assert!(text.contains("\n{\"lesson\": 8, ") && text.contains("\nNext "), "{text}");
}

/// Pairs that take centuries are told on standard error before they run, and Ctrl-C ends them.
#[test]
fn long_pairs() {
    let (_folder, pairs) = pairs(&format!("{} {}\n", u64::MAX, u64::MAX - 1));
    let Some(mut script) = script(&["--pairs", &pairs]) else { return };
    let told = interrupted(&mut script);
    assert!(told.starts_with("Note: in Python, one pass over these pairs takes about "), "{told}");
    assert!(told.contains(" years or longer\non one worker, "), "{told}");
    assert!(told.lines().take(2).all(|line| line.chars().count() <= 80), "{told}");
}

/// Ctrl-C ends the script also where a thread is in a call that never returns.
#[test]
fn ctrl_c_waits_for_no_worker() {
    let (_folder, pairs) = pairs("12 18\n");
    let Some(mut script) = script(&["--pairs", &pairs]) else { return };
    assert_eq!(interrupted(script.env("FAKE_NEVER_ENDS", "1")), "it begins\n");
}

/// Starts the script, sends Ctrl-C once it has said something on standard error, and gives all that
/// it says there.
fn interrupted(script: &mut Command) -> String {
    // In a group of its own, as a terminal's.
    script.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = script.spawn().unwrap();
    let mut reader = BufReader::new(child.stderr.take().unwrap());
    let (sender, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let _ = reader.read_line(&mut text);
        sender.send(String::new()).unwrap();
        let _ = reader.read_to_string(&mut text);
        sender.send(text)
    });
    // The limits are for a script that says nothing, or does not end.
    let limit = Duration::from_secs(60);
    let begun = told.recv_timeout(limit);
    let group = format!("-{}", child.id());
    let signal = |name: &str| program("kill").args([name, "--", &group]).status().unwrap();
    assert!(signal("-INT").success());
    let told = told.recv_timeout(limit);
    signal("-KILL"); // nobody is left, if all is well
    let status = child.wait().unwrap();
    begun.expect("nothing was said");
    let told = told.expect("Ctrl-C does not end it");
    assert_eq!(status.code(), Some(130), "{told}");
    told
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
