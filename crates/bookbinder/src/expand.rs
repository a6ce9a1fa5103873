//! Fills the placeholders of a page. The list is in the crate's documentation.

use crate::fault::Fault;
use crate::house::House;
use crate::records::Records;
use crate::{anchors, diffs, figures, placeholder, predictions, sources};
use std::fs;
use std::path::Path;

/// The steps that lead to the process pool.
const STEPS: &str = "crates/processes/src/steps";

/// Fills placeholders from one house's sources and records.
#[derive(Debug)]
pub struct Expander<'house> {
    house: &'house House,
    records: Records,
}

impl<'house> Expander<'house> {
    /// For this house, with the records as they are now.
    pub fn new(house: &'house House) -> Self {
        Self { house, records: Records::new(house.records()) }
    }

    /// The page with its placeholders filled. `file` is where the page lies: includes are relative
    /// to it, and faults name it.
    ///
    /// # Errors
    /// All faults of the page, each with its line.
    pub fn page(&self, file: &Path, text: &str) -> Result<String, Vec<Fault>> {
        let shown = self.house.shown(file);
        let (places, broken) = placeholder::find(text);
        let mut faults: Vec<Fault> =
            broken.iter().map(|&line| Fault::new(shown, line, "`{{` without `}}`")).collect();
        let mut page = String::with_capacity(text.len());
        let mut copied = 0;
        for place in places {
            page.push_str(&text[copied..place.start]);
            copied = place.start + place.text.len();
            match self.fill(file, &place.words) {
                Ok(filled) => page.push_str(&filled),
                Err(why) => {
                    faults.push(Fault::new(shown, place.line, format!("{}: {why}", place.text)));
                }
            }
        }
        page.push_str(&text[copied..]);
        if faults.is_empty() { Ok(page) } else { Err(faults) }
    }

    fn fill(&self, file: &Path, words: &[&str]) -> Result<String, String> {
        let root = self.house.root();
        match *words {
            ["#include", what] => read_piece(&file.with_file_name(""), what),
            ["record", record, ref path @ ..] => self.records.shown(record, path),
            ["holds", record, ref words @ ..] => {
                self.records.holds(record, words).map(|()| String::new())
            }
            ["machine", record] => self.records.record(record).and_then(|r| figures::machine(&r)),
            ["console", record] => {
                let text = self.records.text(&format!("{record}.txt"))?;
                Ok(format!("```text\n{}\n```", text.trim_end()))
            }
            ["figure", record, "predicted", policy, workers] => {
                let serial = self.records.number(record, "stages.serial.seconds")?;
                figures::predicted(record, serial, policy, workers)
            }
            ["figure", record, ref stages @ ..] => {
                let svg = self.records.text(&format!("{record}.svg"))?;
                let record = self.records.record(record)?;
                match stages {
                    ["map"] => figures::map(&svg, &record),
                    _ => figures::recorded(&svg, &record, stages),
                }
            }
            ["schedule", ref words @ ..] => predictions::fill(words),
            ["source", path, ref what @ ..] => {
                let text =
                    fs::read_to_string(root.join(path)).map_err(|error| error.to_string())?;
                match *what {
                    ["constant", name] => sources::constant(&text, name),
                    ["signature", name] => sources::signature(&text, name),
                    ["lines"] => Ok(sources::code_lines(&text).to_string()),
                    _ => Err("not constant, signature or lines".into()),
                }
            }
            ["lessons", "questions"] => Ok(sources::lessons_table(&curriculum::lessons(root)?)),
            ["lessons", "decisions"] => Ok(sources::decisions(curriculum::lessons(root)?)),
            ["lesson", number, ref part @ ..] => {
                let lesson = sources::lesson(self.house, number)?;
                match *part {
                    ["box"] => Ok(sources::lesson_box(&lesson)),
                    ["misconception"] => Ok(format!("> *“{}”*", lesson.misconception)),
                    ["remember"] => Ok(lesson.remember.lines().collect::<Vec<_>>().join(" ")),
                    ["decision"] => sources::decision(&lesson),
                    ["core"] => sources::core(self.house, &lesson),
                    ["change", from] => {
                        let from = sources::core(self.house, &sources::lesson(self.house, from)?)?;
                        // A core has a few lines: all of them are shown.
                        let context = from.lines().count();
                        Ok(diffs::diff(&from, &sources::core(self.house, &lesson)?, context))
                    }
                    _ => Err("not box, misconception, remember, decision, core or change".into()),
                }
            }
            ["diff", from, to] => {
                let [from, to] = [from, to].map(|step| {
                    let (name, anchor) = step.split_once(':').unwrap_or((step, ""));
                    let piece = read_piece(&root.join(STEPS), &format!("{name}.rs:{anchor}"));
                    piece.map_err(|why| format!("step {name}: {why}"))
                });
                Ok(diffs::diff(&from?, &to?, 3))
            }
            [] => Err("an empty placeholder".into()),
            [name, ..] => Err(format!("there is no placeholder `{name}` with these arguments")),
        }
    }
}

/// `path` or `path:anchor`, relative to the folder.
fn read_piece(folder: &Path, what: &str) -> Result<String, String> {
    let (path, anchor) = what.split_once(':').unwrap_or((what, ""));
    let text = fs::read_to_string(folder.join(path)).map_err(|error| error.to_string())?;
    if anchor.is_empty() { Ok(anchors::whole(&text)) } else { anchors::piece(&text, anchor) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault;

    /// A house with one record, one source file and one step.
    fn house() -> (tempfile::TempDir, House) {
        let folder = tempfile::tempdir().unwrap();
        let house = House::at(folder.path());
        let write = |path: &str, text: &str| {
            let path = house.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("book/src/page.md", "");
        write("lessons/README.md", "");
        write("book/records/source.json", r#"{"run": {"serial": 1.173}}"#);
        write(
            "book/records/lesson-1.json",
            r#"{"run": {"stages": [{"name": "a", "speedup": 2}]}}"#,
        );
        write("book/records/lesson-1.txt", "Lesson 1\n");
        write(
            "src/lib.rs",
            "const SLICE: u64 = 100_000;\n// ANCHOR: f\nfn f() {}\n// ANCHOR_END: f\n",
        );
        write("crates/processes/src/steps/s1.rs", "one\ntwo\n");
        write("crates/processes/src/steps/s2.rs", "one\n2\n");
        (folder, house)
    }

    fn fill(text: &str) -> Result<String, String> {
        let (_folder, house) = house();
        let file = house.pages().join("page.md");
        Expander::new(&house)
            .page(&file, text)
            .map_err(|faults| fault::none(&faults).unwrap_err().to_string())
    }

    #[test]
    fn placeholders_are_filled() {
        let filled = |text| fill(text).unwrap();
        assert_eq!(filled("took {{record source serial as seconds}}."), "took 1.173\u{a0}s.");
        assert_eq!(filled("{{record lesson-1 stages.a.speedup}}"), "2.00×");
        assert_eq!(filled("x{{holds lesson-1 stages.a.speedup > 1.5}}"), "x");
        assert_eq!(filled("{{console lesson-1}}"), "```text\nLesson 1\n```");
        assert_eq!(filled("{{#include ../../src/lib.rs:f}}"), "fn f() {}");
        assert_eq!(filled("{{source src/lib.rs constant SLICE}}"), "100,000");
        assert_eq!(filled("{{source src/lib.rs lines}}"), "2");
        assert_eq!(filled("{{diff s1 s2}}"), "```diff\n one\n-two\n+2\n```");
        assert_eq!(filled("{{schedule speedup queue 2}}"), "1.97×");
        assert_eq!(filled("{{schedule steps total}}"), "20.62\u{a0}million");
    }

    #[test]
    fn what_cannot_be_filled_fails_with_file_and_line() {
        for (text, expected) in [
            (
                "\n{{record source parallel as seconds}}",
                "book/src/page.md:2: {{record source parallel as seconds}}: `parallel` of",
            ),
            ("{{record lesson-9 x}}", "book/src/page.md:1: {{record lesson-9 x}}: there is no"),
            ("{{holds lesson-1 stages.a.speedup < 1.5}}", "does not hold: the record has 2.0000"),
            ("{{#include ../../src/lib.rs:g}}", "there is no anchor `g`"),
            ("{{#include gone.rs}}", "No such file"),
            ("{{console lesson-9}}", "there is no record `lesson-9.txt`"),
            ("{{source src/lib.rs constant OTHER}}", "no constant `OTHER`"),
            ("{{lesson 99 box}}", "there is no lesson 99"),
            ("{{source src/lib.rs colour}}", "not constant, signature or lines"),
            ("{{diff s1 s9}}", "step s9"),
            ("{{schedule speedup fifo 2}}", "no policy `fifo`"),
            ("{{schedule steps 11}}", "there is no item 11"),
            ("{{recrod x}}", "there is no placeholder `recrod`"),
            ("{{}}", "an empty placeholder"),
            ("a\nb {{record", "book/src/page.md:2: `{{` without `}}`"),
        ] {
            let faults = fill(text).unwrap_err();
            assert!(faults.contains(expected), "{text}: {faults}");
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        assert_eq!(fill("{{a}}\n{{b}}\n").unwrap_err().lines().count(), 2);
    }
}
