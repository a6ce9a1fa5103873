//! What the book takes from the sources: a lesson's words, its core, constants, and rows of the
//! decision table.

use crate::house::House;
use crate::{anchors, format};
use curriculum::{Decision, Lesson};
use regex_lite::Regex;
use std::fs;

/// The lesson of this number.
///
/// # Errors
/// One line if there is none, or the lessons' folders cannot be read.
pub fn lesson(house: &House, number: &str) -> Result<Lesson, String> {
    let mut lessons = curriculum::lessons(house.root())?.into_iter();
    let found = lessons.find(|lesson| lesson.number.to_string() == number);
    found.ok_or_else(|| format!("there is no lesson {number}"))
}

/// The box at the head of a chapter.
pub fn lesson_box(Lesson { question, minutes, needs, learn, .. }: &Lesson) -> String {
    let learn = learn.each_ref().map(|line| format!("> - {line}")).join("\n");
    format!(
        "> **The question** {question}\n>\n> **Minutes** about {minutes}\n>\n\
         > **Needs** {needs}\n>\n> **You will learn**\n>\n{learn}"
    )
}

/// A row for each lesson, with a link to its chapter. The page has the table's head.
pub fn lessons_table(lessons: &[Lesson]) -> String {
    let row = |lesson: &Lesson| {
        let Lesson { number, name, question, .. } = lesson;
        format!("| [{number} {name}]({}) | {question} |", lesson.chapter())
    };
    lessons.iter().map(row).collect::<Vec<_>>().join("\n")
}

/// The decision table: the lessons' rows in the order of their ranks. A row links to the chapter
/// that earned it.
pub fn decisions(mut lessons: Vec<Lesson>) -> String {
    lessons.sort_by_key(|lesson| lesson.decision.as_ref().map(|decision| decision.rank));
    let mut table = "| your work | take | earned in |\n|:--|:--|:--|".to_owned();
    for lesson in &lessons {
        if let Some(Decision { work, take, .. }) = &lesson.decision {
            table += &format!("\n| {work} | {take} | [{}]({}) |", lesson.title, lesson.chapter());
        }
    }
    table
}

/// The row that a lesson adds to the decision table, under the table's head. In the lesson's own
/// chapter the row needs no link.
///
/// # Errors
/// One line if the lesson adds none.
pub fn decision(lesson: &Lesson) -> Result<String, String> {
    let Some(Decision { work, take, .. }) = &lesson.decision else {
        return Err(format!("lesson {} adds no row to the decision table", lesson.number));
    };
    Ok(format!("| your work | take |\n|:--|:--|\n| {work} | {take} |"))
}

/// The core of a lesson: what its `main` shows between the marks.
///
/// # Errors
/// One line if there is no core in it.
pub fn core(house: &House, lesson: &Lesson) -> Result<String, String> {
    let path = lesson.path(house.root()).join("main.rs");
    let text = fs::read_to_string(&path)
        .map_err(|error| format!("{}: {error}", house.shown(&path).display()))?;
    anchors::piece(&text, "core").map_err(|why| format!("{}: {why}", house.shown(&path).display()))
}

/// The value of `const NAME: TYPE = VALUE;` in a source text, if the value is a whole number.
///
/// # Errors
/// One line if there is no such constant, or its value is something else.
pub fn constant(text: &str, name: &str) -> Result<String, String> {
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
pub fn signature(text: &str, name: &str) -> Result<String, String> {
    let head = Regex::new(&format!(r"(?m)^ *(?:pub )?fn {name}[(<](?:.*\n)*?.*[{{;]$"));
    let found = head.map_err(|e| e.to_string())?.find(text);
    let found = found.ok_or_else(|| format!("there is no function `{name}`"))?;
    Ok(anchors::whole(found.as_str()).trim_end_matches(['{', ';']).trim_end().to_owned())
}

/// How many lines of code a source text has: no comments, no blank lines, no tests at its end.
pub fn code_lines(text: &str) -> usize {
    let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or(text);
    code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lessons_stand_in_order() {
        let house = House::here();
        let lessons = curriculum::lessons(house.root()).unwrap();
        assert!(lessons.is_sorted_by(|before, after| before.number < after.number));
        let table = lessons_table(&lessons);
        assert!(table.contains("| [4 processes](04-processes.md) | "), "{table}");
        assert!(lesson_box(&lesson(&house, "4").unwrap()).contains("about 30"));
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
    fn a_chapter_shows_its_row_of_the_decision_table() {
        let house = House::here();
        let mut four = lesson(&house, "4").unwrap();
        let [work, take] = ["a", "b"].map(str::to_owned);
        four.decision = Some(Decision { rank: 2, work, take });
        assert_eq!(decision(&four).unwrap(), "| your work | take |\n|:--|:--|\n| a | b |");
        let mut five = lesson(&house, "5").unwrap();
        five.decision.as_mut().unwrap().rank = 1;
        let table = decisions(vec![four.clone(), five]);
        assert!(table.ends_with("\n| a | b | [Processes](04-processes.md) |"), "{table}");
        four.decision = None;
        assert!(decision(&four).unwrap_err().contains("adds no row"));
        assert_eq!(decisions(vec![four]).lines().count(), 2);
    }
}
