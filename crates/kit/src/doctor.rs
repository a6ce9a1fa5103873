//! What this machine can show: its cores and the limits on them, the tools found, and which lessons
//! work. A fact that cannot be found prints as "unknown"; nothing here fails.

use machine::{Facts, Python};
use report::Lesson;
use report::words::{count, paragraph};
use std::env;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::Command;

/// Was a tool found?
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No program of this name in `PATH`.
    No,
    /// There is one, but it did not say its version, or did not end within two seconds.
    Silent,
    /// There is one, of this version.
    Version(String),
}

/// A tool that something in the kit uses if it is there.
#[derive(Clone, Copy, Debug)]
pub struct Tool {
    /// What it is called.
    pub name: &'static str,
    /// The names of its program, the usual one first.
    pub programs: &'static [&'static str],
    /// What needs it.
    pub needed_for: &'static str,
    /// What to do without it.
    pub without: &'static str,
    /// How to get it.
    pub get: &'static str,
}

/// The tool that lessons ask for.
const PYTHON: &str = "python3";

/// The tools that are looked for. A Rust toolchain is not among them: you have one.
pub const TOOLS: [Tool; 5] = [
    Tool {
        name: "just",
        programs: &["just"],
        needed_for: "the short commands, such as just lesson-4",
        without: "cargo lesson 4, cargo kit doctor and cargo book read do the same",
        get: "pip install rust-just (seconds), or cargo install just (minutes)",
    },
    Tool {
        name: PYTHON,
        programs: &[PYTHON],
        needed_for: "lesson 8, and the second half of lesson 6",
        without: "lesson 6 leaves that half out; lesson 8 says what it needs",
        get: "your system's package python3",
    },
    Tool {
        name: "chromium",
        programs: &["chromium", "chromium-browser", "google-chrome", "chrome"],
        needed_for: "looking at the book's pages without a person",
        without: "just read serves the book to any browser",
        get: "your system's package chromium",
    },
    Tool {
        name: "mpirun",
        programs: &["mpirun", "mpiexec"],
        needed_for: "a lesson to come, on more than one machine",
        without: "no lesson so far needs it",
        get: "your system's package openmpi-bin or mpich",
    },
    Tool {
        name: "perf",
        programs: &["perf"],
        needed_for: "your own look inside a run: perf stat, perf sched",
        without: "no lesson needs it",
        get: "your system's package linux-perf, perf or linux-tools (Linux only)",
    },
];

/// Looks for every tool of [`TOOLS`] in `PATH`, and asks it for its version.
pub fn find_tools() -> Vec<Found> {
    TOOLS.iter().map(find).collect()
}

fn find(tool: &Tool) -> Found {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = env::split_paths(&path).collect();
    let there = |program: &&&str| folders.iter().any(|folder| folder.join(program).is_file());
    let Some(program) = tool.programs.iter().find(there) else { return Found::No };
    let version = if tool.name == PYTHON {
        let python = Python::ask(program).ok();
        python
            .map(|Python { version: (major, minor, patch), .. }| format!("{major}.{minor}.{patch}"))
    } else {
        let text = machine::said(Command::new(program).arg("--version")).ok().flatten();
        let text = text.unwrap_or_default();
        let starts_with_digit = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let mut words = text.lines().next().unwrap_or_default().split_whitespace();
        words.find(starts_with_digit).map(str::to_owned)
    };
    version.map_or(Found::Silent, Found::Version)
}

/// Prints the facts and the tools that were found (in the order of [`TOOLS`]), and what follows from
/// them.
///
/// # Errors
/// If `out` cannot be written.
pub fn print(
    facts: &Facts,
    found: &[Found],
    all: &[Lesson],
    out: &mut impl Write,
) -> io::Result<()> {
    paragraph(out, "System", &facts.system)?;
    paragraph(out, "CPU", facts.cpu.as_deref().unwrap_or("unknown"))?;
    paragraph(out, "Cores", &cores(facts))?;
    paragraph(out, "SMT", &smt(facts))?;
    paragraph(out, "Memory", &memory(facts))?;
    paragraph(out, "Load", &load(facts))?;
    paragraph(out, "Fork server", &fork_server(facts))?;
    paragraph(out, "Tools", &tools(found, true))?;
    let missing = tools(found, false);
    if !missing.is_empty() {
        paragraph(out, "Missing", &missing)?;
    }
    paragraph(out, "Lessons", &lessons(facts, found, all))
}

fn known<T: ToString>(fact: Option<T>) -> String {
    fact.map_or_else(|| "unknown".to_owned(), |fact| fact.to_string())
}

fn cores(facts: &Facts) -> String {
    let mut text = match facts.cores {
        Some(1) => "1 for this program: every stage works, and none is faster than the loop;\n\
                    expect 1.00x, and read the schedules"
            .to_owned(),
        Some(cores) => format!("{cores} for this program"),
        None => "unknown: the lessons run all the same".to_owned(),
    };
    text += &format!(
        "\nswitched on: {}; allowed to this process: {}; control group's limit: {}",
        known(facts.online),
        known(facts.allowed),
        match facts.quota {
            Some(quota) => format!("{quota:.2}"),
            None if facts.linux => "none".to_owned(),
            None => "unknown".to_owned(),
        }
    );
    if let (Some(online), Some(allowed)) = (facts.online, facts.allowed)
        && allowed < online
    {
        text +=
            &format!("\nan affinity mask (taskset, a container) keeps {} away", online - allowed);
    }
    if let Some(quota) = facts.quota
        && facts.allowed.is_none_or(|allowed| quota < allowed as f64)
    {
        text += "\nthe control group (a container's CPU limit) stops the program for the rest of\n\
                 each period when its share is used up: times jump, so read the medians";
    }
    text
}

fn smt(facts: &Facts) -> String {
    match facts.threads_a_core {
        Some(1) => "no: each processor is a core of its own, as far as the system knows".to_owned(),
        Some(threads) => format!(
            "yes: {threads} hardware threads share a core; workers that meet on one core get\n\
             less than a core each, so expect less than predicted from more than {} workers",
            facts.online.map_or_else(|| "half as many".to_owned(), |n| (n / threads).to_string())
        ),
        None => "unknown".to_owned(),
    }
}

fn memory(facts: &Facts) -> String {
    let size = |(all, free): (u64, u64)| {
        let (unit, name) = if all < 1 << 30 { (1 << 20, "MiB") } else { (1 << 30, "GiB") };
        let shown = |bytes: u64| bytes as f64 / f64::from(unit);
        format!("{:.1} {name}, {:.1} of it free", shown(all), shown(free))
    };
    format!("{}; /dev/shm: {}", known(facts.memory.map(size)), known(facts.shared.map(size)))
}

fn load(facts: &Facts) -> String {
    let Some(load) = facts.load else { return "unknown".to_owned() };
    // The lessons use two workers unless told otherwise: that many cores should be free.
    let spare = facts.cores.map_or(0.0, |cores| cores as f64 - 2.5).max(0.5);
    let verdict = if load > spare {
        "the machine is busy, or was (a build counts);\nwait before you measure"
    } else {
        "quiet enough to measure"
    };
    format!("{load:.2} over the last minute: {verdict}")
}

fn fork_server(facts: &Facts) -> String {
    match why_no_fork_server(facts) {
        None => "works: this is Linux, and /proc can be read".to_owned(),
        Some(why) => format!("does not work: {why}"),
    }
}

fn why_no_fork_server(facts: &Facts) -> Option<&'static str> {
    if !facts.linux {
        Some("it needs Linux; on Windows use WSL2, elsewhere a container")
    } else if !facts.proc {
        Some("/proc/self/task cannot be read, and it counts the threads")
    } else {
        None
    }
}

/// Why a lesson does not work here, if it does not.
fn why_not(lesson: &Lesson, facts: &Facts, found: &[Found]) -> Option<String> {
    if lesson.requires.fork_server {
        return why_no_fork_server(facts).map(|why| format!("does not work here: {why}"));
    }
    let python = TOOLS.iter().zip(found).find(|(tool, _)| tool.name == PYTHON);
    let has_python = python.is_some_and(|(_, found)| matches!(found, Found::Version(_)));
    // Which Python it needs, the lesson itself says.
    (lesson.requires.python && !has_python)
        .then(|| "does not work here: there is no python3".to_owned())
}

/// The tools that were found, or those that were not; nothing if there is none.
fn tools(states: &[Found], found: bool) -> String {
    let mut lines = Vec::new();
    for (tool, state) in TOOLS.iter().zip(states) {
        let (name, why) = (tool.name, tool.needed_for);
        match state {
            Found::No if found => {}
            Found::No => lines.push(format!(
                "{name:<10}for {why}\n{:<10}without it: {}\n{:<10}get it: {}",
                "", tool.without, "", tool.get
            )),
            _ if !found => {}
            Found::Silent => {
                lines.push(format!("{name:<10}{:<10}{why}", "found"));
                lines.push(format!("{:<10}but it does not run: `{name} --version` fails", ""));
            }
            Found::Version(version) => lines.push(format!("{name:<10}{version:<9} {why}")),
        }
    }
    if lines.is_empty() && found {
        lines.push("none of the optional ones; a Rust toolchain is enough".to_owned());
    }
    lines.join("\n")
}

fn lessons(facts: &Facts, found: &[Found], all: &[Lesson]) -> String {
    let mut lines = Vec::new();
    for lesson in all {
        let verdict = match why_not(lesson, facts, found) {
            Some(why) => why,
            None if facts.cores == Some(1) => "works; expect 1.00x".to_owned(),
            None => "works".to_owned(),
        };
        lines.push(format!("{} {:<17}{verdict}", lesson.number, lesson.name));
    }
    let working = all.iter().filter(|lesson| why_not(lesson, facts, found).is_none()).count();
    lines.push(format!("{} of {} work here", working, count(all.len(), "lesson")));
    lines.join("\n")
}
