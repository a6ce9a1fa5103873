//! Fills the placeholders of a page. The list is in the crate's documentation.

use crate::fault::{Fault, Faults};
use crate::house::House;
use crate::records::Records;
use crate::{
    anchors, diffs, figures, format, placeholder, pool_tables, pools, predictions, sources,
};
use curriculum::Lesson;
use std::fs;
use std::path::Path;

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
        match *words {
            ["#include", what] => self.include(file, what),
            ["record", record, ref path @ ..] => self.records.shown(record, path),
            ["source", key] => self.records.number("source", key).map(format::source),
            ["holds", record, ref words @ ..] => match self.records.holds(record, words)? {
                (true, ..) => Ok(String::new()),
                (false, left, right) => {
                    Err(format!("does not hold: the record has {left:.4} and {right:.4}"))
                }
            },
            ["machine", record] => self.records.record(record).and_then(|r| figures::machine(&r)),
            ["console", record] => {
                let text = self.records.text(&format!("{record}.txt"))?;
                Ok(format!("```text\n{}\n```", text.trim_end()))
            }
            ["figure", record, ref stages @ ..] => {
                let svg = self.records.text(&format!("{record}.svg"))?;
                figures::recorded(&svg, &*self.records.record(record)?, stages)
            }
            ["map", record] => {
                let svg = self.records.text(&format!("{record}.svg"))?;
                figures::map(&svg, &*self.records.record(record)?)
            }
            ["predicted", record, policy, workers] => {
                let serial = self.records.number(record, "stages.serial.seconds")?;
                figures::predicted(record, serial, policy, workers)
            }
            ["schedule", ref words @ ..] => predictions::fill(words),
            ["steps", ref words @ ..] => predictions::steps(words),
            ["constant", path, name] => sources::constant(&self.source(path)?, name),
            ["signature", path, name] => sources::signature(&self.source(path)?, name),
            ["recorded", record] => self.records.record(record).and_then(|r| figures::origin(&r)),
            ["pools", ref what @ ..] => {
                let ours = self.records.record("killed-worker")?;
                let others = self.records.record("pools/pools")?;
                match what {
                    ["machine"] => pools::machine(&ours, &others),
                    [] => pools::table(&ours, &others),
                    _ => Err(format!("`pools` has no `{}`", what.join(" "))),
                }
            }
            ["faults"] => pool_tables::faults(&*self.records.record("faults")?),
            ["bench-pool", ref what @ ..] => {
                let record = self.records.record("bench-pool")?;
                match what {
                    [] => pool_tables::bench(&record),
                    ["missed"] => pool_tables::missed(&record),
                    ["python"] => match record["machine"]["python"].as_str() {
                        Some(version) => Ok(version.to_owned()),
                        None => Err("the record names no Python".into()),
                    },
                    _ => Err(format!("`bench-pool` has no `{}`", what.join(" "))),
                }
            }
            ["lines", path] => Ok(sources::code_lines(&self.source(path)?).to_string()),
            ["lessons"] => Ok(sources::lessons_table(&curriculum::lessons(self.house.root())?)),
            ["decisions"] => Ok(sources::decisions(curriculum::lessons(self.house.root())?)),
            ["lesson", number] => Ok(sources::lesson_box(&self.lesson(number)?)),
            ["misconception", number] => {
                Ok(format!("> *“{}”*", self.lesson(number)?.misconception))
            }
            ["remember", number] => {
                Ok(self.lesson(number)?.remember.lines().collect::<Vec<_>>().join(" "))
            }
            ["core", number] => sources::core(self.house, number),
            ["change", from, to] => {
                let [from, to] = [sources::core(self.house, from)?, sources::core(self.house, to)?];
                Ok(diffs::whole(&from, &to))
            }
            ["diff", from, to] => {
                let [from, to] = [self.step(from)?, self.step(to)?];
                Ok(diffs::around(&from, &to))
            }
            ["decision", number] => sources::decision(&self.lesson(number)?),
            [] => Err("an empty placeholder".into()),
            [name, ..] => Err(format!("there is no placeholder `{name}` with these arguments")),
        }
    }

    fn lesson(&self, number: &str) -> Result<Lesson, String> {
        sources::lesson(self.house, number)
    }

    /// `path` or `path:anchor`, relative to the page.
    fn include(&self, file: &Path, what: &str) -> Result<String, String> {
        let (path, anchor) = what.split_once(':').map_or((what, None), |(p, a)| (p, Some(a)));
        let path = file.parent().unwrap_or(Path::new("")).join(path);
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        match anchor {
            Some(anchor) => anchors::piece(&text, anchor),
            None => Ok(anchors::whole(&text)),
        }
    }

    /// A source file by its path from the root.
    fn source(&self, path: &str) -> Result<String, String> {
        fs::read_to_string(self.house.root().join(path)).map_err(|error| error.to_string())
    }

    /// `s1_fork` or `s1_fork:anchor`.
    fn step(&self, what: &str) -> Result<String, String> {
        let (step, anchor) = what.split_once(':').map_or((what, None), |(s, a)| (s, Some(a)));
        let text = fs::read_to_string(self.house.steps().join(format!("{step}.rs")))
            .map_err(|error| format!("step {step}: {error}"))?;
        match anchor {
            Some(anchor) => anchors::piece(&text, anchor),
            None => Ok(anchors::whole(&text)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        Expander::new(&house).page(&file, text).map_err(|faults| faults.to_string())
    }

    #[test]
    fn placeholders_are_filled() {
        let filled = |text| fill(text).unwrap();
        assert_eq!(filled("took {{source serial}}."), "took 1.173\u{a0}s.");
        assert_eq!(filled("{{record lesson-1 stages.a.speedup}}"), "2.00×");
        assert_eq!(filled("x{{holds lesson-1 stages.a.speedup > 1.5}}"), "x");
        assert_eq!(filled("{{console lesson-1}}"), "```text\nLesson 1\n```");
        assert_eq!(filled("{{#include ../../src/lib.rs:f}}"), "fn f() {}");
        assert_eq!(filled("{{constant src/lib.rs SLICE}}"), "100,000");
        assert_eq!(filled("{{lines src/lib.rs}}"), "2");
        assert_eq!(filled("{{diff s1 s2}}"), "```diff\n one\n-two\n+2\n```");
        assert_eq!(filled("{{schedule speedup queue 2}}"), "1.97×");
        assert_eq!(filled("{{steps total}}"), "20.62\u{a0}million");
    }

    #[test]
    fn what_cannot_be_filled_fails_with_file_and_line() {
        for (text, expected) in [
            ("\n{{source parallel}}", "book/src/page.md:2: {{source parallel}}: `parallel` of"),
            ("{{record lesson-9 x}}", "book/src/page.md:1: {{record lesson-9 x}}: there is no"),
            ("{{holds lesson-1 stages.a.speedup < 1.5}}", "does not hold: the record has 2.0000"),
            ("{{#include ../../src/lib.rs:g}}", "there is no anchor `g`"),
            ("{{#include gone.rs}}", "No such file"),
            ("{{console lesson-9}}", "there is no record `lesson-9.txt`"),
            ("{{constant src/lib.rs OTHER}}", "no constant `OTHER`"),
            ("{{lesson 99}}", "there is no lesson 99"),
            ("{{diff s1 s9}}", "step s9"),
            ("{{schedule speedup fifo 2}}", "no policy `fifo`"),
            ("{{steps 11}}", "there is no item 11"),
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
