//! Fills the placeholders of a page. The list is in the crate's documentation.

use crate::fault::{Fault, Faults};
use crate::house::House;
use crate::records::Records;
use crate::{figures, placeholder, predictions, sources};
use curriculum::Lesson;
use std::path::Path;

/// Fills placeholders from one house's sources and records.
#[derive(Debug)]
pub struct Expander<'house> {
    house: &'house House,
    records: Records,
    lessons: Result<Vec<Lesson>, String>,
}

impl<'house> Expander<'house> {
    /// For this house, with its lessons and records as they are now.
    pub fn new(house: &'house House) -> Self {
        Self { house, records: Records::new(house.records()), lessons: house.lessons() }
    }

    /// The page with its placeholders filled. `file` is where the page lies: includes are relative
    /// to it, and faults name it.
    ///
    /// # Errors
    /// All faults of the page, each with its line.
    pub fn page(&self, file: &Path, text: &str) -> Result<String, Faults> {
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
        Faults::none_or(faults, page)
    }

    fn fill(&self, file: &Path, words: &[&str]) -> Result<String, String> {
        let records = &self.records;
        let lessons = || self.lessons.as_deref().map_err(String::clone);
        match *words {
            ["#include", what] => sources::piece(file.parent().unwrap_or(Path::new("")), what),
            ["record", record, ref path @ ..] => records.shown(record, path),
            ["holds", record, ref words @ ..] => {
                records.holds(record, words).map(|()| String::new())
            }
            ["machine", record] => figures::machine(&records.record(record)?),
            ["console", record] => {
                let text = records.text(&format!("{record}.txt"))?;
                Ok(format!("```text\n{}\n```", text.trim_end()))
            }
            ["figure", record, "predicted", policy, workers] => {
                let serial = records.number(record, "stages.serial.seconds")?;
                figures::predicted(record, serial, policy, workers)
            }
            ["figure", record, ref stages @ ..] => {
                let svg = records.text(&format!("{record}.svg"))?;
                figures::recorded(&svg, &records.record(record)?, stages)
            }
            ["schedule", ref words @ ..] => predictions::fill(words),
            ["source-code", ref words @ ..] => sources::fill(self.house, words),
            ["lessons"] => Ok(sources::lessons_table(lessons()?)),
            ["lesson", number, ref words @ ..] => {
                sources::of_lesson(self.house, lessons()?, number, words)
            }
            ["decision"] => Ok(sources::decisions(lessons()?)),
            ["decision", number] => sources::decision(lessons()?, number),
            [] => Err("an empty placeholder".into()),
            [name, ..] => Err(format!("there is no placeholder `{name}` with these arguments")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// A house with one lesson, two records, one source file and two steps.
    fn house() -> (tempfile::TempDir, House) {
        let folder = tempfile::tempdir().unwrap();
        let house = House::at(folder.path());
        let write = |path: &str, text: &str| {
            let path = house.root().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("book/src/page.md", "");
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
        write("steps/s1.rs", "one\ntwo\n");
        write("steps/s2.rs", "one\n2\n");
        let facts = include_str!("../../../lessons/01-serial/lesson.toml");
        write("lessons/01-serial/lesson.toml", facts);
        write("lessons/01-serial/main.rs", "// ANCHOR: core\nserial\n// ANCHOR_END: core\n");
        (folder, house)
    }

    fn fill(text: &str) -> Result<String, String> {
        let (_folder, house) = house();
        let file = house.pages().join("page.md");
        Expander::new(&house).page(&file, text).map_err(|faults| faults.to_string())
    }

    #[test]
    fn placeholders_are_filled() {
        let filled = |text| fill(text).unwrap();
        assert_eq!(filled("took {{record source serial as thousandths}}."), "took 1.173\u{a0}s.");
        assert_eq!(filled("{{record lesson-1 stages.a.speedup}}"), "2.00×");
        assert_eq!(filled("x{{holds lesson-1 stages.a.speedup > 1.5}}"), "x");
        assert_eq!(filled("{{console lesson-1}}"), "```text\nLesson 1\n```");
        assert_eq!(filled("{{#include ../../src/lib.rs:f}}"), "fn f() {}");
        assert_eq!(filled("{{source-code constant src/lib.rs SLICE}}"), "100,000");
        assert_eq!(filled("{{source-code lines src/lib.rs}}"), "2");
        assert_eq!(
            filled("{{source-code diff steps s1.rs s2.rs}}"),
            "```diff\n one\n-two\n+2\n```"
        );
        assert_eq!(filled("{{schedule speedup queue 2}}"), "1.97×");
        assert_eq!(filled("{{lesson 1 core}}"), "serial");
        assert!(filled("{{lesson 1 box}}").starts_with("> **The question** What can more"));
        assert!(filled("{{decision}}").contains("](01-serial.md) |"));
        assert_eq!(filled("{{schedule steps total}}"), "20.62\u{a0}million");
    }

    #[test]
    fn what_cannot_be_filled_fails_with_file_and_line() {
        for (text, expected) in [
            ("\n{{record source x}}", "book/src/page.md:2: {{record source x}}: `x` of"),
            ("{{record lesson-9 x}}", "book/src/page.md:1: {{record lesson-9 x}}: there is no"),
            ("{{holds lesson-1 stages.a.speedup < 1.5}}", "does not hold: the record has 2.0000"),
            ("{{#include ../../src/lib.rs:g}}", "there is no anchor `g`"),
            ("{{#include gone.rs}}", "No such file"),
            ("{{console lesson-9}}", "there is no record `lesson-9.txt`"),
            ("{{source-code constant src/lib.rs OTHER}}", "no constant `OTHER`"),
            ("{{lesson 99 box}}", "there is no lesson 99"),
            ("{{lesson 1 hat}}", "not box, misconception, core"),
            ("{{decision 99}}", "there is no lesson 99"),
            ("{{source-code diff steps s1.rs s9.rs}}", "s9.rs: "),
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
