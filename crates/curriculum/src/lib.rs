//! The one list of lessons, made from their folders.
//!
//! A lesson is one folder below `lessons/`, and `lesson.toml` in it holds the facts: the lesson's
//! name, question, needs, and how its record is taken. The lesson itself reads its own file at
//! compile time ([`Lesson::read`] of an `include_str!`). Programs that need all lessons (kit,
//! bookbinder, the house tests) read the folders when they run ([`lessons`]), so a new folder is
//! known to all of them without a change of any other file.

#![forbid(unsafe_code)]

use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The facts of one lesson. Each text is plain, without markup, and one line long unless its field
/// says otherwise.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Lesson {
    /// The lesson's number, as in `just lesson-4`.
    pub number: u32,
    /// The second half of the folder's name: `processes` in `04-processes`.
    pub name: String,
    /// The title of the lesson's chapter: `The interpreter lock`.
    pub title: String,
    /// The question that the lesson answers, with its question mark.
    pub question: String,
    /// How long the lesson takes to read, run and try, in minutes.
    pub minutes: u32,
    /// What you need for the lesson: earlier lessons, tools, a system.
    pub needs: String,
    /// What you will learn: three phrases that go on after "You will learn".
    pub learn: [String; 3],
    /// The wrong belief that the lesson corrects, in the words of a person who holds it.
    pub misconception: String,
    /// What to remember: one sentence a line, at most 67 characters each.
    pub remember: String,
    /// What to type next.
    pub next: String,
    /// What a machine must have, as far as a program can find out.
    #[serde(default)]
    pub requires: Requires,
    /// How the book's record of the lesson is taken.
    #[serde(default)]
    pub record: Record,
    /// The row that the lesson adds to the decision table, if there is one.
    pub decision: Option<Decision>,
}

/// What a machine must have for a lesson to run. `just doctor` checks for these things.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Requires {
    /// The fork server, and so Linux with a `/proc` that can be read.
    pub fork_server: bool,
    /// A `python3`. The lesson itself says which version.
    pub python: bool,
}

/// How `just record` runs a lesson.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(default, deny_unknown_fields)]
pub struct Record {
    /// How many rounds are measured unless a person says otherwise.
    pub rounds: u32,
    /// Whether the lesson draws its schedule (`--svg`).
    pub drawn: bool,
    /// Further runs of the lesson that the book quotes.
    pub also: Vec<AlsoRecorded>,
}

impl Default for Record {
    fn default() -> Self {
        Self { rounds: 21, drawn: true, also: Vec::new() }
    }
}

/// A run with other options, recorded beside the plain one.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct AlsoRecorded {
    /// The suffix of the record's name: `steps` in `lesson-4-steps`.
    pub name: String,
    /// The options that are typed behind `just lesson-4`.
    pub options: Vec<String>,
}

/// A row of the decision table.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// The row's place in the table: rows stand in the order of their ranks, and a reader takes the
    /// first row that fits.
    pub rank: u32,
    /// The reader's work.
    pub work: String,
    /// What to take for it.
    pub take: String,
}

impl Lesson {
    /// Reads the text of a `lesson.toml`.
    ///
    /// # Errors
    /// What is missing or wrong, with its line, if the text does not describe a lesson.
    pub fn read(text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    /// [`read`](Self::read) for a text that is compiled into the program, as each lesson's own file
    /// is.
    ///
    /// # Panics
    /// If the text does not describe a lesson. The tests of each lesson read its file.
    pub fn of(text: &str) -> Self {
        Self::read(text).unwrap_or_else(|why| panic!("lesson.toml: {why}"))
    }

    /// The name of the lesson's folder below `lessons/`: `04-processes`.
    pub fn folder(&self) -> String {
        format!("{:02}-{}", self.number, self.name)
    }

    /// The file name of the lesson's chapter in the book: `04-processes.md`.
    pub fn chapter(&self) -> String {
        format!("{}.md", self.folder())
    }

    /// Whether the lesson has an exercise.
    pub fn has_exercise(&self, root: &Path) -> bool {
        self.path(root).join("exercise").is_dir()
    }

    /// The path of the lesson's folder.
    pub fn path(&self, root: &Path) -> PathBuf {
        root.join("lessons").join(self.folder())
    }
}

/// Every lesson of the workspace in this folder, in the order of their numbers.
///
/// # Errors
/// One line that names the file: if a `lesson.toml` cannot be read or does not describe a lesson,
/// if its folder has another name than the file says, or if two lessons have one number.
pub fn lessons(root: &Path) -> Result<Vec<Lesson>, String> {
    let folder = root.join("lessons");
    let told = |path: &Path, why: String| format!("{}: {why}", path.display());
    let entries = fs::read_dir(&folder).map_err(|error| told(&folder, error.to_string()))?;
    let mut lessons: Vec<Lesson> = Vec::new();
    for entry in entries {
        let file = entry.map_err(|error| told(&folder, error.to_string()))?.path().join(FACTS);
        if !file.is_file() {
            continue;
        }
        let text = fs::read_to_string(&file).map_err(|error| told(&file, error.to_string()))?;
        let lesson = Lesson::read(&text).map_err(|why| told(&file, why))?;
        if !file.parent().is_some_and(|folder| folder.ends_with(lesson.folder())) {
            return Err(told(&file, format!("the folder should be {}", lesson.folder())));
        }
        lessons.push(lesson);
    }
    lessons.sort_by_key(|lesson| lesson.number);
    match lessons.windows(2).find(|two| two[0].number == two[1].number) {
        Some(two) => Err(format!("{} and {} have one number", two[0].folder(), two[1].folder())),
        None => Ok(lessons),
    }
}

/// The file with a lesson's facts.
const FACTS: &str = "lesson.toml";

/// The workspace's folder: the nearest one above the current folder that has lessons, or else the
/// folder that this program was built from.
///
/// # Errors
/// One line if there is no such folder.
pub fn root() -> Result<PathBuf, String> {
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let current = env::current_dir().unwrap_or_default();
    let mut candidates = current.ancestors().chain([&*built_from]);
    let is_root = |folder: &&Path| {
        folder.join("Cargo.toml").is_file() && folder.join("lessons/01-serial").is_dir()
    };
    let root = candidates.find(is_root).and_then(|folder| folder.canonicalize().ok());
    root.ok_or_else(|| "the workspace is not found: call this from within it".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NINE: &str = "number = 9\nname = 'nine'\ntitle = 'Nine'\nquestion = 'Why?'\nminutes = 5\n\
        needs = 'nothing'\nlearn = ['a', 'b', 'c']\nmisconception = 'No.'\nremember = 'Yes.'\n\
        next = 'just compare-9'\n";

    /// A workspace with these lessons: folder and facts.
    fn workspace(lessons: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("lessons")).unwrap();
        for (folder, facts) in lessons {
            let folder = root.path().join("lessons").join(folder);
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join(FACTS), facts).unwrap();
        }
        root
    }

    #[test]
    fn every_lesson_of_this_workspace_is_read() {
        let lessons = lessons(&root().unwrap()).unwrap();
        assert!(lessons.len() >= 9, "{}", lessons.len());
        assert!(lessons.iter().any(|lesson| lesson.requires.fork_server));
        assert!(lessons.iter().any(|lesson| !lesson.record.also.is_empty()));
    }

    #[test]
    fn what_is_not_said_has_a_default() {
        let root = workspace(&[("09-nine", NINE)]);
        let lessons = lessons(root.path()).unwrap();
        let [nine] = &lessons[..] else { panic!("{lessons:?}") };
        assert_eq!((nine.record.rounds, nine.record.drawn), (21, true));
        assert_eq!((nine.requires.fork_server, nine.has_exercise(root.path())), (false, false));
        assert_eq!(nine.chapter(), "09-nine.md");
    }

    #[test]
    fn a_wrong_file_is_named_with_its_fault() {
        let fault =
            |lessons: &[(&str, &str)]| super::lessons(workspace(lessons).path()).unwrap_err();
        assert!(fault(&[("09-ten", NINE)]).contains("the folder should be 09-nine"));
        let unknown = format!("{NINE}colour = 'red'\n");
        assert!(fault(&[("09-nine", &unknown)]).contains("colour"));
        assert!(fault(&[("09-nine", "number = 9\n")]).contains("missing field"));
        let other = NINE.replace("'nine'", "'other'");
        let twice = fault(&[("09-nine", NINE), ("09-other", &other)]);
        assert!(twice.contains("have one number"), "{twice}");
    }
}
