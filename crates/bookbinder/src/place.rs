//! Puts a folder in its place as a whole: a reader finds the old content or the new content, and
//! so does a person who has stopped the program in the middle.

use anyhow::{Context, Result};
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Fills a new folder, and puts it in the place of this one. The new folder lies beside the old one
/// until it is whole. Of a program that is killed, a folder `.new-…` may stay behind; git ignores it.
///
/// # Errors
/// If the new folder cannot be filled or put in place; then the old one is as it was.
pub fn replace(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    let parent = folder.parent().context("the root has no place beside it")?;
    let beside = tempfile::Builder::new().prefix(".new-").tempdir_in(parent);
    let beside = beside.with_context(|| format!("no new folder in {}", parent.display()))?;
    let new = beside.path().join("new");
    fs::create_dir(&new)?;
    fill(&new)?;
    // The old folder is now in the temporary one, and goes with it.
    swap(&new, folder).with_context(|| folder.display().to_string())
}

/// Gives the new folder the old one's name.
fn swap(new: &Path, folder: &Path) -> io::Result<()> {
    // One step, where the system can do it.
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    {
        use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
        if renameat2(AT_FDCWD, new, AT_FDCWD, folder, RenameFlags::RENAME_EXCHANGE).is_ok() {
            return Ok(());
        }
    }
    // Elsewhere two steps, and for a moment there is neither.
    let old = new.with_file_name("old");
    match fs::rename(folder, &old) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::rename(new, folder).inspect_err(|_| drop(fs::rename(&old, folder)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::bail;

    #[test]
    fn a_folder_is_replaced_whole_or_not_at_all() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("folder");
        let names = |folder: &Path| {
            let entries = fs::read_dir(folder).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names
        };
        let with = |name: &'static str, works: bool| {
            replace(&folder, move |new| {
                fs::write(new.join(name), "")?;
                if works { Ok(()) } else { bail!("no") }
            })
        };
        with("a", true).unwrap();
        assert_eq!(names(&folder), ["a"]);
        with("b", false).unwrap_err();
        assert_eq!(names(&folder), ["a"]);
        with("c", true).unwrap();
        assert_eq!(names(&folder), ["c"]);
        assert_eq!(names(home.path()), ["folder"], "nothing stays beside it");
    }
}
