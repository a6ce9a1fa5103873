//! Begins a lesson: copies the template, with its number and name put in.

use crate::{Failure, generated};
use std::fs;
use std::io::Write;
use std::path::Path;

/// Where the template is. Its files say `NUMBER`, `FOLDER` and `NAME` where a lesson's own belong,
/// and `todo` wherever something must be said.
const TEMPLATE: &str = "crates/kit/template";

/// Makes the lesson's folder and its chapter, and updates what is generated from all lessons.
///
/// # Errors
/// [`Failure::Input`] if there is a lesson of this number or name, or a file cannot be written;
/// then nothing is left behind.
pub fn create(
    root: &Path,
    name: &str,
    number: Option<u32>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let lessons = curriculum::lessons(root).map_err(Failure::Input)?;
    let next = lessons.last().map_or(0, |lesson| lesson.number + 1);
    let number = number.unwrap_or(next);
    let taken = lessons.iter().find(|one| one.number == number || one.name == name);
    if let Some(taken) = taken {
        return Err(Failure::input(format!("there is lessons/{} already", taken.folder())));
    }
    let folder = format!("{number:02}-{name}");
    let chapter = root.join(format!("book/src/{folder}.md"));
    let lesson = root.join("lessons").join(&folder);
    if let Some(taken) = [&chapter, &lesson].into_iter().find(|path| path.exists()) {
        return Err(Failure::input(format!("{} is there already", taken.display())));
    }
    let fill = |text: &str| {
        text.replace("NUMBER", &number.to_string()).replace("FOLDER", &folder).replace("NAME", name)
    };
    make(root, &lesson, &chapter, &fill)
        .map_err(|error| Failure::input(format!("lessons/{folder} cannot be made: {error}")))?;
    generated::write(root, &curriculum::lessons(root).map_err(Failure::Input)?)?;
    writeln!(
        out,
        "Lesson {number} begins in lessons/{folder}: `cargo lesson {number}` runs it.\n\
         It says todo where you have to say something: grep -rn todo lessons/{folder}\n\
         Its chapter is book/src/{folder}.md; name it in book/src/SUMMARY.md:\n\
         - [{number} Title]({folder}.md)"
    )?;
    Ok(())
}

/// Makes both beside their places, and then gives them their names, the chapter first: half a lesson
/// would stop every other command. (The caller has seen that nothing has these names.)
fn make(
    root: &Path,
    lesson: &Path,
    chapter: &Path,
    fill: &impl Fn(&str) -> String,
) -> std::io::Result<()> {
    let template = root.join(TEMPLATE);
    let new = tempfile::Builder::new().prefix(".new-").tempdir_in(root)?;
    copy(&template.join("lesson"), &new.path().join("lesson"), fill)?;
    fs::write(new.path().join("chapter"), fill(&fs::read_to_string(template.join("chapter.md"))?))?;
    fs::rename(new.path().join("chapter"), chapter)?;
    fs::rename(new.path().join("lesson"), lesson).inspect_err(|_| drop(fs::remove_file(chapter))) // made one line above
}

/// Copies a folder, with each file's text filled in.
fn copy(from: &Path, to: &Path, fill: &impl Fn(&str) -> String) -> std::io::Result<()> {
    fs::create_dir(to)?;
    for entry in fs::read_dir(from)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let target = to.join(fill(&name));
        if path.is_dir() {
            copy(&path, &target, fill)?;
        } else {
            fs::write(target, fill(&fs::read_to_string(&path)?))?;
        }
    }
    Ok(())
}
