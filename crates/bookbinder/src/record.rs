//! Runs every program that has a record in the book, and writes down what it printed, measured and
//! drew.
//!
//! Text, numbers and picture of a lesson come from one and the same run, or the page would show a
//! median in the table that its own sentence contradicts. And all records come from one session,
//! all or none: the files are put in place when the last program has ended well.

use crate::{House, machine};
use anyhow::{Context, Error, Result, bail};
use curriculum::Lesson;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs, iter};

/// What a lesson says where a Python would speak.
const LEFT_OUT: &str = "Python       left out: ";

/// One run of a program that the book quotes. `[package.metadata.records]` in a manifest lists those
/// that are no lessons', by name.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Recording {
    /// Its files' name.
    #[serde(skip)]
    pub name: String,
    #[serde(skip)]
    package: String,
    /// `bin` or `example`, and the program's name.
    target: [String; 2],
    /// What is typed behind the program's name.
    #[serde(skip)]
    options: Vec<String>,
    /// How many rounds are measured unless the person says otherwise. A program that measures takes
    /// `--rounds N`, and `--record FILE` for its numbers; another one has no rounds.
    pub rounds: Option<u32>,
    /// Whether the text that it prints is kept. A program with neither rounds nor text prints JSON.
    #[serde(default)]
    pub text: bool,
    /// Whether it draws (`--svg FILE`).
    #[serde(skip)]
    pub is_drawn: bool,
}

impl Recording {
    /// The plain run of a lesson, and the others that its facts name.
    fn of_lesson(lesson: &Lesson) -> impl Iterator<Item = Self> {
        let &Lesson { number, ref record, .. } = lesson;
        let package = format!("lesson-{number}");
        let plain = (package.clone(), Vec::new());
        let also = record.also.iter();
        let also =
            also.map(move |run| (format!("lesson-{number}-{}", run.name), run.options.clone()));
        iter::once(plain).chain(also).map(move |(name, options)| Self {
            name,
            package: package.clone(),
            target: ["bin".to_owned(), number.to_string()],
            options,
            rounds: Some(record.rounds),
            text: true,
            is_drawn: record.drawn,
        })
    }

    /// The records that a package of `cargo metadata` says it makes.
    fn of_package(package: &Value) -> Result<Vec<Self>> {
        let entries = &package["metadata"]["records"];
        let entries: BTreeMap<String, Self> =
            Option::deserialize(entries).with_context(|| entries.to_string())?.unwrap_or_default();
        let package = package["name"].as_str().unwrap_or_default();
        let named = |(name, entry)| Self { name, package: package.to_owned(), ..entry };
        Ok(entries.into_iter().map(named).collect())
    }

    /// Whether it leaves a JSON document.
    pub fn has_numbers(&self) -> bool {
        self.rounds.is_some() || !self.text
    }
}

/// Every run that the book quotes: the lessons' facts say which, and the packages' manifests.
///
/// # Errors
/// If the lessons' folders or the manifests cannot be read.
pub fn recordings(house: &House) -> Result<Vec<Recording>> {
    let lessons = curriculum::lessons(house.root()).map_err(Error::msg)?;
    let mut recordings: Vec<_> = lessons.iter().flat_map(Recording::of_lesson).collect();
    let metadata = cargo(house, &["metadata", "--no-deps", "--offline", "--format-version", "1"])?;
    let metadata: Value = serde_json::from_str(&metadata)?;
    for package in metadata["packages"].as_array().context("no packages")? {
        recordings.extend(Recording::of_package(package)?);
    }
    Ok(recordings)
}

/// Builds the programs in release, runs them, and replaces the records of the book: all of them, or
/// those that are named in `only`.
///
/// # Errors
/// If there is no record of a name. If a lesson has no Python that it needs for its record. If a
/// program does not build or does not end well, or a file cannot be written: then the records are
/// as they were (but for the last step, in which the files get their names one by one).
pub fn record(house: &House, rounds: Option<u32>, only: &[String]) -> Result<()> {
    let mut recordings = recordings(house)?;
    if let Some(name) = only.iter().find(|&name| recordings.iter().all(|one| one.name != *name)) {
        let names: Vec<_> = recordings.iter().map(|one| one.name.as_str()).collect();
        bail!("there is no record `{name}`; there are {}", names.join(", "));
    }
    recordings.retain(|one| only.is_empty() || only.contains(&one.name));
    let mut build = ["build", "--release", "--message-format", "json-render-diagnostics"]
        .map(str::to_owned)
        .to_vec();
    for Recording { package, target: [kind, program], .. } in &recordings {
        build.extend([format!("--package={package}"), format!("--{kind}={program}")]);
    }
    let programs = programs(&cargo(house, &build)?);
    // Asked after the build: cargo may write the lock file, and that is a change of the sources.
    let machine = machine::describe(house.root())?;
    let folder = tempfile::tempdir_in(house.book()).context("no folder for the new records")?;
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}")
        .expect("the template is a constant");
    let progress = ProgressBar::new(recordings.len() as u64).with_style(style);
    for recording in &recordings {
        progress.set_message(recording.name.clone());
        let [_, program] = &recording.target;
        let program = programs.get(program).with_context(|| format!("{program} was not built"))?;
        run(program, recording, rounds, machine.clone(), folder.path())
            .with_context(|| recording.name.clone())?;
        progress.inc(1);
    }
    progress.finish_and_clear();
    replace(folder.path(), &house.records())?;
    let runs = if recordings.len() == 1 { "run" } else { "runs" };
    anstream::println!("Recorded {} {runs} in {}.", recordings.len(), house.records().display());
    Ok(())
}

/// What cargo prints. Its progress and its errors go to the person.
fn cargo(house: &House, arguments: &[impl AsRef<str>]) -> Result<String> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments.iter().map(AsRef::as_ref)).current_dir(house.root());
    let output = command.stderr(Stdio::inherit()).output().context("cannot run cargo")?;
    if !output.status.success() {
        bail!("cargo {}: {}", arguments[0].as_ref(), output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
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

/// Runs one program once, and leaves its files in the folder.
fn run(
    program: &Path,
    recording: &Recording,
    rounds: Option<u32>,
    mut machine: Value,
    folder: &Path,
) -> Result<()> {
    let file = |ending: &str| folder.join(format!("{}.{ending}", recording.name));
    let mut command = Command::new(program);
    if let Some(own) = recording.rounds {
        let rounds = rounds.unwrap_or(own);
        machine["rounds"] = rounds.into();
        command.args(["--rounds", &rounds.to_string(), "--record"]).arg(file("json"));
    }
    command.args(&recording.options);
    if recording.is_drawn {
        command.arg("--svg").arg(file("svg"));
    }
    // The text as every reader gets it: no setting of this session changes it.
    command.env("NO_COLOR", "1").env("COLUMNS", "80");
    for setting in ["CLICOLOR", "CLICOLOR_FORCE", "RUST_BACKTRACE", "RAYON_NUM_THREADS"] {
        command.env_remove(setting);
    }
    // A table that tells versions names ours by its commit.
    command.env("ONE_CHANGE_COMMIT", machine["commit"].as_str().unwrap_or_default());
    let output = command.stdin(Stdio::null()).output().context("does not start")?;
    if !output.status.success() {
        bail!("{}: {}", output.status, String::from_utf8_lossy(&output.stderr).trim());
    }
    let text = String::from_utf8(output.stdout).context("printed something that is no text")?;
    // Without Python lesson 6 has a half to tell, and the chapter quotes both.
    if let Some(line) = text.lines().find(|line| line.starts_with(LEFT_OUT)) {
        bail!("the record needs Python, which was{}", line.trim_start_matches("Python      "));
    }
    let numbers =
        if recording.rounds.is_some() { &fs::read_to_string(file("json"))? } else { &text };
    if recording.has_numbers() {
        let numbers = serde_json::from_str(numbers).context("gave something that is no JSON")?;
        // A lesson's document is the run; another program adds tables for the book to it.
        let mut record = match numbers {
            Value::Object(numbers) if numbers.contains_key("run") => Value::Object(numbers),
            run => json!({"run": run}),
        };
        record["machine"] = machine;
        fs::write(file("json"), format!("{record:#}\n"))?;
    }
    if recording.text {
        fs::write(file("txt"), text)?;
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn recording(name: &str) -> Recording {
        let mut recordings = recordings(&House::here()).unwrap().into_iter();
        recordings.find(|one| one.name == name).unwrap()
    }

    #[test]
    fn programs_are_found_in_cargo_s_messages() {
        let messages = "{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"4\"},\"executable\":\"/t/4\"}\n\
                        {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"kernel\"},\"executable\":null}\nnoise\n";
        let found = programs(messages);
        assert_eq!(found.len(), 1);
        assert_eq!(found["4"], Path::new("/t/4"));
    }

    #[test]
    fn a_manifest_names_the_program_that_makes_a_record() {
        let of = |records: Value| {
            Recording::of_package(&json!({"name": "p", "metadata": {"records": records}}))
        };
        let one = of(json!({"r": {"target": ["example", "e"], "text": true}})).unwrap().remove(0);
        assert_eq!((&*one.name, &*one.package), ("r", "p"));
        assert_eq!((one.target, one.text), (["example", "e"].map(str::to_owned), true));
        assert_eq!(Recording::of_package(&json!({"metadata": null})).unwrap(), []);
        assert!(format!("{:#}", of(json!({"r": {"binary": "e"}})).unwrap_err()).contains("binary"));
        assert!(format!("{:#}", of(json!({"r": {}})).unwrap_err()).contains("target"));
    }

    /// A program that does as a recorded one does.
    fn program(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("program");
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
        run(&lesson, &recording("lesson-4"), Some(3), json!({"cores": 2}), &new).unwrap();
        replace(&new, &records).unwrap();
        let read = |name: &str| fs::read_to_string(records.join(name)).unwrap();
        assert_eq!(read("lesson-4.txt"), "Lesson 1\n");
        assert_eq!(read("lesson-4.svg"), "<svg/>\n");
        let record: Value = serde_json::from_str(&read("lesson-4.json")).unwrap();
        assert_eq!(record, json!({"machine": {"cores": 2, "rounds": 3}, "run": {"items": 10}}));
        assert_eq!(read("source.json"), "kept");
    }

    #[test]
    fn each_form_is_kept_with_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        let printing = "echo \"{\\\"arguments\\\": \\\"$*$ONE_CHANGE_COMMIT\\\"}\"";
        let measuring = "echo \"{\\\"run\\\": \\\"$2\\\", \\\"text\\\": {}}\" > \"$4\"";
        for (name, body) in [("faults", printing), ("bench-pool", measuring), ("tour", printing)] {
            let program = program(folder.path(), body);
            let machine = json!({"commit": "abc"});
            run(&program, &recording(name), None, machine, folder.path()).unwrap();
        }
        let json = |name: &str| {
            let text = fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let faults = json!({"machine": {"commit": "abc"}, "run": {"arguments": "abc"}});
        assert_eq!(json("faults"), faults, "it has no rounds");
        let machine = json!({"commit": "abc", "rounds": 21});
        assert_eq!(json("bench-pool"), json!({"machine": machine, "run": "21", "text": {}}));
        let text = fs::read_to_string(folder.path().join("tour.txt")).unwrap();
        assert_eq!(text, "{\"arguments\": \"abc\"}\n");
        assert!(!folder.path().join("tour.json").exists());
    }

    #[test]
    fn a_recording_s_options_go_to_its_lesson() {
        let folder = tempfile::tempdir().unwrap();
        let steps = recording("lesson-4-steps");
        let lesson = program(folder.path(), "echo \"$5\"; echo '{}' > \"$4\"");
        run(&lesson, &steps, Some(3), json!({}), folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("lesson-4-steps.txt")).unwrap();
        assert_eq!((&*steps.package, text.as_str()), ("lesson-4", "--steps\n"));
    }

    #[test]
    fn a_name_of_no_record_is_told_before_anything_runs() {
        let only = ["tour".to_owned(), "lesson-44".to_owned()];
        let error = record(&House::here(), Some(1), &only).unwrap_err().to_string();
        assert!(
            error.starts_with("there is no record `lesson-44`; there are lesson-0, "),
            "{error}"
        );
        for name in [", lesson-4-steps, ", ", tour", ", bench-pool"] {
            assert!(error.contains(name), "{error}");
        }
    }

    #[test]
    fn a_record_that_lacks_its_python_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = program(folder.path(), "echo 'Python       left out: there is none'");
        let error = run(&lesson, &recording("lesson-0"), None, json!({}), folder.path());
        let expected = "the record needs Python, which was left out: there is none";
        assert_eq!(error.unwrap_err().to_string(), expected);
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_words_and_leaves_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "echo 'error: no luck' >&2; echo '[]'; exit 3");
        for recording in recordings(&House::here()).unwrap() {
            let error = run(&program, &recording, None, json!({}), folder.path()).unwrap_err();
            let error = error.to_string();
            assert!(error.contains("exit status: 3: error: no luck"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
