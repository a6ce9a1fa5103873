//! Recorded runs, and numbers out of them by path.
//!
//! A record is `book/records/NAME.json`: `{"machine": …, "run": …}`, where the run is what the
//! lesson printed with `--json`. A path starts in the run, or with `machine`. Where it meets a
//! list, it goes on by the position in it, or by the entry's `name` (or what it `measured`) in lower
//! case with hyphens: `stages.threads-one-lock.speedup`.

use crate::format;
use serde_json::Value;
use std::fs;
use std::path::PathBuf;

/// The records of one folder.
#[derive(Debug)]
pub struct Records {
    folder: PathBuf,
}

impl Records {
    /// The records in this folder. Nothing is read yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// A whole record.
    ///
    /// # Errors
    /// One line if there is no such file, or no JSON in it.
    pub fn record(&self, name: &str) -> Result<Value, String> {
        serde_json::from_str(&self.text(&format!("{name}.json"))?)
            .map_err(|error| format!("the record `{name}` is not JSON: {error}"))
    }

    /// A file of the folder as it is: a recorded console, a recorded picture.
    ///
    /// # Errors
    /// One line if it cannot be read.
    pub fn text(&self, file: &str) -> Result<String, String> {
        fs::read_to_string(self.folder.join(file))
            .map_err(|error| format!("there is no record `{file}`: {error}"))
    }

    /// The number at a path. `OTHER:path` leads into another record.
    ///
    /// # Errors
    /// One line that names the part of the path that leads nowhere, or says what is there instead
    /// of a number.
    pub fn number(&self, record: &str, path: &str) -> Result<f64, String> {
        let (record, path) = path.split_once(':').unwrap_or((record, path));
        let value = self.record(record)?;
        let found = walk(root(&value, path), path)?;
        found.as_f64().ok_or_else(|| format!("`{path}` of `{record}` is {found}, not a number"))
    }

    /// Paths and numbers joined by `*` and `/`, evaluated from left to right.
    ///
    /// # Errors
    /// One line if a path leads nowhere or the words are no such expression.
    pub fn expression(&self, record: &str, words: &[&str]) -> Result<f64, String> {
        let operand = |word: &str| match word.parse::<f64>() {
            Ok(number) => Ok(number),
            Err(_) => self.number(record, word),
        };
        let (first, rest) = words.split_first().ok_or("a path into the record is missing")?;
        let mut value = operand(first)?;
        for pair in rest.chunks(2) {
            match *pair {
                ["*", word] => value *= operand(word)?,
                ["/", word] => value /= operand(word)?,
                _ => return Err(format!("`{}` is not `* path` or `/ path`", pair.join(" "))),
            }
        }
        Ok(value)
    }

    /// An expression, with the format that is named after `as`, or that the path's last key has. A
    /// text is shown as it is: the program that made the record has written it for a page.
    ///
    /// # Errors
    /// One line if the expression is none, or no format is known for it.
    pub fn shown(&self, record: &str, words: &[&str]) -> Result<String, String> {
        if let [path] = words
            && let Value::String(text) = walk(root(&self.record(record)?, path), path)?
        {
            return Ok(text.clone());
        }
        let (words, format) = match words {
            [words @ .., "as", format] => (words, Some(*format)),
            [path] => (words, format::by_key(path.rsplit('.').next().unwrap_or(path))),
            _ => (words, None),
        };
        let value = self.expression(record, words)?;
        let format = format.ok_or_else(|| format!("`{}` needs `as FORMAT`", words.join(" ")))?;
        format::by_name(format, value)
    }

    /// Whether `expression < expression` (or `<=`, `=`, `>=`, `>`) holds.
    ///
    /// # Errors
    /// One line with both numbers if it does not; or if this is no comparison, or one of its sides is
    /// no expression.
    pub fn holds(&self, record: &str, words: &[&str]) -> Result<(), String> {
        let place = words
            .iter()
            .position(|word| ["<", "<=", "=", ">=", ">"].contains(word))
            .ok_or("a comparison needs one of < <= = >= >")?;
        let left = self.expression(record, &words[..place])?;
        let right = self.expression(record, &words[place + 1..])?;
        let holds = match words[place] {
            "<" => left < right,
            "<=" => left <= right,
            "=" => left == right,
            ">" => left > right,
            _ => left >= right,
        };
        let why = || format!("does not hold: the record has {left:.4} and {right:.4}");
        if holds { Ok(()) } else { Err(why()) }
    }
}

/// Where a path starts: at the top for `machine.…`, else in the run.
fn root<'value>(record: &'value Value, path: &str) -> &'value Value {
    let first = path.split('.').next();
    if first == Some("machine") { record } else { record.get("run").unwrap_or(record) }
}

fn walk<'value>(value: &'value Value, path: &str) -> Result<&'value Value, String> {
    let mut here = value;
    for key in path.split('.') {
        let next = match here {
            Value::Array(entries) => match key.parse::<usize>() {
                Ok(place) => entries.get(place),
                Err(_) => {
                    entries.iter().find(|entry| name(entry).is_some_and(|name| slug(name) == key))
                }
            },
            _ => here.get(key),
        };
        here = next.ok_or_else(|| {
            let there = match here {
                Value::Object(entries) => entries.keys().cloned().collect(),
                Value::Array(entries) => {
                    entries.iter().filter_map(|entry| name(entry).map(slug)).collect()
                }
                _ => Vec::new(),
            };
            format!("`{key}` of `{path}` is not in the record; there: {}", there.join(", "))
        })?;
    }
    Ok(here)
}

/// What a list's entry is called: a lesson's stage has a name, a bench's row says what it measured.
fn name(entry: &Value) -> Option<&str> {
    entry["name"].as_str().or_else(|| entry["measured"].as_str())
}

/// A name as it is written in a path: letters and digits in lower case, hyphens between them.
pub fn slug(name: &str) -> String {
    let parts = name.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    parts.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records() -> (tempfile::TempDir, Records) {
        let folder = tempfile::tempdir().unwrap();
        let record = r#"{"machine": {"cores": 2}, "run": {"stages": [
            {"name": "serial", "seconds": 0.056, "speedup": 1.0},
            {"name": "threads, one lock", "seconds": 0.028, "speedup": 2.0}],
            "rows": [{"measured": "a, b / c", "ratio": 1.5}], "table": "| a |\n|:--|"}}"#;
        fs::write(folder.path().join("lesson-9.json"), record).unwrap();
        fs::write(folder.path().join("broken.json"), "{").unwrap();
        let records = Records::new(folder.path());
        (folder, records)
    }

    #[test]
    fn paths_lead_into_lists_by_name() {
        let (_folder, records) = records();
        let show = |words: &[&str]| records.shown("lesson-9", words).unwrap();
        assert_eq!(show(&["stages.threads-one-lock.speedup"]), "2.00×");
        assert_eq!(show(&["stages.0.seconds"]), "56.0\u{a0}ms");
        assert_eq!(show(&["machine.cores", "as", "count"]), "2");
        assert_eq!(show(&["rows.a-b-c.ratio", "as", "times"]), "1.50");
        assert_eq!(show(&["table"]), "| a |\n|:--|");
        let ratio = ["stages.serial.seconds", "/", "stages.1.seconds", "as", "ratio"];
        assert_eq!(show(&ratio), "2.00×");
    }

    #[test]
    fn comparisons_can_fail() {
        let (_folder, records) = records();
        let holds = |words: &[&str]| records.holds("lesson-9", words).is_ok();
        assert!(holds(&["stages.1.speedup", ">", "stages.serial.speedup", "*", "1.5"]));
        assert!(!holds(&["stages.1.speedup", "<", "stages.serial.speedup"]));
        assert!(records.holds("lesson-9", &["stages.1.speedup"]).is_err());
        fs::write(records.folder.join("other.json"), r#"{"limit": 2}"#).unwrap();
        assert!(holds(&["stages.1.speedup", "=", "other:limit"]));
        assert!(!holds(&["stages.serial.speedup", "=", "other:limit"]));
    }

    #[test]
    fn what_is_not_there_is_an_error_with_what_is() {
        let (_folder, records) = records();
        let error = |record, path| records.shown(record, &[path]).unwrap_err();
        assert!(error("lesson-8", "x").contains("lesson-8.json"));
        assert!(error("broken", "x").contains("not JSON"));
        let missing = error("lesson-9", "stages.thread.speedup");
        assert!(missing.contains("there: serial, threads-one-lock"), "{missing}");
        assert!(error("lesson-9", "machine.cores").contains("needs `as FORMAT`"));
    }
}
