//! Runs a lesson, and lays what it printed beside what was recorded.
//!
//! Two questions, kept apart. Are the lines that must be the same on every machine the same? That
//! decides the exit status. And how do the measured numbers stand beside the recorded ones? That
//! gets no verdict: they are another machine's.

use crate::{Failure, workspace};
use anstyle::{AnsiColor, Style};
use regex_lite::Regex;
use report::words::{count, paragraph};
use report::{Lesson, mask};
use similar::{ChangeTag, TextDiff};
use std::collections::VecDeque;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::process::Stdio;

/// A recorded run: on which machine, and what it printed.
#[derive(Clone, Debug)]
pub struct Record {
    /// The machine in a few words.
    pub machine: String,
    /// What the lesson printed there.
    pub text: String,
}

/// Runs the lesson and compares: 0 if the stable lines equal the snapshot's, 1 if not.
///
/// # Errors
/// [`Failure::Input`] if there is no snapshot, or the lesson does not run.
pub fn compare(lesson: &Lesson, out: &mut impl Write) -> Result<u8, Failure> {
    let number = lesson.number;
    let root = workspace::root()?;
    let path = lesson.path(&root).join("tests/snapshots/text.snap");
    let snapshot = fs::read_to_string(&path)
        .map_err(|error| Failure::input(format!("no snapshot of lesson {number}: {error}")))?;
    let record = record(&root.join("book/records"), number);
    let yours = run(&root, lesson)?;
    // A lesson that leaves out what needs Python, where there is none, has a snapshot of that too.
    let without = path.with_file_name("no-python.snap");
    let is_yours = |without: &String| body(without).trim_end() == mask(&yours).trim_end();
    let snapshot = fs::read_to_string(without).ok().filter(is_yours).unwrap_or(snapshot);
    let equal = print(lesson, body(&snapshot), &yours, record.as_ref(), out)?;
    Ok(u8::from(!equal))
}

/// Runs the lesson as it is run by hand, and gives what it printed to standard output.
fn run(root: &Path, lesson: &Lesson) -> Result<String, Failure> {
    let number = lesson.number.to_string();
    let mut cargo = workspace::cargo(root);
    cargo.args(["run", "--quiet", "--release", "--bin", &number]);
    // Standard error stays the reader's: the build's words and the lesson's progress go there.
    cargo.stdin(Stdio::null()).stderr(Stdio::inherit()).env("NO_COLOR", "1");
    cargo.env_remove("CLICOLOR_FORCE");
    let told = writeln!(
        anstream::stderr(),
        "> cargo lesson {number}   (builds what is missing, then measures for some seconds)"
    );
    drop(told); // Nobody may be there to read it.
    let output = cargo.output().map_err(|error| Failure::input(format!("cargo: {error}")))?;
    if !output.status.success() {
        let status = output.status;
        return Err(Failure::input(format!("lesson {number} did not end well: {status}")));
    }
    String::from_utf8(output.stdout)
        .map_err(|_| Failure::input(format!("lesson {number} printed something that is no text")))
}

/// The text of an insta snapshot, without its head.
fn body(snapshot: &str) -> &str {
    let after = snapshot.strip_prefix("---\n").and_then(|rest| rest.split_once("\n---\n"));
    after.map_or(snapshot, |(_, body)| body)
}

/// The recorded run of a lesson, if there is one.
fn record(folder: &Path, number: u32) -> Option<Record> {
    let text = fs::read_to_string(folder.join(format!("lesson-{number}.txt"))).ok()?;
    let json = fs::read_to_string(folder.join(format!("lesson-{number}.json"))).ok()?;
    let json: serde_json::Value = serde_json::from_str(&json).ok()?;
    let machine = &json["machine"];
    let cpu = machine["cpu"].as_str().unwrap_or("an unknown CPU");
    let cores = machine["cores"].as_u64().map(|cores| count(cores as usize, "core"));
    let machine = cores.map_or_else(|| cpu.to_owned(), |cores| format!("{cpu}, {cores}"));
    Some(Record { machine, text })
}

/// Prints the comparison, and says whether the stable lines are equal.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(
    lesson: &Lesson,
    snapshot: &str,
    yours: &str,
    record: Option<&Record>,
    out: &mut impl Write,
) -> io::Result<bool> {
    let (Lesson { number, name, question, .. }, masked) = (lesson, mask(yours));
    paragraph(out, &format!("Compare {number}"), &format!("{name}   {question}"))?;
    let (wanted, got) = (snapshot.trim_end(), masked.trim_end());
    let equal = wanted == got;
    if equal {
        let lines = count(got.lines().count(), "line");
        paragraph(out, "Stable", &format!("{lines}, measured numbers masked: as in the snapshot"))?;
    } else {
        paragraph(out, "Stable", "not as in the snapshot; - is the snapshot, + is yours")?;
        print_diff(wanted, got, out)?;
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

/// The measured numbers of both runs side by side, for every line that both have.
fn print_numbers(record: &Record, yours: &str, out: &mut impl Write) -> io::Result<()> {
    paragraph(out, "Measured", &format!("recorded on {}", record.machine))?;
    // Equal lines are matched in their order, since a row may come twice under the same name.
    let mut recorded: Vec<(String, VecDeque<Vec<String>>)> = Vec::new();
    for (masked, numbers) in measured(&record.text) {
        match recorded.iter_mut().find(|(line, _)| *line == masked) {
            Some((_, all)) => all.push_back(numbers),
            None => recorded.push((masked, VecDeque::from([numbers]))),
        }
    }
    for (masked, numbers) in measured(yours) {
        let found = recorded.iter_mut().find(|(line, _)| *line == masked);
        let Some(theirs) = found.and_then(|(_, all)| all.pop_front()) else { continue };
        let words = words(&masked);
        let (theirs, numbers) = (theirs.join("  "), numbers.join("  "));
        if words.chars().count() < 24 {
            writeln!(out, "  {words:<24}recorded {theirs}, yours {numbers}")?;
        } else {
            writeln!(out, "  {words}\n  {:24}recorded {theirs}, yours {numbers}", "")?;
        }
    }
    paragraph(out, "", "Another machine gives other times; ratios are what to compare.")
}

/// A masked row without its masks and predictions, or a masked sentence as it is.
fn words(masked: &str) -> String {
    match masked.split_once("  <time>  <middle half>") {
        Some((name, _)) => name.trim().to_owned(),
        None => masked.split_whitespace().collect::<Vec<&str>>().join(" "),
    }
}

/// Every line that has a measured number in it: the line as it is masked, and its numbers.
fn measured(text: &str) -> Vec<(String, Vec<String>)> {
    text.lines()
        .filter_map(|line| {
            let masked = mask(line).trim_end().to_owned();
            let numbers = numbers(&masked, line)?;
            (!numbers.is_empty()).then_some((masked, numbers))
        })
        .collect()
}

/// What stands in the line where the masked line has a mask: times, speed-ups, shares, ratios. The
/// middle half is left out, and so is what is no number: the machine, the lanes and the scale below
/// them, a worker's letter.
fn numbers(masked: &str, line: &str) -> Option<Vec<String>> {
    const KEPT: [(&str, &str); 7] = [
        ("<time>", r"([\d.,]+ (?:ns|µs|ms|s))"),
        ("<speed-up>", r"([\d.,]+x)"),
        ("<share>", r"([\d.,]+ %)"),
        ("<ratio>", r"([\d.,]+)"),
        ("<number>", r"(\d+)"),
        ("<bandwidth>", r"([\d.]+ (?:B|KiB|MiB|GiB))"),
        ("<middle half>", r"[\d.,]+ - [\d.,]+"),
    ];
    let is_scale = masked.trim_start().starts_with("0  <time>");
    if is_scale || masked.contains("<machine>") || masked.contains("<lane>") {
        return Some(Vec::new());
    }
    let mut pattern = regex_lite::escape(masked);
    for (mask, number) in KEPT {
        pattern = pattern.replace(&regex_lite::escape(mask), number);
    }
    // The padding goes with the masks, so its width says nothing.
    let spaces = Regex::new(" +").ok()?;
    let pattern = spaces.replace_all(&pattern, " +");
    let pattern = pattern.replace("<letter>", "[A-Z]+");
    let captures = Regex::new(&format!("^{pattern}$")).ok()?.captures(line.trim_end())?;
    let groups = captures.iter().skip(1).flatten();
    Some(groups.map(|number| number.as_str().to_owned()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_s_head_goes() {
        assert_eq!(body("---\nsource: x\nexpression: y\n---\none\n---\ntwo\n"), "one\n---\ntwo\n");
        assert_eq!(body("bare\n"), "bare\n");
    }

    #[test]
    fn numbers_are_found_where_they_are_masked() {
        let all = measured(
            "Machine      2 cores\n\
             Prediction   20.62 million steps: at most 2.00x\n\
             \x20 threads, a queue         111 ms    103 - 113    0.96x     1.97x  <- one change\n\
             Cost         31.0 µs of pool around 5.61 ms of gcd for each item: 0.6 %\n\
             \x20 A  |1===|2==|..\n\
             \x20    0                29.0 ms\n\
             Better       Euclid's is 74,110 times as fast, on one core\n",
        );
        let numbers: Vec<String> = all.iter().map(|(_, numbers)| numbers.join(" | ")).collect();
        assert_eq!(numbers, ["111 ms | 0.96x", "31.0 µs | 5.61 ms | 0.6 %", "74,110"]);
        assert_eq!(words(&all[0].0), "threads, a queue");
    }
}
