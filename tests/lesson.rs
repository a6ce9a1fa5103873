//! The contract of every lesson, for any options and any machine.

#![allow(missing_docs, reason = "the tests say what they test in their names")]

use crate::mask::mask;
use crate::surroundings::{self, program};
use kernel::{Pair, euclid, steps, ten_pairs};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use report::{Lesson, mask_json};
use serde_json::Value;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// The tests that every lesson has, as `one_change_tests::lesson!(4);` in its `tests/lesson.rs`.
///
/// A lesson whose rounds take seconds, or that has options of its own, names the tests that it
/// takes: `one_change_tests::lesson!(6: words_fit_their_places, help);`.
#[macro_export]
macro_rules! lesson {
    ($number:literal) => {
        $crate::lesson!($number: words_fit_their_places, plain, json, help, bad_input, one_core,
            drawing, closed_output, a_thousand_pairs, long_pairs, many_workers, colour, recorded, predict_asks,
            predict_answers, predict_gives_nothing_away);
    };
    ($number:literal: $($test:ident),* $(,)?) => {
        const SUBJECT: $crate::lesson::Subject = $crate::lesson::Subject {
            facts: include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/lesson.toml")),
            program: env!(concat!("CARGO_BIN_EXE_", $number)),
            predict: env!(concat!("CARGO_BIN_EXE_predict-", $number)),
            folder: env!("CARGO_MANIFEST_DIR"),
        };
        $(#[test] fn $test() { SUBJECT.$test(); })*
    };
}

/// A lesson: the text of its facts, its programs, and the folder of its package.
pub struct Subject {
    pub facts: &'static str,
    pub program: &'static str,
    pub predict: &'static str,
    pub folder: &'static str,
}

/// A program's output, and how the program ended.
pub struct Said {
    pub stdout: String,
    pub stderr: String,
    pub status: Option<i32>,
}

impl Subject {
    fn lesson(&self) -> Lesson {
        Lesson::of(self.facts)
    }

    /// The program with these arguments, without the settings of the environment.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = command(self.program, arguments);
        // A lesson starts no other program but Python, and its tests say which Python.
        command.env("PATH", "/nowhere");
        command
    }

    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Said {
        run(&mut self.command(arguments))
    }

    /// Runs the lesson, and asserts that it succeeds and prints nothing on standard error.
    pub fn run_well<S: AsRef<OsStr>>(&self, arguments: &[S]) -> String {
        let Said { stdout, stderr, status } = self.run(arguments);
        assert_eq!((stderr.as_str(), status), ("", Some(0)), "{stdout}");
        stdout
    }

    /// Compares this lesson's output with the snapshot of this name in its folder.
    pub fn snapshot(&self, name: &str, text: &str) {
        snapshot_in(self.folder, name, text);
    }

    pub fn words_fit_their_places(&self) {
        let lesson = self.lesson();
        assert!(!self.facts.contains("todo"), "lesson.toml has something left to say");
        let folder = Path::new(self.folder).file_name().unwrap().to_str().unwrap();
        assert_eq!(folder, lesson.folder());
        let Lesson { number, question, learn, misconception, remember, next, .. } = lesson;
        assert!(question.ends_with('?'), "{question}");
        assert!(misconception.ends_with('.'), "{misconception}");
        assert!(learn.iter().all(|phrase| !phrase.is_empty() && !phrase.ends_with('.')));
        assert!(remember.lines().all(|line| line.chars().count() <= 67), "{remember}");
        assert!(next.contains(&format!("just compare-{number}")), "{next}");
    }

    /// The output of `kit predict`: standard output, and one line about how the program ended.
    pub fn predicted(&self, folder: &Path, arguments: &[&str]) -> String {
        let mut command = command(self.predict, arguments);
        let Said { stdout, stderr, status } = run(command.current_dir(folder));
        format!("{stdout}\n--- stderr\n{stderr}--- exit status: {}\n", status.unwrap())
    }

    pub fn predict_asks(&self) {
        self.snapshot("predict", &self.predicted(Path::new("."), &[]));
    }

    pub fn predict_answers(&self) {
        self.snapshot("predict-guess", &self.predicted(Path::new("."), &["1.9"]));
        let with_an_x = self.predicted(Path::new("."), &["1.9x"]);
        assert_eq!(with_an_x, self.predicted(Path::new("."), &["1.9"]));
    }

    /// Without a guess no speed-up is given away; with a guess, the row that was asked for is
    /// printed.
    pub fn predict_gives_nothing_away(&self) {
        let text = self.predicted(Path::new("."), &[]);
        for spoiler in ["1.84", "1.97", "1.99", "5.39", "2.00x", "1.00x"] {
            assert!(!text.contains(spoiler), "{spoiler} in\n{text}");
        }
        assert!(text.contains("\nQuestion     ") && text.contains("\nGuess        "), "{text}");
        let text = self.predicted(Path::new("."), &["1.9"]);
        assert!(text.contains("asked was: ") || text.contains("\nAnswer       "), "{text}");
    }

    /// The output without any option, with only the numbers masked.
    pub fn plain(&self) {
        let text = self.run_well::<&str>(&[]);
        fits(&text);
        // A build that is not optimised says so. The program is of the same profile as this test.
        assert_eq!(text.contains("\nBuild        not optimised"), cfg!(debug_assertions));
        self.snapshot("text", &mask(&text));
    }

    /// The book quotes a recorded run, which must equal what the lesson prints today, measured
    /// numbers aside. `just record` takes the record anew.
    pub fn recorded(&self) {
        let root = curriculum::root().unwrap();
        let Lesson { number, record, .. } = self.lesson();
        let plain = (format!("lesson-{number}"), "text".to_owned());
        let also = record.also.iter().map(|also| &also.name);
        let also = also.map(|name| (format!("lesson-{number}-{name}"), name.clone()));
        for (record, name) in std::iter::once(plain).chain(also) {
            let file = root.join(format!("book/records/{record}.txt"));
            let text =
                fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()));
            self.snapshot(&name, &mask(&text));
        }
    }

    pub fn json(&self) {
        let text = self.run_well(&["--json", "--rounds", "2"]);
        assert_eq!(text.lines().count(), 1, "one document on one line");
        let document: Value = serde_json::from_str(&text).unwrap();
        let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{value} in {text}"));
        for stage in document["stages"].as_array().unwrap() {
            let [low, median, high] = ["low", "seconds", "high"].map(|name| number(&stage[name]));
            assert!(0.0 < low && low <= median && median <= high, "{stage}");
            assert!(number(&stage["speedup"]) > 0.0, "{stage}");
            for (item, span) in stage["spans"].as_array().unwrap().iter().enumerate() {
                assert_eq!(span["item"], item, "{stage}");
                assert!(span["worker"].as_u64().unwrap() < 2, "{stage}");
                assert!(
                    0.0 <= number(&span["start"]) && number(&span["start"]) <= number(&span["end"])
                );
            }
        }
        let answers: Vec<u64> = ten_pairs().into_iter().map(euclid).collect();
        assert_eq!(document["answers"], serde_json::json!(answers));
        for stage in document["stages"].as_array().unwrap() {
            let spans = stage["spans"].as_array().unwrap();
            // All spans have the same form, so keep only the first.
            assert!(spans.is_empty() || spans.len() == answers.len());
        }
        let masked = mask_json(&document);
        self.snapshot("json", &serde_json::to_string_pretty(&masked).unwrap());
    }

    pub fn help(&self) {
        let text = self.run_well(&["--help"]);
        fits(&text);
        assert_eq!(text, self.run_well(&["-h"]));
        self.snapshot("help", &text);
    }

    /// Each bad input gets one line on standard error and exit status 2, and nothing is run or
    /// written.
    pub fn bad_input(&self) {
        let folder = tempfile::tempdir().unwrap();
        let files: [(&str, &[u8]); 9] = [
            ("empty", b""),
            ("only-comments", b"# nothing\n"),
            ("zero", b"1 2\n3 0\n"),
            ("negative", b"1 2\n\n-3 4\n"),
            ("word", b"three 4\n"),
            ("one-column", b"1 2\n3\n"),
            ("three-columns", b"1 2 3\n"),
            ("over-64-bits", b"1 2\n3 4\n18446744073709551616 5\n"),
            ("not-utf8", b"1 2\n\xff 4\n"),
        ];
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        let before = names(folder.path());
        let workers =
            ["0", "x", "-1", "1.5", "1025", ""].map(|word| ("--workers", word.to_owned()));
        let rounds = ["0", "1001", "many"].map(|word| ("--rounds", word.to_owned()));
        let in_folder = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let pairs = files.map(|(name, _)| name).into_iter().chain(["missing", ""]);
        let drawings = ["", "missing/drawing.svg", "empty/drawing.svg"];
        let cases = (workers.into_iter().chain(rounds))
            .chain(pairs.map(|name| ("--pairs", in_folder(name))))
            .chain(drawings.map(|name| ("--svg", in_folder(name))))
            .map(|(option, value)| vec![option.to_owned(), value])
            .chain([vec!["--workers".into()], vec!["--speed".into()], vec!["stray".into()]]);
        let mut table = String::new();
        for arguments in cases {
            let Said { stdout, stderr, status } = self.run(&arguments);
            assert_eq!(stdout, "", "{arguments:?}");
            assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
            table.push_str(&format!(
                "{}\n{stderr}status {}\n\n",
                arguments.join(" "),
                status.unwrap()
            ));
        }
        assert_eq!(names(folder.path()), before, "nothing is left behind");
        // All lessons share one snapshot, because they all print the same.
        snapshot("bad-input", &table.replace(folder.path().to_str().unwrap(), "FOLDER"));
    }

    /// On one core the lesson says what to expect, and apart from that prints the same text.
    pub fn one_core(&self) {
        // Elsewhere, no program can be told which cores to take.
        #[cfg(target_os = "linux")]
        self.on_the_first_core();
    }

    #[cfg(target_os = "linux")]
    fn on_the_first_core(&self) {
        use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
        use nix::unistd::Pid;
        let here = Pid::from_raw(0); // this thread; a program that it starts inherits its cores
        let allowed = sched_getaffinity(here).unwrap();
        let first = (0..CpuSet::count()).find(|&core| allowed.is_set(core).unwrap()).unwrap();
        let mut one = CpuSet::new();
        one.set(first).unwrap();
        sched_setaffinity(here, &one).unwrap();
        let text = self.run_well(&["--rounds", "1"]);
        sched_setaffinity(here, &allowed).unwrap();
        let machine = text.lines().find(|line| line.starts_with("Machine ")).unwrap();
        snapshot("one-core", machine);
        self.snapshot("text", &mask(&text).replace("1 round,", "21 rounds,"));
    }

    pub fn drawing(&self) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("drawing.svg");
        fs::write(&file, "what was there before").unwrap();
        let text = self.run_well(&["--rounds", "1", "--svg", file.to_str().unwrap()]);
        assert!(text.contains("\nAnswers "), "the text is printed all the same");
        assert_eq!(names(folder.path()), ["drawing.svg"]);
        let drawing = fs::read_to_string(&file).unwrap();
        let document = roxmltree::Document::parse(&drawing).unwrap();
        let root = document.root_element();
        assert_eq!(root.attribute("role"), Some("img"));
        let named: Vec<&str> = root.attribute("aria-labelledby").unwrap().split(' ').collect();
        for (child, id) in ["title", "desc"].into_iter().zip(named) {
            let child = root
                .children()
                .find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", child)));
            let child = child.unwrap_or_else(|| panic!("no {id}"));
            assert_eq!(child.attribute("id"), Some(id));
            assert!(child.text().unwrap().len() > 20, "{child:?}");
        }
        let blocks =
            root.descendants().filter(|node| node.attribute("class") == Some("block")).count();
        assert!(blocks > 0 && blocks % 10 == 0, "{blocks} blocks: ten for each schedule");
        assert!(!drawing.contains("href") && !drawing.contains("@import"), "nothing is loaded");
    }

    /// The lesson with `| head -1`, and with an output that is closed from the beginning.
    pub fn closed_output(&self) {
        for (lines, arguments) in
            [(1, &["--rounds", "1"][..]), (0, &["--help"]), (0, &["--json", "--rounds", "1"])]
        {
            let Said { stderr, status, .. } = self.closed_after(lines, arguments);
            assert_eq!((stderr.as_str(), status), ("", Some(0)), "{arguments:?}");
        }
        self.files_of_a_closed_output(&[("--svg", "</svg>\n"), ("--record", "}")], &[]);
    }

    /// Files that were asked for are written whole, although nobody reads the output to its end.
    pub fn files_of_a_closed_output(&self, files: &[(&str, &str)], others: &[&str]) {
        let folder = tempfile::tempdir().unwrap();
        for (lines, (option, end)) in files.iter().enumerate() {
            let file = folder.path().join(lines.to_string());
            let arguments = ["--rounds", "1", option, file.to_str().unwrap()];
            let Said { stderr, status, .. } =
                self.closed_after(lines, &[&arguments, others].concat());
            assert_eq!((stderr.as_str(), status), ("", Some(0)), "{arguments:?}");
            assert!(fs::read_to_string(&file).unwrap().ends_with(end), "{arguments:?}");
        }
    }

    /// Runs the lesson, and closes its output after so many lines.
    fn closed_after(&self, lines: usize, arguments: &[&str]) -> Said {
        let mut command = self.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut reader = BufReader::new(child.stdout.take().unwrap());
        for _ in 0..lines {
            reader.read_line(&mut String::new()).unwrap();
        }
        drop(reader);
        said(child.wait_with_output().unwrap())
    }

    /// A thousand pairs, as text and as a document; the harness has compared the answers of all
    /// stages.
    pub fn a_thousand_pairs(&self) {
        let pairs: Vec<Pair> = (1..=1_000)
            .map(|n| Pair::new(n * 7 % 1_013 + 1, n * 31 % 2_003 + 1).unwrap())
            .collect();
        let text: String =
            pairs.iter().map(|pair| format!("{} {}\n", pair.a(), pair.b())).collect();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pairs");
        fs::write(&file, text).unwrap();
        let file = file.to_str().unwrap();
        let document = self.run_well(&["--pairs", file, "--rounds", "1", "--json"]);
        let document: Value = serde_json::from_str(&document).unwrap();
        let answers: Vec<u64> = pairs.iter().copied().map(euclid).collect();
        assert_eq!(document["answers"], serde_json::json!(answers));
        assert_eq!(document["items"], 1_000);
        assert_eq!(document["prediction"]["steps"], pairs.iter().copied().map(steps).sum::<u64>());
        let drawing = folder.path().join("drawing.svg");
        let text =
            self.run_well(&["--pairs", file, "--rounds", "1", "--svg", drawing.to_str().unwrap()]);
        fits(&text);
        assert!(text.contains("1,000 pairs") && text.contains(" … 984 more"), "{text}");
        roxmltree::Document::parse(&fs::read_to_string(drawing).unwrap()).unwrap();
    }

    /// Pairs that take centuries are told on standard error before they run.
    pub fn long_pairs(&self) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pairs");
        fs::write(&file, format!("{} {}\n", u64::MAX, u64::MAX - 1)).unwrap();
        let mut command = self.command(&["--json", "--pairs", file.to_str().unwrap()]);
        // In a group of its own, so that its workers can be killed with it.
        command.process_group(0).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut reader = BufReader::new(child.stderr.take().unwrap());
        let (sender, told) = mpsc::channel();
        thread::spawn(move || {
            let mut line = String::new();
            let _ = reader.read_line(&mut line);
            sender.send(line)
        });
        // The limit is for a lesson that says nothing, and so would never end.
        let told = told.recv_timeout(Duration::from_secs(60));
        let group = Pid::from_raw(child.id().try_into().unwrap());
        killpg(group, Signal::SIGKILL).unwrap();
        child.wait().unwrap();
        let told = told.expect("nothing was said");
        assert!(told.starts_with("Note: one pass over these pairs takes about "), "{told}");
        assert!(told.contains(" years or longer on one worker"), "{told}");
    }

    pub fn many_workers(&self) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("pairs");
        fs::write(&file, "1200 1800\n".repeat(40)).unwrap();
        let text =
            self.run_well(&["--workers", "40", "--rounds", "1", "--pairs", file.to_str().unwrap()]);
        fits(&text);
        assert_eq!(text.contains("24 workers more"), self.lesson().number > 1, "{text}");
    }

    /// Colour is for terminals. Forced colour changes no other part of the text.
    pub fn colour(&self) {
        let forced = run(self.command(&["--rounds", "1"]).env("CLICOLOR_FORCE", "1")).stdout;
        assert!(forced.contains("\u{1b}["), "{forced}");
        let plain = anstream::adapter::strip_str(&forced).to_string();
        self.snapshot("text", &mask(&plain).replace("1 round,", "21 rounds,"));
        let refused = run(self.command(&["--rounds", "1"]).env("NO_COLOR", "1")).stdout;
        assert!(!refused.contains('\u{1b}'));
    }
}

/// A program with these arguments, in known surroundings.
pub fn command<S: AsRef<OsStr>>(path: &str, arguments: &[S]) -> Command {
    let mut command = program(path);
    command.args(arguments);
    command
}

/// Runs a program to its end. The longest run takes some seconds; the limit allows for a very busy
/// machine.
pub fn run(command: &mut Command) -> Said {
    let output = surroundings::run(command, Duration::from_secs(300));
    said(output.unwrap_or_else(|text| panic!("{text}")))
}

/// Compares a text that is the same for all lessons with its one snapshot.
fn snapshot(name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => "snapshots",
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

/// Compares a text with the snapshot in a package's folder.
pub fn snapshot_in(folder: &str, name: &str, text: &str) {
    insta::with_settings!({
        snapshot_path => Path::new(folder).join("tests/snapshots"),
        prepend_module_to_snapshot => false,
        omit_expression => true,
    }, {
        insta::assert_snapshot!(name, text);
    });
}

pub fn said(output: Output) -> Said {
    let text = |bytes| String::from_utf8(bytes).expect("a lesson speaks UTF-8");
    Said { stdout: text(output.stdout), stderr: text(output.stderr), status: output.status.code() }
}

/// Asserts that no line is over eighty columns, and that no character is for terminals only.
pub fn fits(text: &str) {
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
}

/// The names of the files in a folder, sorted.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
