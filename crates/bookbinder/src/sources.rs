//! What the book takes from the sources: a lesson's words, its core, constants, and rows of the
//! decision table.

use crate::house::House;
use crate::{anchors, format};
use report::Lesson;
use std::fs;
use std::path::PathBuf;
use std::sync::LazyLock;

/// Every lesson, from the folders.
pub static LESSONS: LazyLock<Vec<Lesson>> = LazyLock::new(|| {
    curriculum::root().and_then(|root| curriculum::lessons(&root)).expect("the lessons' folders")
});

/// The file name of a lesson's chapter: `04-processes.md`.
pub fn chapter(lesson: &Lesson) -> String {
    format!("{:02}-{}.md", lesson.number, lesson.name)
}

/// The folder of a lesson's package.
pub fn folder(house: &House, lesson: &Lesson) -> PathBuf {
    house.root().join(format!("lessons/{:02}-{}", lesson.number, lesson.name))
}

/// The lesson of this number.
///
/// # Errors
/// One line if there is none.
pub fn lesson(number: &str) -> Result<&'static Lesson, String> {
    let found = LESSONS.iter().find(|lesson| lesson.number.to_string() == number);
    found.ok_or_else(|| format!("there is no lesson {number}"))
}

/// The box at the head of a chapter.
///
/// # Errors
/// One line if there is no such lesson.
pub fn lesson_box(number: &str) -> Result<String, String> {
    let Lesson { question, minutes, needs, learn, .. } = lesson(number)?;
    let learn = learn.each_ref().map(|line| format!("> - {line}")).join("\n");
    Ok(format!(
        "> **The question** {question}\n>\n> **Minutes** about {minutes}\n>\n\
         > **Needs** {needs}\n>\n> **You will learn**\n>\n{learn}"
    ))
}

/// A row for each lesson, with a link to its chapter. The page has the table's head.
pub fn lessons_table() -> String {
    let row = |lesson: &Lesson| {
        format!(
            "| [{} {}]({}) | {} |",
            lesson.number,
            lesson.name,
            chapter(lesson),
            lesson.question
        )
    };
    LESSONS.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The core of a lesson: what its `main` shows between the marks.
///
/// # Errors
/// One line if there is no such lesson or no core in it.
pub fn core(house: &House, number: &str) -> Result<String, String> {
    let path = folder(house, lesson(number)?).join("main.rs");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}", house.shown(&path).display()))?;
    anchors::piece(&text, "core").map_err(|why| format!("{}: {why}", house.shown(&path).display()))
}

/// The value of `const NAME: TYPE = VALUE;` in a source text, if the value is a whole number.
///
/// # Errors
/// One line if there is no such constant, or its value is something else.
pub fn constant(text: &str, name: &str) -> Result<String, String> {
    let value = text.lines().find_map(|line| {
        let (head, value) = line.split_once(" = ")?;
        let head = head.trim().trim_start_matches("pub ").trim_start_matches("pub(crate) ");
        let (found, _) = head.strip_prefix("const ")?.split_once(':')?;
        (found == name).then(|| value.trim_end_matches(';').replace('_', ""))
    });
    let value = value.ok_or_else(|| format!("there is no constant `{name}`"))?;
    let number = value.parse::<u64>().map_err(|_| format!("`{name}` is {value}, no number"))?;
    Ok(format::count(number))
}

/// The signature of the first function of this name in a source text, without its body.
///
/// # Errors
/// One line if there is no such function.
pub fn signature(text: &str, name: &str) -> Result<String, String> {
    let starts = |line: &&str| {
        let line = line.trim_start().trim_start_matches("pub ");
        let rest = line.strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name));
        rest.is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let mut lines = Vec::new();
    for line in text.lines().skip_while(|line| !starts(line)) {
        lines.push(line);
        if line.ends_with(['{', ';']) {
            let signature = anchors::whole(&lines.join("\n"));
            return Ok(signature.trim_end_matches(['{', ';']).trim_end().to_owned());
        }
    }
    Err(format!("there is no function `{name}`"))
}

/// How many lines of code a source text has: no comments, no blank lines, no tests at its end.
pub fn code_lines(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

/// The rows of the decision table that link to a lesson's chapter, with the table's head.
///
/// # Errors
/// One line if there is no such lesson or no such row.
pub fn decision_row(table: &str, number: &str) -> Result<String, String> {
    let link = format!("({})", chapter(lesson(number)?));
    let lines: Vec<&str> = table.lines().filter(|line| line.starts_with('|')).collect();
    let rows: Vec<&str> = lines.iter().copied().filter(|line| line.contains(&link)).collect();
    if rows.is_empty() {
        return Err(format!("the decision table has no row that links to {link}"));
    }
    // The last column says which chapter earned the row; in that chapter it says nothing.
    let narrow = |row: &str| match row.trim_end().trim_end_matches('|').rfind('|') {
        Some(end) => row[..=end].to_owned(),
        None => row.to_owned(),
    };
    let head = lines.iter().copied().take(2);
    Ok(head.chain(rows).map(narrow).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lessons_stand_in_order() {
        assert!(LESSONS.is_sorted_by(|before, after| before.number < after.number));
        assert_eq!(chapter(lesson("4").unwrap()), "04-processes.md");
        assert!(lesson_box("4").unwrap().contains("about 30"));
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
    fn a_chapter_shows_its_rows_of_the_decision_table() {
        let table = "# T\n\n| when | take | from |\n|:--|:--|:--|\n\
                     | a | b | [4](04-processes.md) |\n| c | d | [5](05-work-stealing.md) |\n";
        let rows = decision_row(table, "4").unwrap();
        assert_eq!(rows, "| when | take |\n|:--|:--|\n| a | b |");
        assert!(decision_row(table, "3").is_err());
    }
}
