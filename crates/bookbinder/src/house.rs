//! Where things lie.

use std::path::{Path, PathBuf};

/// The repository, as far as the book is concerned.
#[derive(Clone, Debug)]
pub struct House {
    root: PathBuf,
}

impl House {
    /// The house that this crate was compiled in, wherever the command is typed.
    pub fn here() -> Self {
        Self::at(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
    }

    /// A house somewhere else: tests build theirs in a temporary folder.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // Shown in messages, so without `..`; the first read reports a folder that is not there.
        Self { root: root.canonicalize().unwrap_or(root) }
    }

    /// The repository's root.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The book: `book.toml`, sources, records.
    pub fn book(&self) -> PathBuf {
        self.root.join("book")
    }

    /// The book's pages, in Markdown.
    pub fn pages(&self) -> PathBuf {
        self.book().join("src")
    }

    /// The recorded runs.
    pub fn records(&self) -> PathBuf {
        self.book().join("records")
    }

    /// The path as a person reads it: from the root, where it lies below the root.
    pub fn shown<'path>(&self, path: &'path Path) -> &'path Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}
