//! Lesson 8's text. The script is the real script, in the machine's Python. A module in Python
//! (`fakes/module`) replaces the native module, which needs a compiler and minutes. `just
//! test-extension` tests the real module.

use one_change_tests::mask::mask;
use one_change_tests::surroundings::program;
use report::{Lesson, frame, mask_json};
use serde_json::Value;
use std::path::Path;

one_change_tests::lesson!(8: words_fit_their_places, recorded, predict_asks, predict_answers,
    predict_gives_nothing_away);
one_change_tests::exercise!(8);

/// The `python3` on the path, if the lesson can use it.
fn python() -> Option<&'static str> {
    let there = machine::Python::ask("python3").is_ok_and(|python| python.version >= (3, 11, 0));
    if !there {
        println!(
            "NOT TESTED: there is no python3 (3.11 or newer) on the PATH for lesson 8's script"
        );
    }
    there.then_some("python3")
}

/// What the script prints, if there is a Python for it.
fn said(arguments: &[&str]) -> Option<String> {
    let python = python()?;
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (head, foot) = frame(&Lesson::of(SUBJECT.facts));
    let output = program(python)
        .arg("-B")
        .arg(here.join("escape_hatch.py"))
        .args(["--rounds", "1"])
        .args(arguments)
        .env("PYTHONPATH", here.join("tests/fakes/module"))
        .env("PYTHONIOENCODING", "utf-8")
        .env("ONE_CHANGE_HEAD", anstream::adapter::strip_str(&head).to_string())
        .env("ONE_CHANGE_FOOT", anstream::adapter::strip_str(&foot).to_string())
        .output()
        .expect("python3 starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.is_empty(), "{said}");
    let text = String::from_utf8(output.stdout).expect("a lesson speaks UTF-8");
    Some(text)
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
