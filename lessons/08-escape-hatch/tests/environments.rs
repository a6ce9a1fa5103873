//! Where lesson 8 puts what it builds: in folders of its own, one for each Python. A shell script
//! (`fakes/whole_python`) replaces Python, pip and maturin.
#![cfg(unix)]

use one_change_tests::surroundings;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

/// A folder with a copy of the lesson's program, and fake Pythons.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A fake Python 3.12.1 of this name.
    fn python(&self, name: &str) -> PathBuf {
        let fake = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fakes/whole_python");
        fs::create_dir_all(self.path(name)).unwrap();
        let python = self.path(name).join("python");
        fs::copy(fake, &python).unwrap();
        python
    }

    /// Runs the copy of the lesson that lies in `built/debug`.
    fn lesson(&self, python: &Path) -> Output {
        let program = self.path("built/debug/8");
        if !program.exists() {
            fs::create_dir_all(program.parent().unwrap()).unwrap();
            fs::copy(env!("CARGO_BIN_EXE_8"), &program).unwrap();
        }
        let mut lesson = surroundings::program(program);
        lesson.env("CARGO_TARGET_DIR", self.path("target")).arg("--python").arg(python);
        lesson.output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// A person may keep a folder `python` beside the copy. Its content is that person's.
#[test]
fn a_copied_program_leaves_what_lies_beside_it_alone() {
    let place = Place::new();
    let notes = place.path("built/python/3.12.1/notes.txt");
    fs::create_dir_all(notes.parent().unwrap()).unwrap();
    fs::write(&notes, "mine").unwrap();
    let python = place.python("a");
    let output = place.lesson(&python);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(notes).unwrap(), "mine");
    assert!(place.path("target/python").is_dir(), "{}", text(&output.stderr));
}

#[test]
fn two_pythons_of_one_version_have_an_environment_each() {
    let place = Place::new();
    let [a, b] = ["a", "b"].map(|name| place.python(name));
    for (python, is_new) in [(&a, true), (&b, true), (&a, false), (&b, false)] {
        let Output { stdout, stderr, status } = place.lesson(python);
        let (said, told) = (text(&stdout), text(&stderr));
        assert!(status.success(), "{told}");
        assert_eq!(said.trim(), python.to_str().unwrap(), "{told}");
        assert_eq!(told.contains("-m venv"), is_new, "{told}");
    }
}

/// What cargo calls its target folder is used as such, and a folder in it that somebody else has
/// made is not cleared, whatever its name.
#[test]
fn a_folder_that_is_not_the_lesson_s_is_not_cleared() {
    let place = Place::new();
    fs::create_dir_all(place.path("built")).unwrap();
    fs::write(place.path("built/CACHEDIR.TAG"), "").unwrap();
    let python = place.python("a");
    assert!(place.lesson(&python).status.success());
    let folder = fs::read_dir(place.path("built/python")).unwrap().next().unwrap().unwrap().path();

    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    assert!(place.lesson(&python).status.success(), "an empty folder is nobody's");

    fs::remove_dir_all(&folder).unwrap();
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("notes.txt"), "mine").unwrap();
    let Output { stdout, stderr, status } = place.lesson(&python);
    let told = text(&stderr);
    assert_eq!((status.code(), text(&stdout).as_str()), (Some(1), ""), "{told}");
    let shown = folder.display();
    assert!(told.starts_with(&format!("error: {shown} was not made by lesson 8")), "{told}");
    assert_eq!(told.lines().count(), 1, "{told}");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(folder.join("notes.txt")).unwrap(), "mine");
}
