//! The real Python beside the lesson: found, asked for its version, and given the same work.

use indicatif::{ProgressBar, ProgressStyle};
use kernel::euclid;
use machine::{NoPython, Python};
use report::{Given, Policy, Run, Summary, counted};
use schedule::speedup as scheduled;
use serde_json::Value;
use std::error::Error;
use std::ffi::OsStr;
use std::io::{IsTerminal, Write, stderr};
use std::path::Path;
use std::process::{Command, Stdio};

/// Python takes seconds for a round, so it runs fewer rounds than the lesson.
const ROUNDS: usize = 3;

/// The check of `--python PATH`: whether the path is a Python that can run the lesson's programs.
///
/// # Errors
/// One line that says what the path is instead.
pub fn check(path: &OsStr) -> Result<(), String> {
    let shown = path.to_string_lossy().escape_debug().to_string();
    let python = Python::ask(path).map_err(|why| why.to_string());
    python.and_then(fits).map_err(|what| format!("--python {shown}: {what}"))
}

/// The Python to use: the Python of `--python` (already checked), else the `python3` on the path;
/// or why there is no Python.
fn find(asked: Option<&OsStr>) -> Result<&OsStr, String> {
    if let Some(path) = asked {
        return Ok(path);
    }
    let program = OsStr::new("python3");
    let what = match Python::ask(program) {
        Ok(python) => match fits(python) {
            Ok(()) => return Ok(program),
            Err(what) => what,
        },
        Err(why @ (NoPython::Other | NoPython::Silent)) => why.to_string(),
        Err(_) => return Err("there is no python3 on the PATH; --python PATH names one".to_owned()),
    };
    Err(format!("the python3 on the PATH: {what}; --python PATH chooses another"))
}

fn fits(python: Python) -> Result<(), String> {
    match python.version {
        (major, minor, _) if (major, minor) < (3, 9) => {
            Err(format!("Python 3.9 or newer is needed, and this is {major}.{minor}"))
        }
        _ => Ok(()),
    }
}

/// Runs the same programs in Python, and prints their tables and the ratio of the interpreter's
/// time (`ours`, the seconds of its serial row) to Python's. If there is no Python, one line says
/// so.
///
/// # Errors
/// If Python fails, or does not give the kernel's answers.
pub fn beside(run: &mut Run, ours: f64) -> Result<(), Box<dyn Error>> {
    let asked = run.extra("python").map(OsStr::to_owned);
    let python = match find(asked.as_deref()) {
        Ok(python) => python,
        Err(why) => return run.say("Python", &format!("left out: {why}")),
    };
    let record = measure(python, run)?;
    let unreadable = || format!("measure.py gave no record: {record}");
    let text = |key: &str| record[key].as_str().ok_or_else(unreadable);
    let free = record["free_threaded"].as_bool().ok_or_else(unreadable)?;
    let lock = if free { "free-threaded: no interpreter lock" } else { "one interpreter lock" };
    let rounds = counted(record["rounds"].as_u64().ok_or_else(unreadable)? as usize, "round");
    let (name, version) = (text("implementation")?, text("python")?);
    let method = text("start_method")?;
    run.say(
        "Python",
        &format!("{name} {version}, {lock}\n{rounds} of its own, processes by {method}"),
    )?;

    let costs: Vec<u64> = run.pairs().into_iter().map(kernel::steps).collect();
    let queue = |costs: &[u64]| Some(scheduled(Policy::Queue, costs, run.workers()));
    let under_the_lock = if free { queue(&costs) } else { Some(1.0) };
    let waits = vec![1; costs.len().min(super::program::WAITS)];
    let rows = [
        ("serial", "serial", Some(1.0), None),
        ("threads", "serial", under_the_lock, None),
        ("processes", "serial", queue(&costs), None),
        (
            "waits, serial",
            "waits, serial",
            Some(1.0),
            Some("each item waits, and computes nothing:"),
        ),
        ("waits, threads", "waits, serial", queue(&waits), None),
    ];
    let times = |stage: &str| -> Result<Summary, Box<dyn Error>> {
        let stages = record["stages"].as_array().ok_or_else(unreadable)?;
        let found = stages.iter().find(|found| found["name"] == stage).ok_or_else(unreadable)?;
        let number = |key: &str| found[key].as_f64().filter(|&s| s > 0.0).ok_or_else(unreadable);
        Ok(Summary { median: number("seconds")?, low: number("low")?, high: number("high")? })
    };
    let mut table = Vec::new();
    for (name, reference, predicted, note) in rows {
        let (time, reference) = (times(name)?, times(reference)?.median);
        let note = note.map(str::to_owned);
        table.push(Given { name: name.to_owned(), note, time, reference, predicted });
    }
    let theirs = table[0].time.median;
    run.given("In Python", table)?;
    let ratio = ours / theirs;
    run.figure("ratio_to_python", ratio);
    let digits = report::ratio(ratio);
    run.say("Ratio", &format!("our interpreter takes {digits} times as long as this Python"))?;
    run.fact("python", record);
    Ok(())
}

/// Runs `measure.py`, and gives the object that it prints.
fn measure(python: &OsStr, run: &Run) -> Result<Value, Box<dyn Error>> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/measure.py");
    let rounds = run.rounds().min(ROUNDS);
    let progress = progress(python, rounds);
    let mut child = Command::new(python)
        .arg("-B") // leaves no compiled files beside the sources
        .arg(script)
        .args(["--workers", &run.workers().to_string(), "--rounds", &rounds.to_string()])
        .args(["--wait-ms", &super::program::WAIT_MS.to_string(), "--pairs", "/dev/stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let pairs: String =
        run.pairs().iter().map(|pair| format!("{} {}\n", pair.a(), pair.b())).collect();
    // The script reads all pairs before it writes, so this write cannot block for ever. If the
    // script ends sooner, the write fails, and the exit status below reports the failure.
    let _ = child.stdin.take().map(|mut input| input.write_all(pairs.as_bytes()));
    let output = child.wait_with_output()?;
    if let Some(progress) = progress {
        progress.finish_and_clear();
    }
    let shown = python.to_string_lossy();
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let last = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
        return Err(format!("{shown} ended with {}: {last}", output.status).into());
    }
    let record: Value = serde_json::from_slice(&output.stdout)
        .map_err(|error| format!("{shown}: measure.py gave no record: {error}"))?;
    let expected: Vec<u64> = run.pairs().into_iter().map(euclid).collect();
    if record["answers"] != serde_json::json!(expected) {
        return Err(format!("{shown} gives other answers than the kernel").into());
    }
    Ok(record)
}

/// A line while Python runs. The line is drawn once and does not tick, because a progress bar that
/// ticks has a thread.
fn progress(python: &OsStr, rounds: usize) -> Option<ProgressBar> {
    if !stderr().is_terminal() {
        return None;
    }
    let style = ProgressStyle::with_template("  {msg}").expect("the template is a constant");
    let bar = ProgressBar::new_spinner().with_style(style);
    let (python, rounds) = (python.to_string_lossy(), counted(rounds, "round"));
    bar.set_message(format!("{python} runs the same programs, {rounds} of some seconds each"));
    bar.tick();
    Some(bar)
}
