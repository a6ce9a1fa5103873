//! Runs lessons and programs, and writes down what they printed, measured and drew.
//!
//! Text, numbers and picture of a lesson come from one and the same run, or the page would show a
//! median in the table that its own sentence contradicts. And all records come from one session,
//! all or none: the folder of the records is replaced when the last program has ended well. An
//! interrupted session leaves the old records.
//!
//! A lesson says in its `lesson.toml` how it is recorded. Another program says so in the
//! `Cargo.toml` of its package, below `[package.metadata.records]`:
//!
//! ```toml
//! tour = { example = "tour" }                                    # its text, as tour.txt
//! bench-pool = { bin = "bench-pool", numbers = true, rounds = 21 } # as bench-pool.json
//! ```

use crate::{House, machine, place};
use anyhow::{Context, Result, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};

/// What a lesson says where a Python would speak.
const LEFT_OUT: &str = "Python       left out: ";

/// One run that the book quotes, and what is kept of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its files' name.
    pub name: String,
    /// The package, and the kind and name of the program in it, as cargo wants them.
    pub target: [String; 3],
    /// What is typed behind the program's name.
    pub options: Vec<String>,
    /// Whether the text is kept.
    pub has_text: bool,
    /// Whether the program writes a JSON value into the file that `--record` names.
    pub has_numbers: bool,
    /// Whether the program draws into the file that `--svg` names.
    pub is_drawn: bool,
    /// How many rounds are measured unless a person says otherwise; none if nothing is measured.
    pub rounds: Option<u32>,
}

/// A program in its package's manifest.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    bin: Option<String>,
    example: Option<String>,
    #[serde(default)]
    numbers: bool,
    rounds: Option<u32>,
}

/// Every run that the book quotes: those of the lessons, then those of other programs.
///
/// # Errors
/// One line that names the file that cannot be read.
pub fn recordings(house: &House) -> Result<Vec<Recording>, String> {
    let mut recordings = Vec::new();
    for lesson in house.lessons()? {
        let plain = Recording {
            name: format!("lesson-{}", lesson.number),
            target: [&format!("lesson-{}", lesson.number), "--bin", &lesson.number.to_string()]
                .map(str::to_owned),
            options: Vec::new(),
            has_text: true,
            has_numbers: true,
            is_drawn: lesson.record.drawn,
            rounds: Some(lesson.record.rounds),
        };
        let also = lesson.record.also.into_iter().map(|also| Recording {
            name: format!("{}-{}", plain.name, also.name),
            options: also.options,
            ..plain.clone()
        });
        recordings.extend(std::iter::once(plain.clone()).chain(also));
    }
    for manifest in house.manifests() {
        let told = |why: String| format!("{}: {why}", house.shown(&manifest).display());
        let text = fs::read_to_string(&manifest).map_err(|error| told(error.to_string()))?;
        recordings.extend(of_manifest(&text).map_err(told)?);
    }
    Ok(recordings)
}

/// The runs that the manifest of a package lists.
fn of_manifest(text: &str) -> Result<Vec<Recording>, String> {
    let manifest: toml::Table = toml::from_str(text).map_err(|error| error.to_string())?;
    let package = manifest.get("package").ok_or("no package")?;
    let Some(records) = package.get("metadata").and_then(|all| all.get("records")) else {
        return Ok(Vec::new());
    };
    let entries: BTreeMap<String, Entry> =
        records.clone().try_into().map_err(|error: toml::de::Error| error.to_string())?;
    let package = package.get("name").and_then(|name| name.as_str()).ok_or("no name")?;
    let recording = |(name, entry): (String, Entry)| {
        let (kind, program) = match (entry.bin, entry.example) {
            (Some(program), None) => ("--bin", program),
            (None, Some(program)) => ("--example", program),
            _ => return Err(format!("the record {name} needs one of bin and example")),
        };
        Ok(Recording {
            name,
            target: [package.to_owned(), kind.to_owned(), program],
            options: Vec::new(),
            has_text: !entry.numbers,
            has_numbers: entry.numbers,
            is_drawn: false,
            rounds: entry.rounds,
        })
    };
    entries.into_iter().map(recording).collect()
}

/// Builds the programs in release, runs them, and replaces the records of the book: all of them,
/// or those that are named in `only`.
///
/// # Errors
/// If there is no record of a name, if a lesson has no Python that it needs for its record, if a
/// program does not build or does not end well, or a file cannot be written: then the records are
/// as they were.
pub fn record(house: &House, rounds: Option<u32>, only: &[String]) -> Result<()> {
    let mut recordings = recordings(house).map_err(|why| anyhow!(why))?;
    if let Some(name) = only.iter().find(|&name| recordings.iter().all(|one| one.name != *name)) {
        let names: Vec<_> = recordings.iter().map(|one| one.name.as_str()).collect();
        bail!("there is no record `{name}`; there are {}", names.join(", "));
    }
    recordings.retain(|one| only.is_empty() || only.contains(&one.name));
    let programs = build(house, &recordings)?;
    // Asked after the build: cargo may write the lock file, and that is a change of the sources.
    let machine = machine::describe(house.root())?;
    let records = house.records();
    place::replace(&records, |folder| {
        let progress = progress(recordings.len() as u64);
        for recording in &mut recordings {
            progress.set_message(recording.name.clone());
            let name = &recording.target[2];
            let program = programs.get(name).with_context(|| format!("{name} was not built"))?;
            recording.rounds = recording.rounds.map(|own| rounds.unwrap_or(own));
            run(program, recording, &machine, folder).with_context(|| recording.name.clone())?;
            progress.inc(1);
        }
        progress.finish_and_clear();
        keep_others(&records, folder)
    })?;
    let runs = if recordings.len() == 1 { "run" } else { "runs" };
    anstream::println!("Recorded {} {runs} in {}.", recordings.len(), records.display());
    Ok(())
}

/// Builds the programs, and says where cargo has put each.
fn build(house: &House, recordings: &[Recording]) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--release", "--message-format", "json-render-diagnostics"]);
    for Recording { target, .. } in recordings {
        command.arg("--package").args(target);
    }
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

/// Runs one program once, and leaves its files in the folder.
fn run(program: &Path, recording: &Recording, machine: &Value, folder: &Path) -> Result<()> {
    let file = |ending: &str| folder.join(format!("{}.{ending}", recording.name));
    let mut command = Command::new(program);
    if let Some(rounds) = recording.rounds {
        command.arg("--rounds").arg(rounds.to_string());
    }
    if recording.has_numbers {
        command.arg("--record").arg(file("json"));
    }
    command.args(&recording.options);
    if recording.is_drawn {
        command.arg("--svg").arg(file("svg"));
    }
    // The text is the same for everybody, whatever this session's settings are.
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
    if recording.has_numbers {
        let run: Value = serde_json::from_str(&fs::read_to_string(file("json"))?)
            .context("it recorded something that is no JSON")?;
        let mut machine = machine.clone();
        if let Some(rounds) = recording.rounds {
            machine["rounds"] = rounds.into();
        }
        let record = serde_json::to_string_pretty(&json!({"machine": machine, "run": run}))?;
        fs::write(file("json"), record + "\n")?;
    }
    if recording.has_text {
        fs::write(file("txt"), text)?;
    }
    Ok(())
}

/// Copies what this session has not made: other records, and the folders beside them.
fn keep_others(records: &Path, new: &Path) -> Result<()> {
    for entry in fs::read_dir(records).into_iter().flatten() {
        let path = entry?.path();
        let copy = new.join(path.file_name().unwrap_or_default());
        if path.is_dir() {
            fs::create_dir_all(&copy)?;
            keep_others(&path, &copy)?;
        } else if !copy.exists() {
            fs::copy(&path, copy).with_context(|| path.display().to_string())?;
        }
    }
    Ok(())
}

fn progress(programs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:24} {pos}/{len} {msg} {elapsed}")
        .expect("the template is a constant");
    let progress = ProgressBar::new(programs).with_style(style);
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

    /// The recording of this name in this house.
    fn named(name: &str) -> Recording {
        let all = recordings(&House::here()).unwrap();
        let rounds = Some(3);
        let found = all.into_iter().find(|one| one.name == name).unwrap();
        Recording { rounds: found.rounds.and(rounds), ..found }
    }

    /// A program that does as this script says.
    fn program(folder: &Path, body: &str) -> PathBuf {
        let path = folder.join("program");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn one_run_leaves_three_files_and_they_replace_the_old_ones() {
        let folder = tempfile::tempdir().unwrap();
        let records = folder.path().join("records");
        fs::create_dir(&records).unwrap();
        fs::write(records.join("lesson-4.txt"), "old").unwrap();
        fs::write(records.join("source.json"), "kept").unwrap();
        // --rounds 3 --record FILE --svg FILE
        let lesson = program(
            folder.path(),
            "echo \"Lesson ${NO_COLOR}\"; echo '{\"items\": 10}' > \"$4\"; echo '<svg/>' > \"$6\"",
        );
        place::replace(&records, |new| {
            run(&lesson, &named("lesson-4"), &json!({"cores": 2}), new)?;
            keep_others(&records, new)
        })
        .unwrap();
        let read = |name: &str| fs::read_to_string(records.join(name)).unwrap();
        assert_eq!(read("lesson-4.txt"), "Lesson 1\n");
        assert_eq!(read("lesson-4.svg"), "<svg/>\n");
        let record: Value = serde_json::from_str(&read("lesson-4.json")).unwrap();
        assert_eq!(record, json!({"machine": {"cores": 2, "rounds": 3}, "run": {"items": 10}}));
        assert_eq!(read("source.json"), "kept");
    }

    #[test]
    fn a_recording_s_options_go_to_its_lesson() {
        let folder = tempfile::tempdir().unwrap();
        let steps = named("lesson-4-steps");
        let lesson = program(folder.path(), "echo \"$5\"; echo '{}' > \"$4\"");
        run(&lesson, &steps, &json!({}), folder.path()).unwrap();
        let text = fs::read_to_string(folder.path().join("lesson-4-steps.txt")).unwrap();
        assert_eq!((steps.target[2].as_str(), text.as_str()), ("4", "--steps\n"));
    }

    #[test]
    fn each_form_is_kept_with_its_machine() {
        let folder = tempfile::tempdir().unwrap();
        let body = "echo said $*\nwhile [ $# -gt 0 ]; do\n\
                    if [ $1 = --record ]; then echo '{\"items\": 1}' > $2; fi; shift; done";
        let program = program(folder.path(), body);
        let new = folder.path().join("new");
        fs::create_dir(&new).unwrap();
        for name in ["killed-worker", "faults", "tour", "beside-threads", "bench-pool"] {
            run(&program, &named(name), &json!({"commit": "abc"}), &new).unwrap();
        }
        let json = |name: &str| {
            let text = fs::read_to_string(new.join(format!("{name}.json"))).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let killed = json("killed-worker");
        assert_eq!(killed["run"]["items"], 1);
        assert_eq!(killed["machine"], json!({"commit": "abc"}), "it has no rounds");
        assert_eq!(json("bench-pool")["machine"]["rounds"], 3);
        assert_eq!(fs::read_to_string(new.join("tour.txt")).unwrap(), "said\n");
        assert_eq!(fs::read_dir(&new).unwrap().count(), 5);
    }

    #[test]
    fn a_manifest_names_its_programs_or_says_what_is_wrong() {
        let package = "[package]\nname = 'p'\n[package.metadata.records]\n";
        let [one] = &of_manifest(&format!("{package}a-b = {{ bin = 'x' }}")).unwrap()[..] else {
            panic!("one record")
        };
        assert_eq!((one.name.as_str(), one.target[1].as_str()), ("a-b", "--bin"));
        let fault = |entry: &str| of_manifest(&format!("{package}a = {entry}")).unwrap_err();
        assert!(fault("{ numbers = true }").contains("one of bin and example"));
        assert!(fault("{ bin = 'x', colour = 1 }").contains("colour"));
        assert_eq!(of_manifest("[package]\nname = 'p'\n").unwrap(), []);
    }

    #[test]
    fn a_name_of_no_record_is_told_before_anything_runs() {
        for wrong in ["lesson-44", "tuor"] {
            let only = ["tour".to_owned(), wrong.to_owned()];
            let error = record(&House::here(), Some(1), &only).unwrap_err().to_string();
            let start = format!("there is no record `{wrong}`; there are lesson-0, ");
            assert!(error.starts_with(&start), "{error}");
            assert!(error.contains(", lesson-4-steps, ") && error.contains(", tour"), "{error}");
        }
    }

    #[test]
    fn a_record_that_lacks_its_python_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let lesson = program(folder.path(), "echo 'Python       left out: there is none'");
        let error = run(&lesson, &named("lesson-0"), &json!({}), folder.path()).unwrap_err();
        let expected = "the record needs Python, which was left out: there is none";
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn a_program_that_fails_is_told_with_its_words_and_leaves_no_record() {
        let folder = tempfile::tempdir().unwrap();
        let program = program(folder.path(), "echo 'error: no luck' >&2; exit 3");
        for recording in recordings(&House::here()).unwrap() {
            let error = run(&program, &recording, &json!({}), folder.path()).unwrap_err();
            assert!(error.to_string().contains("exit status: 3: error: no luck"), "{error}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
