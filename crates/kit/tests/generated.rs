//! What is generated from the lessons' folders is up to date.

use kit::generated::{RECIPES, recipes, with_table, write};
use std::fs;
use std::io::Read;
use std::path::Path;

#[test]
fn the_recipes_and_readme_s_table_are_what_the_folders_say() {
    let root = curriculum::root().unwrap();
    let lessons = curriculum::lessons(&root).unwrap();
    let read = |file: &str| fs::read_to_string(root.join(file)).unwrap();
    assert_eq!(read(RECIPES), recipes(&root, &lessons), "type: just generate");
    let readme = read("README.md");
    assert_eq!(readme, with_table(&readme, &lessons).unwrap(), "type: just generate");
}

#[test]
fn every_lesson_has_its_recipes() {
    let root = curriculum::root().unwrap();
    let text = recipes(&root, &curriculum::lessons(&root).unwrap());
    for lesson in curriculum::lessons(&root).unwrap() {
        let n = lesson.number;
        let exercise = if lesson.has_exercise(&root) { &["exercise", "hint"][..] } else { &[] };
        for command in ["lesson", "predict", "compare"].iter().chain(exercise) {
            assert!(text.contains(&format!("\n{command}-{n} *args:\n")), "{command}-{n}");
        }
    }
}

/// A file is replaced and not written over: a program that is stopped in the middle of writing would
/// leave half a file. What has the old file open still reads all of the old file.
#[test]
fn a_file_is_replaced_in_one_step() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("lessons")).unwrap();
    let readme = folder.path().join("README.md");
    let marks = "<!-- the lessons: made by `just generate` -->\n<!-- end -->\n";
    let old = format!("# Readme\n{marks}");
    fs::write(&readme, &old).unwrap();
    let mut open = fs::File::open(&readme).unwrap();
    let lessons = curriculum::lessons(&curriculum::root().unwrap()).unwrap();
    write(folder.path(), &lessons).unwrap();

    let mut seen = String::new();
    open.read_to_string(&mut seen).unwrap();
    assert_eq!(seen, old);
    assert_eq!(fs::read_to_string(&readme).unwrap(), with_table(&old, &lessons).unwrap());
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions();
    fs::write(folder.path().join("any"), "").unwrap();
    assert_eq!(mode(&readme), mode(&folder.path().join("any")));
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 3, "nothing stays beside it");
}

#[test]
fn a_readme_without_a_place_for_the_table_is_told() {
    let error = with_table("# Readme\n", &[]).unwrap_err().to_string();
    assert!(error.starts_with("README.md has no place for the lessons"), "{error}");
}
