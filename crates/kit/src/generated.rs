//! What follows from the lessons' folders and has to stand in files all the same: the numbered
//! recipes, because `just` has no patterns, and README's table, because a web page shows the file.

use crate::Failure;
use report::{Lesson, OutputFile};
use std::fs;
use std::path::Path;

/// The file of the numbered recipes. The justfile imports it.
pub const RECIPES: &str = "lessons/recipes.just";

/// What stands before and behind README's table.
const MARKS: [&str; 2] = ["<!-- the lessons: made by `just generate` -->\n", "<!-- end -->\n"];

/// Writes both files, each whole or not at all. A file that is right already is left alone.
///
/// # Errors
/// [`Failure::Input`] if a file cannot be read or written, or README has no place for the table.
pub fn write(root: &Path, lessons: &[Lesson]) -> Result<(), Failure> {
    let readme = fs::read_to_string(root.join("README.md")).map_err(Failure::input)?;
    for (file, text) in
        [(RECIPES, recipes(root, lessons)), ("README.md", with_table(&readme, lessons)?)]
    {
        let path = root.join(file);
        if fs::read_to_string(&path).ok().as_deref() != Some(&*text) {
            let new = OutputFile::named(&path, "generated text").map_err(Failure::Input)?;
            new.write(&text).map_err(|error| Failure::input(format!("{file}: {error}")))?;
        }
    }
    Ok(())
}

/// `just lesson-4` and its kin, for every lesson. `just --list` shows one line for each.
pub fn recipes(root: &Path, lessons: &[Lesson]) -> String {
    let mut text =
        "# Made by `just generate` from the lessons' folders; the justfile imports it.\n\
                    # `just lesson-4` is `just lesson 4`, and so on.\n"
            .to_owned();
    for lesson in lessons {
        let Lesson { number, name, question, .. } = lesson;
        text += &format!(
            "\n# Lesson {number}, {name}: {question}\n[group('lessons'), no-exit-message]\n\
             lesson-{number} *args:\n    @cargo lesson {number} -- \"$@\"\n"
        );
        let exercise = lesson.has_exercise(root).then_some(["exercise", "hint"]);
        for command in ["predict", "compare"].into_iter().chain(exercise.into_iter().flatten()) {
            text += &format!(
                "[no-exit-message, private]\n\
                 {command}-{number} *args:\n    @cargo kit {command} {number} \"$@\"\n"
            );
        }
    }
    text
}

/// README with the table of these lessons in its place.
///
/// # Errors
/// [`Failure::Input`] if the marks of that place are not there.
pub fn with_table(readme: &str, lessons: &[Lesson]) -> Result<String, Failure> {
    let places = readme
        .split_once(MARKS[0])
        .and_then(|(before, rest)| Some((before, rest.split_once(MARKS[1])?.1)));
    let (before, behind) = places.ok_or_else(|| {
        Failure::input(format!("README.md has no place for the lessons: {}", MARKS.join("")))
    })?;
    let mut table = "| | lesson | question | minutes |\n|---|---|---|---|\n".to_owned();
    for lesson in lessons {
        let Lesson { number, name, question, minutes, .. } = lesson;
        let main = format!("lessons/{}/main.rs", lesson.folder());
        table += &format!("| {number} | [{name}]({main}) | {question} | {minutes} |\n");
    }
    Ok([before, MARKS[0], &table, MARKS[1], behind].concat())
}
