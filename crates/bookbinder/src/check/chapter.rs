//! The form of a chapter.

use super::fenced;
use crate::fault::Fault;
use crate::placeholder;
use std::iter;
use std::path::Path;

/// The headings of a chapter, in their order.
pub const HEADINGS: [&str; 11] = [
    "In one minute",
    "Predict",
    "The program",
    "Run it",
    "What happened",
    "What it costs",
    "What it asks of you",
    "What people get wrong",
    "When to use it, when not",
    "Exercise",
    "Recap",
];

/// How many words a chapter may have, code and recorded output not counted.
pub const WORDS: usize = 1200;

/// How the one number to remember is introduced, at the beginning of a line.
const NUMBER: &str = "**The number:**";

/// What is wrong with the form of a chapter.
pub fn form(file: &Path, text: &str, number: u32) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut fault = |line, what: String| faults.push(Fault::new(file, line, what));
    // The lines outside of code blocks, each with its number.
    let prose: Vec<(usize, &str)> = fenced(text)
        .filter(|(_, language, _)| language.is_none())
        .map(|(number, _, line)| (number, line))
        .collect();

    let headings: Vec<(usize, &str)> = prose
        .iter()
        .filter_map(|&(line, text)| text.strip_prefix("## ").map(|heading| (line, heading)))
        .collect();
    let places = HEADINGS.iter().map(Some).chain(iter::once(None));
    let found = headings.iter().map(Some).chain(iter::repeat(None));
    let wrong = places.zip(found).find_map(|(wanted, found)| match (wanted, found) {
        (Some(wanted), Some((_, found))) if wanted == found => None,
        (Some(wanted), Some((line, found))) => {
            Some((*line, format!("the heading is “{found}” where “{wanted}” belongs")))
        }
        (Some(wanted), None) => Some((0, format!("the heading “{wanted}” is missing"))),
        (None, Some((line, found))) => {
            Some((*line, format!("the heading “{found}” is one too many")))
        }
        (None, None) => None,
    });
    if let Some((line, what)) = wrong {
        fault(line, what);
    }

    let words: usize = prose
        .iter()
        .map(|(_, line)| placeholder::without(line))
        .map(|line| line.split_whitespace().filter(|w| w.contains(char::is_alphanumeric)).count())
        .sum();
    if words > WORDS {
        fault(0, format!("{words} words, {WORDS} at most"));
    }

    let (places, _) = placeholder::find(text);
    let pictures = places.iter().filter(|place| place.words.first() == Some(&"figure")).count()
        + prose.iter().filter(|(_, line)| line.contains("![") || line.contains("<svg")).count();
    if pictures > 1 {
        fault(0, format!("{pictures} pictures, one at most"));
    }

    let numbers: Vec<usize> =
        (0..prose.len()).filter(|&at| prose[at].1.starts_with(NUMBER)).collect();
    match numbers[..] {
        [at] => {
            let mut paragraph = prose[at..].iter().take_while(|(_, line)| !line.is_empty());
            if !paragraph.any(|(_, line)| line.contains("{{")) {
                fault(prose[at].0, "the number to remember comes from no record".into());
            }
        }
        _ => fault(0, format!("{} lines begin with “{NUMBER}”, and one should", numbers.len())),
    }

    let number = number.to_string();
    let wanted: [&[&str]; 3] = [
        &["lesson", &number, "box"],
        &["lesson", &number, "misconception"],
        &["decision", &number],
    ];
    for words in wanted {
        let here = places.iter().filter(|place| place.words == words).count();
        if here != 1 {
            let name = words.join(" ");
            fault(0, format!("{{{{{name}}}}} is there {here} times, and once it should"));
        }
    }

    let recap = prose.iter().skip_while(|(_, line)| *line != "## Recap").skip(1);
    let recap = recap.map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
    let paragraphs = recap.split("\n\n");
    let spoken = paragraphs.filter(|text| !text.trim().starts_with(['*', '|', '{', '<']));
    let sentences: usize = spoken.map(sentences).sum();
    if headings.iter().any(|(_, heading)| *heading == "Recap") && sentences != 3 {
        fault(0, format!("the recap has {sentences} sentences, and three it should have"));
    }
    faults
}

/// How many sentences a paragraph has: full stops, question marks and colons' ends do not count
/// inside code or numbers, because a blank or the end must follow.
fn sentences(paragraph: &str) -> usize {
    let text = placeholder::without(paragraph);
    let ends = |word: &&str| {
        let word = word.trim_end_matches(['*', ')', '"', '”', '_']);
        word.ends_with(['.', '?'])
    };
    text.split_whitespace().filter(ends).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chapter() -> String {
        let mut text = String::from("# 9 Nine\n");
        for heading in HEADINGS {
            text.push_str(&format!("\n## {heading}\n\nWords.\n"));
            match heading {
                "In one minute" => text.push_str("\n{{lesson 9 box}}\n"),
                "What people get wrong" => text.push_str("\n{{lesson 9 misconception}}\n"),
                "Recap" => text.push_str(
                    "Two. Three.\n\n**The number:** {{schedule steps total}} steps.\n\n{{decision 9}}\n",
                ),
                _ => {}
            }
        }
        text
    }

    fn faults(text: &str) -> String {
        let faults = form(Path::new("09.md"), text, 9);
        faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_chapter_in_form_has_no_faults() {
        assert_eq!(faults(&chapter()), "");
    }

    #[test]
    fn headings_have_their_order() {
        let swapped = chapter().replace("## Predict", "## The program");
        assert!(faults(&swapped).contains("09.md:9: the heading is “The program” where “Predict”"));
        let fewer = chapter().replace("## Recap\n", "");
        assert!(faults(&fewer).contains("the heading “Recap” is missing"));
        let more = format!("{}\n## More\n", chapter());
        assert!(faults(&more).contains("“More” is one too many"));
        // A heading inside a code block is none.
        assert!(
            faults(&chapter().replace("## Run it", "```sh\n## Run it\n```")).contains("Run it")
        );
    }

    #[test]
    fn words_outside_code_are_counted() {
        let long = chapter().replace("Words.", &"word ".repeat(120));
        assert!(faults(&long).contains("words, 1200 at most"), "{}", faults(&long));
        let code = format!("```text\n{}\n```", "word ".repeat(2000));
        assert_eq!(faults(&chapter().replacen("Words.", &code, 1)), "");
    }

    #[test]
    fn one_picture_one_number_one_box() {
        let two = chapter().replacen("Words.", "{{figure a b}} {{figure a c}}", 1);
        assert!(faults(&two).contains("2 pictures, one at most"));
        let typed = chapter().replace("{{schedule steps total}}", "many");
        assert!(faults(&typed).contains("comes from no record"));
        let none = chapter().replace("**The number:**", "The number:");
        assert!(faults(&none).contains("0 lines begin with"));
        for place in ["{{lesson 9 box}}", "{{lesson 9 misconception}}"] {
            let gone = faults(&chapter().replace(place, ""));
            assert!(gone.contains(&format!("{place} is there 0 times")), "{gone}");
        }
        let other = chapter().replace("{{decision 9}}", "{{decision 8}}");
        assert!(faults(&other).contains("{{decision 9}} is there 0 times"));
        assert!(
            faults(&chapter().replace("Two. Three.", "Two.")).contains("recap has 2 sentences")
        );
    }
}
