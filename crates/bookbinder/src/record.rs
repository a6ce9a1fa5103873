//! Runs every lesson and writes down what it printed, measured and drew.
//!
//! Text, numbers and picture of a lesson come from one and the same run, or the page would show a
//! median in the table that its own sentence contradicts. And all lessons come from one session,
//! all or none: the files are put in place when the last lesson has ended well.

use crate::{House, machine};
use anyhow::{Context, Error, Result, bail};
use curriculum::Lesson;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::env;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a lesson says where a Python would speak.
const LEFT_OUT: &str = "Python       left out: ";

/// One run of a lesson that the book quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its files' name.
    pub name: String,
    /// The lesson's number.
    pub lesson: u32,
    /// What is typed after `just lesson-N`.
    pub options: Vec<String>,
    /// Whether it has a picture.
    pub is_drawn: bool,
    /// How many rounds are measured unless the person says otherwise.
    pub rounds: u32,
}

impl Recording {
    /// The plain run of a lesson, and the others that its facts name.
    fn of(lesson: &Lesson) -> impl Iterator<Item = Self> {
        let &Lesson { number, ref record, .. } = lesson;
        let plain = (format!("lesson-{number}"), Vec::new());
        let also = record.also.iter();
        let also =
            also.map(move |run| (format!("lesson-{number}-{}", run.name), run.options.clone()));
        iter::once(plain).chain(also).map(move |(name, options)| Self {
            name,
            lesson: number,
            options,
            is_drawn: record.drawn,
            rounds: record.rounds,
        })
    }
}

/// Every run of a lesson that the book quotes, as the lessons' facts say.
///
/// # Errors
/// If the lessons' folders cannot be read.
pub fn recordings(house: &House) -> Result<Vec<Recording>> {
    let lessons = curriculum::lessons(house.root()).map_err(Error::msg)?;
    let recordings: Vec<_> = lessons.iter().flat_map(Recording::of).collect();
    Ok(recordings)
}

/// Builds the lessons in release, runs them, and replaces the records of the book: all of them, or
/// those that are named in `only`.
///
/// # Errors
/// If there is no record of a name. If a lesson has no Python that it needs for its record. If a lesson does not build or does not end well, or a file
/// cannot be written: then the records are as they were (but for the last step, in which the files
/// get their names one by one).
pub fn record(house: &House, rounds: Option<u32>, only: &[String]) -> Result<()> {
    let mut recordings = recordings(house)?;
    if let Some(name) = only.iter().find(|&name| recordings.iter().all(|one| one.name != *name)) {
        let names: Vec<_> = recordings.iter().map(|one| one.name.as_str()).collect();
        bail!("there is no record `{name}`; there are {}", names.join(", "));
    }
    recordings.retain(|one| only.is_empty() || only.contains(&one.name));
    let packages: Vec<String> =
        recordings.iter().map(|recording| format!("lesson-{}", recording.lesson)).collect();
    let targets: Vec<&str> = packages.iter().flat_map(|package| ["--package", package]).collect();
    let programs = build(house, &targets)?;
    // Asked after the build: cargo may write the lock file, and that is a change of the sources.
    let mut machine = machine::describe(house.root())?;
    let folder = tempfile::tempdir_in(house.book()).context("no folder for the new records")?;
    let progress = progress(recordings.len() as u64);
    for recording in &recordings {
        progress.set_message(recording.name.clone());
        let program = programs
            .get(&recording.lesson.to_string())
            .with_context(|| format!("lesson {} has no program", recording.lesson))?;
        let rounds = rounds.unwrap_or(recording.rounds);
        machine["rounds"] = rounds.into();
        run(program, recording, rounds, &machine, folder.path())
            .with_context(|| recording.name.clone())?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    replace(folder.path(), &house.records())?;
    let runs = if recordings.len() == 1 { "run" } else { "runs" };
    anstream::println!("Recorded {} {runs} in {}.", recordings.len(), house.records().display());
    Ok(())
}

/// Builds these, and says where cargo has put each program.
pub(crate) fn build(house: &House, targets: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
    command.args(targets);
    let output = command.current_dir(house.root()).stderr(Stdio::inherit()).output();
    let output = output.context("cannot run cargo")?;
    if !output.status.success() {
        bail!("what is to be recorded does not build");
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
fn run(
    program: &Path,
    recording: &Recording,
    rounds: u32,
    machine: &Value,
    folder: &Path,
) -> Result<()> {
    let name = &recording.name;
    let numbers = folder.join(format!("{name}.json"));
    let mut command = Command::new(program);
    command.arg("--rounds").arg(rounds.to_string()).arg("--record").arg(&numbers);
    command.args(&recording.options);
    if recording.is_drawn {
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
    // Without Python lesson 6 has a half to tell, and the chapter quotes both.
    if let Some(line) = text.lines().find(|line| line.starts_with(LEFT_OUT)) {
        bail!("the record needs Python, which was{}", line.trim_start_matches("Python      "));
    }
    let run: Value = serde_json::from_str(&fs::read_to_string(&numbers)?)?;
    let record = serde_json::to_string_pretty(&json!({"machine": machine, "run": run}))?;
    fs::write(&numbers, record + "\n")?;
    fs::write(folder.join(format!("{name}.txt")), text)?;
    Ok(())
}

/// Moves every file to where the book reads it. Both folders lie in the book, so each move is one
/// step of the file system.
pub(crate) fn replace(new: &Path, records: &Path) -> Result<()> {
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
        run(&lesson, &recordings(&House::here()).unwrap()[4], 3, &json!({"cores": 2}), &new)
            .unwrap();
        replace(&new, &records).unwrap();
        let read = |name: &str| fs::read_to_string(records.join(name)).unwrap();
        assert_eq!(read("lesson-4.txt"), "Lesson 1\n");
        assert_eq!(read("lesson-4.svg"), "<svg/>\n");
        let record: Value = serde_json::from_str(&read("lesson-4.json")).unwrap();
        assert_eq!(record, json!({"machine": {"cores": 2}, "run": {"items": 10}}));
        assert_eq!(read("source.json"), "kept");
    }

    #[test]
    fn a_recording_s_options_go_to_its_lesson() {
        let folder = tempfile::tempdir().unwrap();
        let recordings = recordings(&House::here()).unwrap();
        let steps = recordings.iter().find(|one| one.name == "lesson-4-steps").unwrap();
        let lesson = program(folder.path(), "echo \"$5\"; echo '{}' > \"$4\"");
        run(&lesson, steps, 3, &json!({}), folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("lesson-4-steps.txt")).unwrap();
        assert_eq!((steps.lesson, text.as_str()), (4, "--steps\n"));
    }

    #[test]
    fn a_name_of_no_record_is_told_before_anything_runs() {
        let error = record(&House::here(), Some(1), &["lesson-44".into()]).unwrap_err();
        let error = error.to_string();
        assert!(
            error.starts_with("there is no record `lesson-44`; there are lesson-0, "),
            "{error}"
        );
        assert!(error.contains(", lesson-4-steps, "), "{error}");
    }

    #[test]
    fn a_record_that_lacks_its_python_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = program(folder.path(), "echo 'Python       left out: there is none'");
        let error =
            run(&lesson, &recordings(&House::here()).unwrap()[0], 3, &json!({}), folder.path())
                .unwrap_err();
        let expected = "the record needs Python, which was left out: there is none";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_lesson_that_fails_is_told_with_its_words() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = program(folder.path(), "echo 'error: no luck' >&2; exit 1");
        let error =
            run(&lesson, &recordings(&House::here()).unwrap()[0], 3, &json!({}), folder.path())
                .unwrap_err();
        assert!(error.to_string().contains("error: no luck"), "{error}");
    }
}
