//! The file behind `--svg` or `--trace`: either all of it or what was there before.

use crate::typed::shown;
use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that was found writable before there was anything to write.
///
/// The text is written to a temporary file in the same folder, which then takes the name in one
/// step, so there is never half a file. The temporary file exists while it is written and no
/// longer: a lesson that is interrupted while it measures leaves none. What is not a regular file
/// (a pipe, `/dev/null`) cannot be replaced so, and is written directly.
#[derive(Debug)]
pub enum OutputFile {
    /// A regular file of this name.
    Replace(PathBuf),
    /// What cannot be replaced in one step. It is opened when it is written and at no other time:
    /// the reader of a pipe takes the end of the first opening for the end of the text.
    Direct(PathBuf),
}

impl OutputFile {
    /// Makes sure that there can be a file at the path that was typed, for `what`: a drawing.
    ///
    /// # Errors
    /// One line that names the path.
    pub fn named(path: &Path, what: &str) -> Result<Self, String> {
        Self::open(path).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
                _ => error.to_string(),
            };
            format!("{}: the {what} cannot go here: {why}", shown(path))
        })
    }

    /// Makes sure that there can be a file at this path.
    ///
    /// # Errors
    /// The system's, as a kind.
    fn open(path: &Path) -> io::Result<Self> {
        let path = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) if there.is_file() => {
                // A read-only file says that it is not to be replaced, even where the folder
                // would allow it. What a link points at is replaced, and not the link.
                OpenOptions::new().append(true).open(path)?;
                fs::canonicalize(path)?
            }
            Ok(there) if there.permissions().readonly() => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Ok(_) => return Ok(Self::Direct(path.to_owned())),
            Err(_) => path.to_owned(),
        };
        temporary_beside(&path)?;
        Ok(Self::Replace(path))
    }

    /// Writes all of the file.
    ///
    /// # Errors
    /// The system's.
    pub fn write(self, text: &str) -> io::Result<()> {
        match self {
            Self::Replace(path) => {
                let mut file = temporary_beside(&path)?;
                file.write_all(text.as_bytes())?;
                file.persist(path)?;
                Ok(())
            }
            Self::Direct(path) => {
                OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
            }
        }
    }
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    builder.prefix(".one-change-").suffix(".part");
    #[cfg(unix)]
    {
        // As any new file, within the user's mask; a temporary file is its owner's alone.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    // The error as the system gave it: tempfile's own wrapping would name the temporary file.
    builder.tempfile_in(folder).map_err(|error| error.kind().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_it_is_written_there_is_no_sign_of_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = OutputFile::open(&folder.path().join("a.svg")).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        file.write("new").unwrap();
        assert_eq!(fs::read_to_string(folder.path().join("a.svg")).unwrap(), "new");
    }

    #[test]
    fn it_replaces_what_was_there_and_what_a_link_points_at() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("a.svg"), folder.path().join("link.svg"));
        fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        OutputFile::open(&link).unwrap().write("new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(link.is_symlink());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }

    #[test]
    fn folders_and_paths_into_nowhere_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let kind = |path: &Path| OutputFile::open(path).unwrap_err().kind();
        assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
        assert_eq!(kind(&folder.path().join("none/a.svg")), io::ErrorKind::NotFound);
        assert_eq!(kind(Path::new("")), io::ErrorKind::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_opened_once_however_often_it_was_looked_at() {
        let folder = tempfile::tempdir().unwrap();
        let pipe = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "there is no mkfifo");
        let (read_end, file) = (pipe.clone(), OutputFile::open(&pipe));
        let reader = std::thread::spawn(move || fs::read_to_string(read_end).unwrap());
        OutputFile::named(&pipe, "trace").unwrap();
        file.unwrap().write("all of it").unwrap();
        assert_eq!(reader.join().unwrap(), "all of it");
    }

    #[test]
    fn what_is_not_a_file_is_written_and_not_replaced() {
        OutputFile::open(Path::new("/dev/null")).unwrap().write("nothing").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
