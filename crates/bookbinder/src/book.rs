//! Makes the book, in this process, by mdBook as a library.

use crate::expand::Expander;
use crate::fault::Fault;
use crate::house::House;
use crate::{check, fault};
use anyhow::{Context, Result, bail};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::config::Config;
use std::fmt::Debug;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use tracing::field::Field;
use tracing::{Event, Level, Metadata, Subscriber, span};

/// Makes the book and says where its first page is.
///
/// # Errors
/// All faults of all pages, with file and line; mdBook's own errors and warnings;
/// and pages that would load something from elsewhere or link to nothing.
pub fn build(house: &House) -> Result<PathBuf> {
    build_into(house, &house.book().join("build"))
}

/// As [`build`], into another folder: tests must not touch the reader's book.
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
            Err(found) => faults.extend(found),
        }
    });
    fault::none(&faults)?;

    let (sender, warnings) = channel();
    tracing::subscriber::with_default(Warnings(sender), || book.build())?;
    let warnings: Vec<String> = warnings.try_iter().collect();
    if !warnings.is_empty() {
        bail!("mdBook warns:\n{}", warnings.join("\n"));
    }
    fault::none(&check::output(target)?)?;
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
    let chapters = book.iter().filter_map(|item| match item {
        BookItem::Chapter(chapter) => Some((chapter.source_path.as_ref()?, &chapter.content)),
        _ => None,
    });
    let pages: Vec<_> =
        chapters.map(|(path, text)| (house.pages().join(path), text.clone())).collect();
    if pages.is_empty() {
        bail!(Fault::of_file(house.pages().join("SUMMARY.md"), "names no page").to_string());
    }
    Ok(pages)
}

/// Sends on what mdBook warns of. It warns where this book must not go on: an element that is not
/// closed, a footnote without a text.
struct Warnings(Sender<String>);

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::WARN && metadata.target().starts_with("mdbook")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut |field: &Field, value: &dyn Debug| {
            if field.name() == "message" {
                let _ = self.0.send(format!("{value:?}")); // the receiver outlives the build
            }
        });
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}
