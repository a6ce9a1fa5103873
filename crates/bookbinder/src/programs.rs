//! Records of programs that are no lesson: what a killed worker does to our pools, what each fault
//! costs, the fork beside threads, the tour of the pool, and the pool against its bars.
//!
//! Each is a program of the workspace, run in release; it prints JSON objects or text, and that is
//! kept beside the machine.

use crate::{House, machine, record};
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// One record, and how it comes about.
#[derive(Debug)]
pub struct Program {
    /// The record's name, without its ending.
    pub record: &'static str,
    /// The package, and the kind and name of the program in it.
    pub target: [&'static str; 3],
    form: Form,
}

/// What a program prints, and so what is kept of it.
#[derive(Debug)]
enum Form {
    /// Text, kept as it is.
    Text,
    /// One JSON value, kept as the `run`.
    Json,
    /// As before, and it measures: the rounds are an option of it.
    Measured,
    /// A JSON object each time; kept as an array.
    Runs(&'static [[&'static str; 3]]),
}

/// The rounds of a program that measures, unless somebody says otherwise.
const ROUNDS: u32 = 21;

/// Every program whose output the book has.
pub const PROGRAMS: [Program; 5] = [
    Program {
        record: "killed-worker",
        target: ["process-futures", "--example", "killed_worker"],
        // The limit is that of `records/pools/record.py`.
        form: Form::Runs(&[
            ["processes", "call", "5"],
            ["processes", "answer", "5"],
            ["process-futures", "call", "5"],
            ["process-futures", "answer", "5"],
        ]),
    },
    Program {
        record: "faults",
        target: ["process-futures", "--example", "faults"],
        form: Form::Json,
    },
    Program { record: "tour", target: ["process-futures", "--example", "tour"], form: Form::Text },
    Program {
        record: "beside-threads",
        target: ["processes", "--example", "beside_threads"],
        form: Form::Text,
    },
    Program {
        record: "bench-pool",
        target: ["benches", "--bin", "bench-pool"],
        form: Form::Measured,
    },
];

impl Program {
    /// Runs it and leaves its record in the folder.
    ///
    /// # Errors
    /// If it does not end well, or prints what is not of its form.
    pub fn record(
        &self,
        house: &House,
        programs: &BTreeMap<String, PathBuf>,
        rounds: u32,
        folder: &Path,
    ) -> Result<()> {
        let name = self.target[2];
        let program = programs.get(name).with_context(|| format!("{name} was not built"))?;
        let mut machine = machine::describe(house.root())?;
        let run = match self.form {
            Form::Text => {
                let text = run(program, &[])?;
                return Ok(fs::write(folder.join(format!("{}.txt", self.record)), text)?);
            }
            Form::Json => read(&run(program, &[])?)?,
            Form::Measured => {
                // What stands beside ours in the rows.
                machine["python"] = run(Path::new("python3"), &["--version"])
                    .map_or(Value::Null, |version| json!(version.trim()));
                read(&run(program, &["--json", "--rounds", &rounds.to_string()])?)?
            }
            Form::Runs(runs) => runs
                .iter()
                .map(|arguments| read(&run(program, arguments)?))
                .collect::<Result<Value>>()?,
        };
        if matches!(self.form, Form::Measured) {
            machine["rounds"] = rounds.into();
        }
        let record = serde_json::to_string_pretty(&json!({"machine": machine, "run": run}))?;
        Ok(fs::write(folder.join(format!("{}.json", self.record)), record + "\n")?)
    }
}

/// Records the lessons' runs and these programs: all, or those that are named in `only`.
///
/// # Errors
/// If there is no record of a name; and as [`record::record`].
pub fn record(house: &House, rounds: Option<u32>, only: &[String]) -> Result<()> {
    let lessons = record::recordings(house)?;
    let mut names = lessons.iter().map(|lesson| &*lesson.name);
    let is_program = |name: &str| PROGRAMS.iter().any(|program| program.record == name);
    if let Some(name) = only.iter().find(|name| !is_program(name) && names.all(|one| one != *name))
    {
        let all = lessons.iter().map(|lesson| &*lesson.name);
        let all: Vec<_> = all.chain(PROGRAMS.iter().map(|program| program.record)).collect();
        bail!("there is no record `{name}`; there are {}", all.join(", "));
    }
    let (programs, lessons): (Vec<_>, Vec<_>) =
        only.iter().cloned().partition(|name| is_program(name));
    if only.is_empty() || !lessons.is_empty() {
        record::record(house, rounds, &lessons)?;
    }
    let is_wanted =
        |program: &&Program| only.is_empty() || programs.iter().any(|name| name == program.record);
    let wanted: Vec<_> = PROGRAMS.iter().filter(is_wanted).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let targets: Vec<&str> =
        wanted.iter().flat_map(|program| [&["--package"], &program.target[..]].concat()).collect();
    let built = record::build(house, &targets)?;
    let folder = tempfile::tempdir_in(house.book()).context("no folder for the new records")?;
    for program in &wanted {
        anstream::eprintln!("{}", program.record);
        program
            .record(house, &built, rounds.unwrap_or(ROUNDS), folder.path())
            .with_context(|| program.record.to_owned())?;
    }
    record::replace(folder.path(), &house.records())?;
    anstream::println!("Recorded {} more in {}.", wanted.len(), house.records().display());
    Ok(())
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text).context("it printed something that is no JSON")
}

/// What the program prints. Its progress, on standard error, goes to whoever looks.
fn run(program: &Path, arguments: &[&str]) -> Result<String> {
    let mut command = Command::new(program);
    command.args(arguments).env("NO_COLOR", "1").env_remove("RUST_BACKTRACE");
    let command = command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = command.output().with_context(|| program.display().to_string())?;
    if !output.status.success() {
        bail!("{} {}: {}", program.display(), arguments.join(" "), output.status);
    }
    String::from_utf8(output.stdout).context("it printed something that is no text")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    /// A house that is under git, and programs of these names that all do the same.
    fn stage(body: &str) -> (tempfile::TempDir, BTreeMap<String, PathBuf>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("program");
        fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let all = PROGRAMS.iter().map(|program| (program.target[2].to_owned(), path.clone()));
        (folder, all.collect())
    }

    #[test]
    fn each_form_is_kept_with_its_machine() {
        let (folder, programs) = stage("echo \"{\\\"arguments\\\": \\\"$*\\\"}\"");
        for program in &PROGRAMS {
            program.record(&House::here(), &programs, 3, folder.path()).unwrap();
        }
        let json = |name: &str| {
            let text = fs::read_to_string(folder.path().join(format!("{name}.json"))).unwrap();
            serde_json::from_str::<Value>(&text).unwrap()
        };
        let killed = json("killed-worker");
        assert_eq!(killed["run"].as_array().unwrap().len(), 4);
        assert_eq!(killed["run"][1]["arguments"], "processes answer 5");
        assert!(killed["machine"]["commit"].is_string());
        assert_eq!(killed["machine"]["rounds"], Value::Null, "it has none");
        let bench = json("bench-pool");
        assert_eq!(bench["run"]["arguments"], "--json --rounds 3");
        assert_eq!(bench["machine"]["rounds"], 3);
        let text = fs::read_to_string(folder.path().join("tour.txt")).unwrap();
        assert_eq!(text, "{\"arguments\": \"\"}\n");
    }

    #[test]
    fn a_name_of_no_record_is_told_before_anything_runs() {
        let only = ["tour".to_owned(), "tuor".to_owned()];
        let error = record(&House::here(), None, &only).unwrap_err().to_string();
        assert!(error.starts_with("there is no record `tuor`; there are lesson-0, "), "{error}");
        assert!(error.ends_with(", bench-pool"), "{error}");
    }

    #[test]
    fn a_program_that_fails_leaves_no_record() {
        let (folder, programs) = stage("echo '[]'; exit 3");
        for program in &PROGRAMS {
            let error = program.record(&House::here(), &programs, 3, folder.path()).unwrap_err();
            assert!(format!("{error:#}").contains("exit status: 3"), "{error:#}");
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
