//! The file behind `--svg` or `--trace`: either all of it or what was there before.

use crate::screen::OutputError;
use crate::typed::shown;
use std::error::Error;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Write, stdout};
use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that was asked for, and found writable before there was anything to write.
///
/// The text is written to a temporary file in the same folder, which then takes the name in one
/// step, so there is never half a file, and the file outlives a power cut. The temporary file
/// exists while it is written and no longer: a lesson that is interrupted while it measures leaves
/// none. The file that takes the name is a new one: it has the mode of what was there, and belongs
/// to the user who runs the lesson; another hard link to what was there keeps the old text, and
/// extended attributes and access lists are not copied. To write in place would keep all these, and
/// would leave half a file when the disk is full. What is not a regular file (a pipe, `/dev/null`) cannot be replaced so, and is written
/// directly.
#[derive(Debug)]
pub struct OutputFile {
    /// As it was typed.
    path: PathBuf,
    /// A noun for complaints: a drawing.
    what: &'static str,
    place: Place,
}

#[derive(Debug)]
enum Place {
    /// A regular file of this name, which is no link.
    Replace(PathBuf),
    /// What cannot be replaced in one step. It is opened when it is written and at no other time:
    /// the reader of a pipe takes the end of the first opening for the end of the text.
    Direct,
    /// What standard output goes to, as `/dev/stdout` or by a name of its own. A file that took
    /// its name would take the place of what is printed.
    StandardOutput,
}

impl OutputFile {
    /// Makes sure that there can be a file at the path that was typed, for `what`: a drawing.
    ///
    /// # Errors
    /// One line that names the path.
    pub fn named(path: &Path, what: &'static str) -> Result<Self, String> {
        let place = Place::of(path).map_err(|error| {
            let why = match error.kind() {
                io::ErrorKind::NotFound => "there is no such folder".to_owned(),
                io::ErrorKind::IsADirectory => "this is a folder".to_owned(),
                _ => error.to_string(),
            };
            format!("{}: the {what} cannot go here: {why}", shown(path))
        })?;
        Ok(Self { path: path.to_owned(), what, place })
    }

    /// Whether it is a file beside standard output, to be written even where nobody reads on.
    pub(crate) fn stands_alone(&self) -> bool {
        !matches!(self.place, Place::StandardOutput)
    }

    /// Writes all of the file, or nothing of a regular one.
    ///
    /// # Errors
    /// One line that names the path and has the system's words; or that standard output cannot be
    /// written, where that is the file.
    pub fn write(self, text: &str) -> Result<(), Box<dyn Error>> {
        let Self { path, what, place } = self;
        let written = match place {
            Place::Replace(path) => replace(&path, text),
            Place::Direct => OpenOptions::new()
                .write(true)
                .open(&path)
                .and_then(|mut file| file.write_all(text.as_bytes())),
            Place::StandardOutput => {
                return Ok(OutputError::check(stdout().write_all(text.as_bytes()))?);
            }
        };
        let told = |error| format!("{}: the {what} was not written: {error}", shown(&path));
        Ok(written.map_err(told)?)
    }
}

impl Place {
    /// Makes sure that there can be a file at this path.
    ///
    /// # Errors
    /// The system's, as a kind.
    fn of(path: &Path) -> io::Result<Self> {
        let path = match fs::metadata(path) {
            Ok(there) if there.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
            Ok(there) if is_standard_output(&there) => return Ok(Self::StandardOutput),
            Ok(there) if there.is_file() => {
                // A read-only file says that it is not to be replaced, even where the folder
                // would allow it. What a link points at is replaced, and not the link.
                OpenOptions::new().append(true).open(path)?;
                fs::canonicalize(path)?
            }
            Ok(there) if there.permissions().readonly() => {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
            Ok(_) => return Ok(Self::Direct),
            Err(error) if error.kind() == io::ErrorKind::NotFound => new_file(path),
            // A circle of links, a file in a folder's place: the system's words.
            Err(error) => return Err(error.kind().into()),
        };
        temporary_beside(&path)?;
        Ok(Self::Replace(path))
    }
}

/// Whether standard output goes to this very file.
fn is_standard_output(there: &Metadata) -> bool {
    let own = stdout().as_fd().try_clone_to_owned().and_then(|own| File::from(own).metadata());
    own.is_ok_and(|own| (own.dev(), own.ino()) == (there.dev(), there.ino()))
}

/// Where a file that is not there yet will be: at the end of the links, if the path is a link. The
/// links are no circle, or the system would have said so instead of "not found".
fn new_file(path: &Path) -> PathBuf {
    match fs::read_link(path) {
        Ok(target) => new_file(&path.parent().unwrap_or(Path::new("")).join(target)),
        Err(_) => path.to_owned(),
    }
}

/// Puts a file with this text in the place of what is there, in one step.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let mut file = temporary_beside(path)?;
    if let Ok(before) = fs::metadata(path) {
        file.as_file().set_permissions(before.permissions())?;
    }
    file.as_file_mut().write_all(text.as_bytes())?;
    // In this order, or the name could outlive a power cut and the text not.
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    // The new name is in the folder. Some file systems cannot sync a folder, and the file is there.
    let _ = File::open(folder(path)).and_then(|folder| folder.sync_all());
    Ok(())
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

fn temporary_beside(path: &Path) -> io::Result<NamedTempFile> {
    if path.file_name().is_none() {
        return Err(io::ErrorKind::NotFound.into());
    }
    let mut builder = tempfile::Builder::new();
    builder.prefix(".one-change-").suffix(".part");
    // As any new file, within the user's mask; a temporary file is its owner's alone.
    builder.permissions(fs::Permissions::from_mode(0o666));
    // The error as the system gave it: tempfile's own wrapping would name the temporary file.
    builder.tempfile_in(folder(path)).map_err(|error| error.kind().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use tempfile::TempDir;

    fn drawing(path: &Path) -> OutputFile {
        OutputFile::named(path, "drawing").unwrap()
    }

    /// A folder, and a path in it.
    fn folder_and(name: &str) -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        (folder, path)
    }

    fn count(folder: &TempDir) -> usize {
        fs::read_dir(folder.path()).unwrap().count()
    }

    #[test]
    fn until_it_is_written_there_is_no_sign_of_it() {
        let (folder, path) = folder_and("a.svg");
        let file = drawing(&path);
        assert_eq!(count(&folder), 0);
        file.write("new").unwrap();
        assert_eq!(fs::read_to_string(path).unwrap(), "new");
    }

    #[test]
    fn it_replaces_what_was_there_and_what_a_link_points_at() {
        let (folder, file) = folder_and("a.svg");
        let link = folder.path().join("link.svg");
        fs::write(&file, "old").unwrap();
        symlink(&file, &link).unwrap();
        drawing(&link).write("new").unwrap();
        assert_eq!(fs::read_to_string(&file).unwrap(), "new");
        assert!(link.is_symlink());
        assert_eq!(count(&folder), 2);
    }

    #[test]
    fn a_link_to_nothing_stays_a_link_and_its_target_is_made() {
        let (folder, link) = folder_and("link.svg");
        fs::create_dir(folder.path().join("far")).unwrap();
        symlink("second.svg", &link).unwrap();
        symlink("far/a.svg", folder.path().join("second.svg")).unwrap();
        drawing(&link).write("new").unwrap();
        assert!(link.is_symlink() && folder.path().join("second.svg").is_symlink());
        assert_eq!(fs::read_to_string(folder.path().join("far/a.svg")).unwrap(), "new");
        let circle = folder.path().join("circle.svg");
        symlink("circle.svg", &circle).unwrap();
        let told = OutputFile::named(&circle, "drawing").unwrap_err();
        assert!(told.contains("circle.svg: the drawing cannot go here: "), "{told}");
        assert!(circle.is_symlink());
    }

    #[test]
    fn the_permissions_of_what_was_there_stay() {
        for mode in [0o600, 0o640, 0o755] {
            let (_folder, path) = folder_and("a.svg");
            fs::write(&path, "old").unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            drawing(&path).write("new").unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, mode);
        }
    }

    #[test]
    fn another_hard_link_keeps_the_old_text() {
        let (folder, path) = folder_and("a.svg");
        let other = folder.path().join("other.svg");
        fs::write(&path, "old").unwrap();
        fs::hard_link(&path, &other).unwrap();
        drawing(&path).write("new").unwrap();
        let [path, other] = [path, other].map(|path| fs::read_to_string(path).unwrap());
        assert_eq!((path.as_str(), other.as_str()), ("new", "old"));
    }

    #[test]
    fn folders_and_paths_into_nowhere_are_refused() {
        let (folder, path) = folder_and("none/a.svg");
        let kind = |path: &Path| Place::of(path).unwrap_err().kind();
        assert_eq!(kind(folder.path()), io::ErrorKind::IsADirectory);
        assert_eq!(kind(&path), io::ErrorKind::NotFound);
        assert_eq!(kind(Path::new("")), io::ErrorKind::NotFound);
    }

    #[test]
    fn a_folder_that_may_not_be_written_is_told_in_one_line() {
        let (folder, path) = folder_and("a.svg");
        fs::write(&path, "old").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
        if File::create(folder.path().join("probe")).is_ok() {
            println!("skipped: this user may write everywhere");
            return;
        }
        let told = OutputFile::named(&path, "drawing").unwrap_err();
        let shown = path.display();
        assert_eq!(told, format!("{shown}: the drawing cannot go here: permission denied"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    }

    /// The folder is there when the file is looked at, and gone when it is written.
    #[test]
    fn a_file_that_cannot_be_written_is_told_with_its_name() {
        let (folder, path) = folder_and("a.svg");
        let file = drawing(&path);
        drop(folder);
        let told = file.write("new").unwrap_err().to_string();
        assert!(told.starts_with(&format!("{}: the drawing was not written: ", path.display())));
        assert_eq!(told.lines().count(), 1, "{told}");
    }

    #[test]
    fn a_pipe_is_opened_once_however_often_it_was_looked_at() {
        let (_folder, pipe) = folder_and("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|status| status.success()), "there is no mkfifo");
        let (read_end, file) = (pipe.clone(), drawing(&pipe));
        let reader = std::thread::spawn(move || fs::read_to_string(read_end).unwrap());
        OutputFile::named(&pipe, "trace").unwrap();
        file.write("all of it").unwrap();
        assert_eq!(reader.join().unwrap(), "all of it");
    }

    #[test]
    fn what_is_not_a_file_is_written_and_not_replaced() {
        drawing(Path::new("/dev/null")).write("nothing").unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
        #[cfg(target_os = "linux")]
        {
            let told = drawing(Path::new("/dev/full")).write("too much").unwrap_err().to_string();
            assert!(told.starts_with("/dev/full: the drawing was not written: "), "{told}");
        }
    }
}
