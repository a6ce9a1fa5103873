//! Runs every lesson and writes down what it printed, measured and drew.
//!
//! Text, numbers and picture of a lesson come from one and the same run, or the page would show a
//! median in the table that its own sentence contradicts. And all lessons come from one session,
//! all or none: the files are put in place when the last lesson has ended well.

use crate::sources::LESSONS;
use crate::{House, machine};
use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use report::Lesson;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Whether a lesson has a picture. Lesson 0 runs everything on one worker, before there is a
/// schedule to draw.
pub fn is_drawn(lesson: &Lesson) -> bool {
    lesson.number > 0
}

/// Builds the lessons in release, runs them, and replaces the records of the book.
///
/// # Errors
/// If a lesson does not build or does not end well, or a file cannot be written. Then the records
/// are as they were (but for the last step, in which the files get their names one by one).
pub fn record(house: &House, rounds: u32) -> Result<()> {
    let programs = build(house)?;
    // Asked after the build: cargo may write the lock file, and that is a change of the sources.
    let machine = machine::describe(house.root(), rounds)?;
    let folder = tempfile::tempdir_in(house.book()).context("no folder for the new records")?;
    let progress = progress(LESSONS.len() as u64);
    for lesson in &LESSONS {
        progress.set_message(format!("lesson {}, {}", lesson.number, lesson.name));
        let program = programs
            .get(&lesson.number.to_string())
            .with_context(|| format!("lesson {} has no program", lesson.number))?;
        run(program, lesson, rounds, &machine, folder.path())
            .with_context(|| format!("lesson {}", lesson.number))?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    replace(folder.path(), &house.records())?;
    anstream::println!("Recorded {} lessons in {}.", LESSONS.len(), house.records().display());
    Ok(())
}

/// Builds every lesson, and says where cargo has put each program.
fn build(house: &House) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
    for lesson in &LESSONS {
        command.args(["--package", &format!("lesson-{}", lesson.number)]);
    }
    let output = command.current_dir(house.root()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo")?;
    if !output.status.success() {
        bail!("the lessons do not build");
    }
    Ok(programs(&String::from_utf8_lossy(&output.stdout)))
}

/// The programs in cargo's messages, by name.
fn programs(messages: &str) -> BTreeMap<String, PathBuf> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages
        .filter_map(|message| {
            let program = PathBuf::from(message["executable"].as_str()?);
            Some((message["target"]["name"].as_str()?.to_owned(), program))
        })
        .collect()
}

/// Runs one lesson once, and leaves its three files in the folder.
fn run(program: &Path, lesson: &Lesson, rounds: u32, machine: &Value, folder: &Path) -> Result<()> {
    let name = format!("lesson-{}", lesson.number);
    let numbers = folder.join(format!("{name}.json"));
    let mut command = Command::new(program);
    command.arg("--rounds").arg(rounds.to_string()).arg("--record").arg(&numbers);
    if is_drawn(lesson) {
        command.arg("--svg").arg(folder.join(format!("{name}.svg")));
    }
    // The text as everybody gets it, whatever this session's settings are.
    command.env("NO_COLOR", "1").env("COLUMNS", "80");
    for setting in ["CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "RAYON_NUM_THREADS"] {
        command.env_remove(setting);
    }
    let output = command.stdin(Stdio::null()).output().context("does not start")?;
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("printed something that is no text")?;
    let run: Value = serde_json::from_str(&fs::read_to_string(&numbers)?)?;
    let record = serde_json::to_string_pretty(&json!({"machine": machine, "run": run}))?;
    fs::write(&numbers, record + "\n")?;
    fs::write(folder.join(format!("{name}.txt")), text)?;
    Ok(())
}

/// Moves every file to where the book reads it. Both folders lie in the book, so each move is one
/// step of the file system.
fn replace(new: &Path, records: &Path) -> Result<()> {
    fs::create_dir_all(records)?;
    for entry in fs::read_dir(new)? {
        let entry = entry?;
        fs::rename(entry.path(), records.join(entry.file_name()))
            .with_context(|| format!("{} stays in {}", entry.path().display(), new.display()))?;
    }
    Ok(())
}

fn progress(lessons: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}")
        .expect("the template is a constant");
    let progress = ProgressBar::new(lessons).with_style(style);
    progress.tick();
    progress
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn programs_are_found_in_cargo_s_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"4\"},\"executable\":\"/t/4\"}\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"kernel\"},\"executable\":null}\nnoise\n";
        let found = programs(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(found["4"], Path::new("/t/4"));
    }

    /// A program that does as a lesson does.
    fn program(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("lesson");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn one_run_leaves_three_files_and_they_replace_the_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let (new, records) = (folder.path().join("new"), folder.path().join("records"));
        fs::create_dir(&new).unwrap();
        fs::create_dir(&records).unwrap();
        fs::write(records.join("lesson-4.txt"), "old").unwrap();
        fs::write(records.join("source.json"), "kept").unwrap();
        // --rounds 3 --record FILE --svg FILE
        let lesson = program(
            folder.path(),
            "echo \"Lesson ${NO_COLOR}\"; echo '{\"items\": 10}' > \"$4\"; echo '<svg/>' > \"$6\"",
        );
        run(&lesson, &LESSONS[4], 3, &json!({"cores": 2}), &new).unwrap();
        replace(&new, &records).unwrap();
        let read = |name: &str| fs::read_to_string(records.join(name)).unwrap();
        assert_eq!(read("lesson-4.txt"), "Lesson 1\n");
        assert_eq!(read("lesson-4.svg"), "<svg/>\n");
        let record: Value = serde_json::from_str(&read("lesson-4.json")).unwrap();
        assert_eq!(record, json!({"machine": {"cores": 2}, "run": {"items": 10}}));
        assert_eq!(read("source.json"), "kept");
    }

    #[test]
    fn a_lesson_that_fails_is_told_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = program(folder.path(), "echo 'error: no luck' >&2; exit 1");
        let error = run(&lesson, &LESSONS[0], 3, &json!({}), folder.path()).unwrap_err();
        assert!(error.to_string().contains("error: no luck"), "{error}");
    }
}
