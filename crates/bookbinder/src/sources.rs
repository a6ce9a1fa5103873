//! What the book takes from the sources: lessons' words and cores, constants, signatures.

use crate::house::House;
use crate::{anchors, diffs, format};
use curriculum::Lesson;
use regex_lite::Regex;
use std::fs;
use std::path::Path;

/// A source file, or the piece of it behind `:anchor`, without the marks.
///
/// # Errors
/// One line if there is no such file or anchor.
pub fn piece(folder: &Path, what: &str) -> Result<String, String> {
    let (path, anchor) = what.split_once(':').map_or((what, None), |(p, a)| (p, Some(a)));
    let text = fs::read_to_string(folder.join(path)).map_err(|error| format!("{path}: {error}"))?;
    match anchor {
        Some(anchor) => anchors::piece(&text, anchor).map_err(|why| format!("{path}: {why}")),
        None => Ok(anchors::whole(&text)),
    }
}

/// `lines FILE`, `constant FILE NAME`, `signature FILE NAME`, and `diff FOLDER FROM TO`, all by
/// their paths from the root.
///
/// # Errors
/// One line if the words are none of these, or name what is not there.
pub fn fill(house: &House, words: &[&str]) -> Result<String, String> {
    let read = |path: &str| {
        fs::read_to_string(house.root().join(path)).map_err(|error| format!("{path}: {error}"))
    };
    match *words {
        ["lines", path] => Ok(code_lines(&read(path)?).to_string()),
        ["constant", path, name] => constant(&read(path)?, name),
        ["signature", path, name] => signature(&read(path)?, name),
        ["diff", folder, from, to] => {
            let [from, to] = [from, to].map(|what| piece(&house.root().join(folder), what));
            Ok(diffs::around(&from?, &to?))
        }
        _ => Err("not lines, constant, signature or diff with their arguments".into()),
    }
}

/// The lesson of this number.
///
/// # Errors
/// One line if there is none.
pub fn lesson<'all>(all: &'all [Lesson], number: &str) -> Result<&'all Lesson, String> {
    let found = all.iter().find(|lesson| lesson.number.to_string() == number);
    found.ok_or_else(|| format!("there is no lesson {number}"))
}

/// A lesson's `box`, which stands at the head of its chapter, `misconception`, `core`, and
/// `change-from N`: what its core changes in the core of lesson N.
///
/// # Errors
/// One line if there is no such lesson, or the words are none of these.
pub fn of_lesson(
    house: &House,
    all: &[Lesson],
    number: &str,
    words: &[&str],
) -> Result<String, String> {
    let found = lesson(all, number)?;
    let core = |lesson: &Lesson| piece(&lesson.path(house.root()), "main.rs:core");
    match *words {
        ["box"] => Ok(lesson_box(found)),
        ["misconception"] => Ok(format!("> *“{}”*", found.misconception)),
        ["core"] => core(found),
        ["change-from", before] => Ok(diffs::whole(&core(lesson(all, before)?)?, &core(found)?)),
        _ => Err("not box, misconception, core or change-from with a lesson".into()),
    }
}

fn lesson_box(lesson: &Lesson) -> String {
    let Lesson { question, minutes, needs, learn, .. } = lesson;
    let learn = learn.each_ref().map(|line| format!("> - {line}")).join("\n");
    format!(
        "> **The question** {question}\n>\n> **Minutes** about {minutes}\n>\n\
         > **Needs** {needs}\n>\n> **You will learn**\n>\n{learn}"
    )
}

/// A row for each lesson, with a link to its chapter. The page has the table's head.
pub fn lessons_table(all: &[Lesson]) -> String {
    let row = |lesson: &Lesson| {
        let Lesson { number, name, question, .. } = lesson;
        format!("| [{number} {name}]({}) | {question} |", lesson.chapter())
    };
    all.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The decision table: every lesson's row in the order of the ranks, with a link to the chapter.
pub fn decisions(all: &[Lesson]) -> String {
    let rows = all.iter().filter_map(|lesson| Some((lesson.decision.as_ref()?, lesson)));
    let mut rows: Vec<_> = rows.collect();
    rows.sort_by_key(|(decision, _)| decision.rank);
    let row = |(decision, lesson): &(&curriculum::Decision, &Lesson)| {
        let (work, take) = (&decision.work, &decision.take);
        format!("\n| {work} | {take} | [{}]({}) |", lesson.title, lesson.chapter())
    };
    let rows: String = rows.iter().map(row).collect();
    format!("| your work | take | earned in |\n|:--|:--|:--|{rows}")
}

/// A lesson's row of the decision table, with a head. It does not name the chapter it stands in.
///
/// # Errors
/// One line if there is no such lesson, or the lesson has no row.
pub fn decision(all: &[Lesson], number: &str) -> Result<String, String> {
    let row = lesson(all, number)?.decision.as_ref();
    let row = row.ok_or_else(|| format!("lesson {number} adds no row to the decision table"))?;
    Ok(format!("| your work | take |\n|:--|:--|\n| {} | {} |", row.work, row.take))
}

/// The value of `const NAME: TYPE = VALUE;` in a source text, if the value is a whole number.
///
/// # Errors
/// One line if there is no such constant, or its value is something else.
fn constant(text: &str, name: &str) -> Result<String, String> {
    let constant =
        Regex::new(&format!(r"\bconst {name}: [^=]+ = (.+?);")).map_err(|e| e.to_string())?;
    let found = constant.captures(text).ok_or_else(|| format!("there is no constant `{name}`"))?;
    let number = found[1].replace('_', "").parse();
    number.map(format::count).map_err(|_| format!("`{name}` is {}, no number", &found[1]))
}

/// The signature of the first function of this name in a source text, without its body.
///
/// # Errors
/// One line if there is no such function.
fn signature(text: &str, name: &str) -> Result<String, String> {
    let head = Regex::new(&format!(r"(?m)^ *(?:pub )?fn {name}[(<](?:.*\n)*?.*[{{;]$"));
    let found = head.map_err(|e| e.to_string())?.find(text);
    let found = found.ok_or_else(|| format!("there is no function `{name}`"))?;
    Ok(anchors::whole(found.as_str()).trim_end_matches(['{', ';']).trim_end().to_owned())
}

/// How many lines of code a source text has: no comments, no blank lines, no tests at its end.
fn code_lines(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lessons_stand_in_order() {
        let all = House::here().lessons().unwrap();
        assert!(all.is_sorted_by(|before, after| before.number < after.number));
        assert_eq!(lesson(&all, "4").unwrap().chapter(), "04-processes.md");
        assert!(lesson_box(lesson(&all, "4").unwrap()).contains("about 30"));
        assert_eq!(lesson(&all, "99").unwrap_err(), "there is no lesson 99");
    }

    #[test]
    fn constants_and_lines_are_read_from_the_code() {
        let text = "/// Doc.\npub const DEPTH: u32 = 1_000;\n\nconst TEXT: &str = \"x\";\n";
        assert_eq!(constant(text, "DEPTH").unwrap(), "1,000");
        assert!(constant(text, "TEXT").unwrap_err().contains("no number"));
        assert!(constant(text, "OTHER").is_err());
        assert_eq!(code_lines(text), 2);
        assert_eq!(code_lines("a\n#[cfg(test)]\nmod tests {\nb\n"), 1);
    }

    #[test]
    fn a_signature_ends_where_the_body_begins() {
        let text = "impl A {\n    /// Doc.\n    pub fn map<R>(\n        self,\n    ) -> R\n    where\n        R: Send,\n    {\n        x\n    }\n}\nfn steps(a: u8) -> u8 {\n";
        let expected = "pub fn map<R>(\n    self,\n) -> R\nwhere\n    R: Send,";
        assert_eq!(signature(text, "map").unwrap(), expected);
        assert_eq!(signature(text, "steps").unwrap(), "fn steps(a: u8) -> u8");
        assert!(signature(text, "step").is_err());
    }

    #[test]
    fn a_chapter_shows_its_row_and_the_table_has_all_by_rank() {
        let mut all = House::here().lessons().unwrap();
        let [first, second] = [1, 2].map(|place: usize| all[place].decision.clone().unwrap());
        assert!(first.rank < second.rank);
        let row = decision(&all, "1").unwrap();
        let expected = format!("\n| {} | {} |", first.work, first.take);
        assert!(row.ends_with(&expected), "{row}");
        let table = decisions(&all);
        let place = |table: &str, work: &str| table.find(work).unwrap();
        assert!(place(&table, &first.work) < place(&table, &second.work));
        assert!(table.contains("| [Serial](01-serial.md) |"), "{table}");
        all[1].decision.as_mut().unwrap().rank = second.rank + 1;
        let table = decisions(&all);
        assert!(place(&table, &first.work) > place(&table, &second.work));
        all[1].decision = None;
        assert!(decision(&all, "1").unwrap_err().contains("adds no row"));
    }
}
