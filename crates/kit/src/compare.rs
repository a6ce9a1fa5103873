//! Runs a lesson, and lays its document beside what was recorded.
//!
//! Two questions, kept apart. Is what must be the same on every machine the same? That decides the
//! exit status. And how do the measured numbers stand beside the recorded ones? That gets no
//! verdict: they are another machine's.

use crate::{Failure, workspace};
use anstyle::{AnsiColor, Style};
use report::words::{count, paragraph};
use report::{Lesson, grouped, mask_json, ratio, share, speedup, time};
use serde_json::Value;
use similar::{ChangeTag, TextDiff};
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

/// Runs the lesson and compares: 0 if what is stable equals the snapshot, 1 if not.
///
/// # Errors
/// [`Failure::Input`] if there is no snapshot, or the lesson does not run.
pub fn compare(lesson: &Lesson, out: &mut impl Write) -> Result<u8, Failure> {
    let number = lesson.number;
    let root = workspace::root()?;
    let snapshot = snapshot(&root, lesson, "json").ok_or_else(|| {
        Failure::input(format!(
            "lesson {number} has no snapshot; INSTA_UPDATE=always cargo test -p lesson-{number} \
             makes it"
        ))
    })?;
    let record = fs::read_to_string(root.join(format!("book/records/lesson-{number}.json")));
    let record = record.ok().and_then(|text| serde_json::from_str(&text).ok());
    let yours = run(&root, lesson)?;
    // A lesson that leaves out what needs Python, where there is none, has a snapshot of that too.
    let without = self::snapshot(&root, lesson, "json-no-python");
    let snapshot = without.filter(|without| *without == mask_json(&yours)).unwrap_or(snapshot);
    let equal = print(lesson, &snapshot, &yours, record.as_ref(), out)?;
    Ok(u8::from(!equal))
}

/// A recorded document of a lesson, measured values masked.
fn snapshot(root: &Path, lesson: &Lesson, name: &str) -> Option<Value> {
    let file = lesson.path(root).join(format!("tests/snapshots/{name}.snap"));
    let text = fs::read_to_string(file).ok()?;
    // insta's file: a head between two lines of hyphens, then what was recorded.
    serde_json::from_str(text.splitn(3, "---\n").last()?).ok()
}

/// Runs the lesson, and gives the document that it printed.
fn run(root: &Path, lesson: &Lesson) -> Result<Value, Failure> {
    let number = lesson.number.to_string();
    let mut cargo = workspace::cargo(root);
    cargo.args(["run", "--quiet", "--release", "--bin", &number, "--", "--json"]);
    // Standard error stays the reader's: the build's words and the lesson's progress go there.
    cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).env("NO_COLOR", "1");
    cargo.env_remove("CLICOLOR_FORCE");
    let told = writeln!(
        anstream::stderr(),
        "> cargo lesson {number} -- --json   (builds what is missing, then measures for some seconds)"
    );
    drop(told); // Nobody may be there to read it.
    let output = cargo.output().map_err(|error| Failure::input(format!("cargo: {error}")))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failure::input(format!("lesson {number} did not end well: {status}")));
    }
    serde_json::from_slice(&output.stdout)
        .map_err(|error| Failure::input(format!("lesson {number} printed no document: {error}")))
}

/// Prints the comparison, and says whether what is stable is equal. `record` is a record of the
/// book: a machine, and the document of a run on it.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(
    lesson: &Lesson,
    snapshot: &Value,
    yours: &Value,
    record: Option<&Value>,
    out: &mut impl Write,
) -> io::Result<bool> {
    let Lesson { number, name, question, .. } = lesson;
    paragraph(out, &format!("Compare {number}"), &format!("{name}   {question}"))?;
    let got = mask_json(yours);
    let equal = *snapshot == got;
    let [wanted, got] = [snapshot, &got].map(|document| format!("{document:#}"));
    if equal {
        let lines = count(got.lines().count(), "line");
        paragraph(
            out,
            "Stable",
            &format!("{lines} of the document, measured numbers masked: as in the snapshot"),
        )?;
    } else {
        paragraph(out, "Stable", "not as in the snapshot; - is the snapshot, + is yours")?;
        print_diff(&wanted, &got, out)?;
    }
    match record {
        None => paragraph(
            out,
            "Measured",
            "nothing is recorded yet to lay your numbers beside; on a quiet machine,\n\
             just record\n\
             measures all lessons and writes book/records",
        )?,
        Some(record) => print_numbers(record, yours, out)?,
    }
    Ok(equal)
}

fn print_diff(wanted: &str, got: &str, out: &mut impl Write) -> io::Result<()> {
    let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
    let diff = TextDiff::from_lines(wanted, got);
    for (index, group) in diff.grouped_ops(1).iter().enumerate() {
        if index > 0 {
            writeln!(out, "  …")?;
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ('-', colour(AnsiColor::Red)),
                ChangeTag::Insert => ('+', colour(AnsiColor::Green)),
                ChangeTag::Equal => (' ', Style::new()),
            };
            let line = change.value().trim_end_matches('\n');
            writeln!(out, "{style}{sign} {line}{style:#}")?;
        }
    }
    Ok(())
}

/// The measured numbers of both runs side by side, for everything that both have.
fn print_numbers(record: &Value, yours: &Value, out: &mut impl Write) -> io::Result<()> {
    let machine = &record["machine"];
    let cpu = machine["cpu"].as_str().unwrap_or("an unknown CPU");
    let cores = machine["cores"].as_u64().map(|cores| count(cores as usize, "core"));
    let machine = cores.map_or_else(|| cpu.to_owned(), |cores| format!("{cpu}, {cores}"));
    paragraph(out, "Measured", &format!("recorded on {machine}"))?;
    let recorded = numbers(&record["run"]);
    for (what, numbers) in numbers(yours) {
        let Some((_, theirs)) = recorded.iter().find(|(recorded, _)| *recorded == what) else {
            continue;
        };
        if what.chars().count() < 24 {
            writeln!(out, "  {what:<24}recorded {theirs}, yours {numbers}")?;
        } else {
            writeln!(out, "  {what}\n  {:24}recorded {theirs}, yours {numbers}", "")?;
        }
    }
    paragraph(out, "", "Another machine gives other times; ratios are what to compare.")
}

/// What is measured of everything that has a name, and the figures: in words, in the document's
/// order. What stands in something named has both names.
fn numbers(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for stage in document["stages"].as_array().into_iter().flatten() {
        named(stage, "", &mut found);
    }
    for (name, figure) in document["figures"].as_object().into_iter().flatten() {
        let Some(value) = figure.as_f64() else { continue };
        // A figure's name says when it is a ratio; a count is a whole number; the rest are times.
        let shown = match name {
            name if name.starts_with("ratio") => ratio(value),
            _ if value >= 1.0 && value.fract() == 0.0 => grouped(value as u64),
            _ => time(value),
        };
        found.push((name.replace('_', " "), shown));
    }
    found
}

/// Writes a number.
type Show = fn(f64) -> String;

/// The measured numbers that are shown, and how.
const SHOWN: [(&str, Show); 7] = [
    ("seconds", time),
    ("round_trip", time),
    ("speedup", speedup),
    ("speedup_to_own_serial", speedup),
    ("measured_break_even", time),
    ("start", time),
    ("share", share),
];

fn named(object: &Value, inside: &str, found: &mut Vec<(String, String)>) {
    let Some(name) = object["name"].as_str() else { return };
    let name = if inside.is_empty() { name.to_owned() } else { format!("{inside}, {name}") };
    let shown = |(key, show): &(&str, Show)| object[*key].as_f64().map(show);
    let numbers: Vec<String> = SHOWN.iter().filter_map(shown).collect();
    if !numbers.is_empty() {
        found.push((name.clone(), numbers.join("  ")));
    }
    let parts = object.as_object().into_iter().flatten().filter_map(|(_, part)| part.as_array());
    for part in parts.flatten() {
        named(part, &name, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_has_a_name_is_found_with_its_numbers() {
        let document = json!({
            "stages": [
                {"name": "threads", "seconds": 0.0306, "speedup": 1.8, "low": 0.03,
                 "spans": [{"item": 0, "start": 0.0}]},
                {"name": "processes", "round_trip": 1e-5,
                 "rows": [{"name": "24 B", "cells": [{"name": "20 µs", "seconds": 1e-3, "speedup": 0.5}]}]},
            ],
            "figures": {"hand_overs": 156.0, "one_step_item": 3.1e-5, "ratio_to_python": 1.06},
        });
        let wanted = [
            ("threads", "30.6 ms  1.80x"),
            ("processes", "10.0 µs"),
            ("processes, 24 B, 20 µs", "1.00 ms  0.50x"),
            ("hand overs", "156"),
            ("one step item", "31.0 µs"),
            ("ratio to python", "1.06"),
        ];
        let wanted = wanted.map(|(name, numbers)| (name.to_owned(), numbers.to_owned()));
        assert_eq!(numbers(&document), wanted);
    }
}
