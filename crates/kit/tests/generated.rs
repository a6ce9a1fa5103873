//! What is generated from the lessons' folders is up to date.

use kit::generated::{RECIPES, recipes, with_table};
use std::fs;

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

#[test]
fn a_readme_without_a_place_for_the_table_is_told() {
    let error = with_table("# Readme\n", &[]).unwrap_err().to_string();
    assert!(error.starts_with("README.md has no place for the lessons"), "{error}");
}
