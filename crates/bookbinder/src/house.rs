//! Where things lie.

use curriculum::Lesson;
use std::fs;
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
        // Shown in messages, so without `..`; a missing folder is reported when it is read.
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

    /// The lessons, in the order of their numbers.
    ///
    /// # Errors
    /// One line that names the file that is not a lesson's.
    pub fn lessons(&self) -> Result<Vec<Lesson>, String> {
        curriculum::lessons(&self.root)
    }

    /// The manifests of the packages that are no lessons, in order.
    pub fn manifests(&self) -> Vec<PathBuf> {
        let crates = fs::read_dir(self.root.join("crates")).into_iter().flatten().flatten();
        let files = crates.map(|folder| folder.path().join("Cargo.toml"));
        let mut files: Vec<_> = files.filter(|file| file.is_file()).collect();
        files.sort();
        files
    }

    /// The path as a person reads it: from the root, where it lies below the root.
    pub fn shown<'path>(&self, path: &'path Path) -> &'path Path {
        path.strip_prefix(&self.root).unwrap_or(path)
    }
}
