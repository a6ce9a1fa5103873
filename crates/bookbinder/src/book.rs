//! Makes the book, in this process, by mdBook as a library.

use crate::check;
use crate::expand::Expander;
use crate::fault::{Fault, Faults};
use crate::house::House;
use crate::place;
use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::config::Config;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tracing::Level;

/// Makes the book and says where its first page is. The folder of the built book is replaced when
/// the new book is whole and checked.
///
/// # Errors
/// All faults of all pages, with file and line; whatever mdBook has to say, its warnings included;
/// and pages that would load something from elsewhere or link to nothing.
pub fn build(house: &House) -> Result<PathBuf> {
    let folder = house.book().join("build");
    place::replace(&folder, |new| build_into(house, new).map(drop))?;
    Ok(folder.join("index.html"))
}

/// As [`build`], into another folder: tests must not touch the reader's book, and `just read` needs
/// none of its own.
///
/// # Errors
/// As [`build`].
pub fn build_into(house: &House, target: &Path) -> Result<PathBuf> {
    let file = house.book().join("book.toml");
    // Not `MDBook::load`: that one also takes settings from the environment.
    let mut config = Config::from_disk(&file).context(house.shown(&file).display().to_string())?;
    config.build.build_dir = target.to_owned();
    let mut book = MDBook::load_with_config(house.book(), config)
        .with_context(|| format!("{}", house.shown(&house.book()).display()))?;

    let expander = Expander::new(house);
    let mut faults = Vec::new();
    book.book.for_each_mut(|item| {
        let BookItem::Chapter(chapter) = item else { return };
        let Some(path) = &chapter.source_path else { return };
        match expander.page(&house.pages().join(path), &chapter.content) {
            Ok(page) => chapter.content = page,
            Err(found) => faults.extend(found.0),
        }
    });
    Faults::none_or(faults, ())?;

    // mdBook warns where this book must not go on: an element that is not closed, a footnote
    // without a text.
    let said = Arc::new(tempfile::tempfile()?);
    let writer = tracing_subscriber::fmt().with_writer(Arc::clone(&said)).with_ansi(false);
    let listener = writer.with_max_level(Level::WARN).without_time().finish();
    tracing::subscriber::with_default(listener, || book.build())?;
    let mut warnings = String::new();
    (&*said).rewind()?;
    (&*said).read_to_string(&mut warnings)?;
    if !warnings.is_empty() {
        bail!("mdBook warns: {}", warnings.trim_end());
    }
    Faults::none_or(check::output(target)?, ())?;
    Ok(target.join("index.html"))
}

/// Pages as mdBook finds them in the summary, with their sources.
///
/// # Errors
/// If the book cannot be loaded; a page that the summary names and that does not exist is such a
/// case, since `create-missing` is off.
pub fn pages(house: &House) -> Result<Vec<(PathBuf, String)>> {
    let config = Config::from_disk(house.book().join("book.toml"))?;
    let book = MDBook::load_with_config(house.book(), config)?;
    let mut pages = Vec::new();
    for item in book.iter() {
        if let BookItem::Chapter(chapter) = item
            && let Some(path) = &chapter.source_path
        {
            pages.push((house.pages().join(path), chapter.content.clone()));
        }
    }
    if pages.is_empty() {
        bail!(Fault::of_file(house.pages().join("SUMMARY.md"), "names no page").to_string());
    }
    Ok(pages)
}
