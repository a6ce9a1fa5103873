//! The places in a page that the bookbinder fills: `{{name arguments}}`, on one line.

use regex_lite::Regex;

/// One place to fill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placeholder<'text> {
    /// The whole of it with its braces, as the page has it.
    pub text: &'text str,
    /// What is between the braces: words, or phrases in double quotes.
    pub words: Vec<&'text str>,
    /// Where it begins in the page, in bytes.
    pub start: usize,
    /// The line it stands on, counted from 1.
    pub line: usize,
}

/// All places to fill, in order, and the lines (counted from 1) of braces that are not closed.
pub fn find(text: &str) -> (Vec<Placeholder<'_>>, Vec<usize>) {
    let braces = Regex::new(r"\{\{(?:([^\n]*?)\}\})?").expect("a regex");
    let (mut found, mut broken) = (Vec::new(), Vec::new());
    for whole in braces.captures_iter(text) {
        let (place, inner) = (whole.get(0).expect("the match"), whole.get(1));
        let line = text[..place.start()].matches('\n').count() + 1;
        match inner.map(|inner| words(inner.as_str())) {
            Some(words) => {
                found.push(Placeholder { text: place.as_str(), words, start: place.start(), line });
            }
            None => broken.push(line),
        }
    }
    (found, broken)
}

/// Words between spaces; what stands in double quotes is one word.
fn words(text: &str) -> Vec<&str> {
    let parts = text.split('"').enumerate();
    let words = parts.flat_map(|(index, part)| match index % 2 {
        1 => vec![part],
        _ => part.split_whitespace().collect(),
    });
    words.collect()
}

/// The page without its placeholders: what was typed by hand. Lines stay where they are.
pub fn without(text: &str) -> String {
    let mut rest = text.to_owned();
    for placeholder in find(text).0.iter().rev() {
        rest.replace_range(placeholder.start..placeholder.start + placeholder.text.len(), "");
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_found_with_their_words_and_lines() {
        let text = "It took {{source serial}}.\n\n{{#include a/b.rs:c}} {{x \"two words\" y}}\n";
        let (found, broken) = find(text);
        assert_eq!(broken, [] as [usize; 0]);
        let words: Vec<_> = found.iter().map(|place| place.words.clone()).collect();
        let expected = [vec!["source", "serial"], vec!["#include", "a/b.rs:c"]];
        assert_eq!(words[..2], expected);
        assert_eq!(words[2], ["x", "two words", "y"]);
        assert_eq!([found[0].line, found[1].line, found[2].line], [1, 3, 3]);
        assert_eq!(&text[found[1].start..][..10], "{{#include");
        assert_eq!(without(text), "It took .\n\n \n");
    }

    #[test]
    fn open_braces_are_found() {
        assert_eq!(find("a\n{{b\n}}\n").1, [2]);
    }
}
