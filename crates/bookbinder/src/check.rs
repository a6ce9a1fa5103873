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
use crate::fault::{Fault, Faults, read};
use crate::house::House;
use crate::{anchors, book};
use anyhow::{Result, anyhow};
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
        match read(&house.root().join(file)) {
            Ok(text) => known.extend(recipes(&text)),
            Err(fault) => faults.push(fault),
        }
    }
    for (path, text) in &pages {
        let shown = house.shown(path);
        if let Err(Faults(found)) = expander.page(path, text) {
            faults.extend(found);
        }
        faults.extend(fences(shown, text));
        faults.extend(typed_numbers(shown, text));
        faults.extend(commands(shown, text, &known));
    }
    for lesson in house.lessons().map_err(|why| anyhow!(why))? {
        let path = house.pages().join(lesson.chapter());
        match pages.iter().find(|(page, _)| *page == path) {
            Some((_, text)) => faults.extend(form(house.shown(&path), text, lesson.number)),
            None => faults.push(Fault::of_file(house.shown(&path), "the summary does not name it")),
        }
    }
    let path = house.pages().join("glossary.md");
    let terms = read(&path).map(|text| glossary(house.shown(&path), &text));
    faults.extend(terms.unwrap_or_else(|fault| vec![fault]));
    faults.extend(marks(house));
    faults.extend(records(house));
    faults.sort();
    faults.dedup();
    Ok(Faults::none_or(faults, ())?)
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
    for path in folders.iter().flat_map(|folder| files_below(folder, "rs")) {
        // This crate's own tests are full of marks that do not match.
        if path.starts_with(house.root().join("crates/bookbinder")) {
            continue;
        }
        let wrong = read(&path).map(|text| {
            let wrong = anchors::unbalanced(&text).into_iter();
            wrong.map(|(line, what)| Fault::new(house.shown(&path), line, what)).collect()
        });
        faults.extend(wrong.unwrap_or_else(|fault| vec![fault]));
    }
    faults
}

/// All files below a folder with this extension, in order. A folder that is not there has none.
pub fn files_below(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = all_files_below(folder);
    found.retain(|path| path.extension().is_some_and(|found| found == extension));
    found
}

/// All files below a folder, in order, but for what cargo builds.
pub fn all_files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        match path.is_dir() {
            true if path.file_name().is_some_and(|name| name == "target") => {}
            true => found.extend(all_files_below(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}
