//! The truth checks: what the book may say, and what must prove it.
//!
//! Each check is a function over text, so that its tests can show that it fails where it should.
//! [`everything`] runs them all on the real book, and so does `cargo test -p bookbinder`.

mod chapter;
mod commands;
mod glossary;
mod numbers;
mod output;
mod records;

pub use chapter::{HEADINGS, WORDS, form};
pub use commands::{commands, recipes};
pub use glossary::{TERMS, glossary};
pub use numbers::{fences, typed_numbers};
pub use output::output;
pub use records::records;

use crate::expand::Expander;
use crate::fault::{self, Fault, read};
use crate::house::House;
use crate::{anchors, book, record};
use anyhow::Result;
use regex_lite::Regex;
use std::fs;
use std::path::{Path, PathBuf};

/// Runs every check that needs no built book. (What needs one is checked by every build.)
///
/// # Errors
/// All faults; or that the book cannot be read at all.
pub fn everything(house: &House) -> Result<()> {
    let mut faults = Vec::new();
    let pages = book::pages(house)?;
    let expander = Expander::new(house);
    let mut known = Vec::new();
    for file in ["justfile", "lessons/recipes.just"] {
        known.extend(recipes(&read(&house.root().join(file))?));
    }
    for (path, text) in &pages {
        let shown = house.shown(path);
        if let Err(found) = expander.page(path, text) {
            faults.extend(found);
        }
        faults.extend(fences(shown, text));
        faults.extend(typed_numbers(shown, text));
        faults.extend(commands(shown, text, &known));
    }
    for lesson in curriculum::lessons(house.root()).map_err(anyhow::Error::msg)? {
        let path = house.pages().join(lesson.chapter());
        match pages.iter().find(|(page, _)| *page == path) {
            Some((_, text)) => faults.extend(form(house.shown(&path), text, lesson.number)),
            None => faults.push(Fault::of_file(house.shown(&path), "the summary does not name it")),
        }
    }
    let path = house.pages().join("glossary.md");
    match read(&path) {
        Ok(text) => faults.extend(glossary(house.shown(&path), &text)),
        Err(fault) => faults.push(fault),
    }
    faults.extend(marks(house));
    faults.extend(records(house, &record::recordings(house)?));
    faults.sort();
    faults.dedup();
    fault::none(&faults)
}

/// A regular expression of ours.
fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("a regex")
}

/// The lines but for the fences of code blocks, each with its number, counted from 1, and with the
/// language of the block that it stands in.
fn fenced(text: &str) -> impl Iterator<Item = (usize, Option<&str>, &str)> {
    let mut open = None;
    (1..).zip(text.lines()).filter_map(move |(number, line)| {
        if let Some(language) = line.trim_start().strip_prefix("```") {
            open = if open.is_some() { None } else { Some(language.trim()) };
            return None;
        }
        Some((number, open, line))
    })
}

/// Marks of anchors that do not match, in every Rust source of the house.
pub fn marks(house: &House) -> Vec<Fault> {
    let mut faults = Vec::new();
    let folders = ["crates", "lessons", "tests"].map(|folder| house.root().join(folder));
    // This crate's own tests are full of marks that do not match.
    let own = house.root().join("crates/bookbinder");
    let paths = folders.iter().flat_map(|folder| files_below(folder, &["rs"]));
    for path in paths.filter(|path| !path.starts_with(&own)) {
        let wrong = read(&path)
            .map_or_else(|fault| vec![(0, fault.what)], |text| anchors::unbalanced(&text));
        faults.extend(
            wrong.into_iter().map(|(line, what)| Fault::new(house.shown(&path), line, what)),
        );
    }
    faults
}

/// All files below a folder with one of these extensions, in order. A folder that is not there has
/// none.
pub fn files_below(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let is_wanted =
        |path: &Path| path.extension().is_some_and(|found| extensions.iter().any(|e| found == *e));
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() && !path.ends_with("target") {
            found.extend(files_below(&path, extensions));
        } else if is_wanted(&path) {
            found.push(path);
        }
    }
    found.sort();
    found
}
