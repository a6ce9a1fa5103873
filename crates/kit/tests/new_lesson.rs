//! A lesson is one folder: lesson 99 is made from the template in a scratch copy of the workspace,
//! and everything that speaks of lessons knows it, with no other file changed by hand but the
//! book's SUMMARY.

use bookbinder::House;
use bookbinder::expand::Expander;
use one_change_tests::surroundings::program;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A copy of the workspace, and what it has of its own.
struct Scratch {
    root: tempfile::TempDir,
}

/// Every file below a folder with its content; build output is left out.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    fn walk(root: &Path, folder: &Path, found: &mut BTreeMap<PathBuf, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !["target", ".git", "build"].contains(&name) {
                walk(root, &path, found);
            } else if path.is_file() {
                found.insert(path.strip_prefix(root).unwrap().to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(folder, folder, &mut found);
    found
}

impl Scratch {
    fn of_the_workspace() -> Self {
        let root = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (path, content) in files(&here) {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        Self { root }
    }

    fn run(&self, path: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        // One build folder for both: what comes from the registry is built already.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
        program(path)
            .args(arguments)
            .current_dir(self.root.path())
            .env("CARGO_TARGET_DIR", target)
            .env("CARGO_NET_OFFLINE", "true")
            .env("CARGO", env!("CARGO"))
            .envs(variables.iter().copied())
            .output()
            .unwrap()
    }

    fn kit(&self, arguments: &[&str]) -> Output {
        self.run(env!("CARGO_BIN_EXE_kit"), arguments, &[])
    }

    fn cargo(&self, arguments: &[&str], variables: &[(&str, &str)]) -> Output {
        self.run(env!("CARGO"), arguments, variables)
    }
}

/// What it printed, if it ended with this status.
#[track_caller]
fn printed(output: Output, status: i32) -> String {
    let text = String::from_utf8(output.stdout).unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{text}\n{complaint}");
    text
}

#[test]
fn lesson_99_is_one_folder_and_one_line_of_the_summary() {
    let scratch = Scratch::of_the_workspace();
    let root = scratch.root.path();
    let before = files(root);

    let said = printed(scratch.kit(&["new-lesson", "ninety-nine", "--number", "99"]), 0);
    assert!(said.contains("lessons/99-ninety-nine"), "{said}");
    let summary = root.join("book/src/SUMMARY.md");
    let line = "- [99 Ninety-nine](99-ninety-nine.md)\n\n# The pool";
    let text = fs::read_to_string(&summary).unwrap().replace("\n# The pool", line);
    fs::write(&summary, text).unwrap();

    // Which files are there now that were not, and which are not as they were.
    let after = files(root);
    let changed: BTreeSet<&Path> = after
        .iter()
        .filter(|(path, text)| before.get(*path) != Some(text))
        .map(|f| &**f.0)
        .collect();
    let (folder, others): (BTreeSet<&Path>, BTreeSet<&Path>) =
        changed.into_iter().partition(|path| path.starts_with("lessons/99-ninety-nine"));
    assert!(folder.len() > 8, "{folder:?}");
    let made = ["README.md", "lessons/recipes.just"]; // by `kit generate`, not by hand
    let by_hand = ["book/src/99-ninety-nine.md", "book/src/SUMMARY.md"];
    assert_eq!(others, made.iter().chain(&by_hand).map(Path::new).collect());
    assert!(before.keys().all(|path| after.contains_key(path)), "no file is gone");

    // It runs, and predicts.
    let lesson = printed(scratch.cargo(&["lesson", "99", "--", "--rounds", "1"], &[]), 0);
    assert!(lesson.starts_with("Lesson 99   ninety-nine   "), "{lesson}");
    assert!(lesson.contains("\nAnswers "), "{lesson}");
    let question = printed(scratch.kit(&["predict", "99"]), 0);
    assert!(question.starts_with("Predict 99   ninety-nine   "), "{question}");
    assert!(question.contains("\nQuestion     todo: what is run on 2 threads"), "{question}");
    let answer = printed(scratch.kit(&["predict", "99", "1.9"]), 0);
    assert!(answer.contains("asked was: a queue, 1.97x"), "{answer}");

    // Its own tests record what it prints, and refuse what is still to be said.
    let record = [("INSTA_UPDATE", "always")];
    printed(scratch.cargo(&["test", "--quiet", "-p", "lesson-99", "json"], &record), 0);
    let unsaid = scratch.cargo(&["test", "--quiet", "-p", "lesson-99", "words"], &[]);
    let unsaid = printed(unsaid, 101);
    assert!(unsaid.contains("lesson.toml has something left to say"), "{unsaid}");

    // And so it can be compared.
    let compared = printed(scratch.kit(&["compare", "99"]), 0);
    assert!(compared.starts_with("Compare 99   ninety-nine   "), "{compared}");

    // Its exercise is checked, its solution passes, and there are hints.
    let unsolved = printed(scratch.kit(&["exercise", "99"]), 1);
    assert!(unsolved.starts_with("Exercise 99   todo"), "{unsolved}");
    let solved = printed(scratch.kit(&["exercise", "99", "--solution"]), 0);
    assert!(solved.contains("Passed "), "{solved}");
    let hint = printed(scratch.kit(&["hint", "99", "2"]), 0);
    assert!(hint.contains("todo: which tool to take."), "{hint}");

    // The book's list of chapters has it, and what its chapter asks for is there.
    let house = House::at(root);
    let filled = |text: &str| Expander::new(&house).page(Path::new("page.md"), text).unwrap();
    assert!(filled("{{lessons}}").contains("| [99 ninety-nine](99-ninety-nine.md) | "));
    let chapter = fs::read_to_string(root.join("book/src/99-ninety-nine.md")).unwrap();
    let chapter = filled(&chapter);
    assert!(
        chapter.contains("> **Minutes** about 20") && chapter.contains("let pool = Threads::new")
    );

    // Doctor, README and the recipes have it.
    let doctor = printed(scratch.kit(&["doctor"]), 0);
    assert!(
        doctor.lines().any(|line| line.trim_start().starts_with("99 ninety-nine ")),
        "{doctor}"
    );
    let readme = fs::read_to_string(root.join("README.md")).unwrap();
    assert!(readme.contains("\n| 99 | [ninety-nine](lessons/99-ninety-nine/main.rs) | "));
    let recipes = fs::read_to_string(root.join("lessons/recipes.just")).unwrap();
    assert!(recipes.contains("\nlesson-99 *args:\n") && recipes.contains("\nhint-99 *args:\n"));
}

#[test]
fn a_lesson_that_is_there_and_a_name_that_is_none_are_refused() {
    for (arguments, why) in [
        (&["new-lesson", "serial"][..], "there is lessons/01-serial already"),
        (&["new-lesson", "other", "--number", "1"], "there is lessons/01-serial already"),
        (&["new-lesson", "Other Name"], "small letters and hyphens are wanted"),
        (&["new-lesson", "../other"], "small letters and hyphens are wanted"),
        (&["new-lesson", ""], "small letters and hyphens are wanted"),
        (&["new-lesson"], "required arguments were not provided"),
    ] {
        let output = program(env!("CARGO_BIN_EXE_kit")).args(arguments).output().unwrap();
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.lines().count()), (Some(2), 1), "{line}");
        assert!(line.starts_with("error: ") && line.contains(why), "{line}");
    }
}
