//! Numbers and code that somebody typed where a record or a source should speak.

use crate::fault::Fault;
use crate::house::House;
use crate::placeholder;
use regex_lite::Regex;
use std::path::Path;

/// Something that may stand in a page as it is, with the reason.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// The page's file name.
    pub page: &'static str,
    /// The words, as the page has them.
    pub words: &'static str,
    /// Why they are neither measured nor computed.
    pub reason: &'static str,
}

/// Times and ratios that are nobody's measurement.
pub const ALLOWED_NUMBERS: &[Allowed] = &[];

/// Speed-ups, times and percentages outside of placeholders.
pub fn typed_numbers(file: &Path, text: &str, allowed: &[Allowed]) -> Vec<Fault> {
    let number = Regex::new(
        r"(?x) \b\d[\d,]*(?:\.\d+)?
        (?: [\s\u{a0}]?(?:×|x\b) | [\s\u{a0}]?% | [\s\u{a0}-]times\b
          | [\s\u{a0}-]?(?:ns|µs|μs|us|ms|s|secs?|(?:nano|micro|milli)?seconds?)\b )",
    )
    .expect("a regex");
    let page = file.file_name().and_then(|name| name.to_str()).unwrap_or("");
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(placeholder::without(text).lines()) {
        let mut text = text.to_owned();
        for entry in allowed.iter().filter(|entry| entry.page == page) {
            text = text.replace(entry.words, "");
        }
        for found in number.find_iter(&text) {
            let what = format!("“{}” is typed by hand: no record proves it", found.as_str());
            faults.push(Fault::new(file, line, what));
        }
    }
    faults
}

/// Entries of the allow-list that allow nothing any more.
pub fn unused(house: &House, pages: &[(&Path, &str)], allowed: &[Allowed]) -> Vec<Fault> {
    let is_used = |entry: &Allowed| {
        let path = house.pages().join(entry.page);
        pages.iter().any(|(page, text)| *page == path && text.contains(entry.words))
    };
    let stale = allowed.iter().filter(|entry| !is_used(entry));
    stale
        .map(|entry| {
            Fault::of_file(entry.page, format!("“{}” is allowed and not there", entry.words))
        })
        .collect()
}

/// Code blocks with something typed by hand: everything but commands comes by a placeholder.
pub fn fences(file: &Path, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut open: Option<&str> = None;
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim();
        if let Some(language) = trimmed.strip_prefix("```") {
            open = if open.is_some() { None } else { Some(language) };
            continue;
        }
        let Some(language) = open else { continue };
        let is_command = language == "sh"
            && ["just ", "cargo ", "#"].iter().any(|start| trimmed.starts_with(start));
        let is_filled = placeholder::without(trimmed).is_empty();
        if !is_command && !is_filled {
            let what = format!("typed by hand in a block of `{language}`: {trimmed}");
            faults.push(Fault::new(file, number, what));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        typed_numbers(Path::new("a.md"), text, &[]).into_iter().map(|fault| fault.what).collect()
    }

    #[test]
    fn numbers_typed_by_hand_are_found() {
        for text in [
            "a speed-up of 1.97x",
            "1.97×",
            "2 ×",
            "56 ms",
            "56.1\u{a0}ms",
            "20 µs",
            "0.68 s",
            "a 5-ms wait",
            "0.6 %",
            "3 times faster",
            "30 seconds",
            "1,000 ns",
            "`12ms`",
        ] {
            assert_eq!(found(text).len(), 1, "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn what_is_no_measurement_is_left_alone() {
        for text in [
            "{{record lesson-4 stages.processes.seconds as time}}",
            "10 pairs on 2 workers, 21 rounds",
            "`s1_fork` and `s2_split`",
            "about 20 minutes, in 2026",
            "lesson 4's line; 64 MiB",
        ] {
            assert_eq!(found(text), [] as [String; 0], "{text}");
        }
    }

    #[test]
    fn the_allow_list_names_page_and_words_and_is_used() {
        let allowed =
            [Allowed { page: "a.md", words: "5 ms a turn", reason: "CPython's constant" }];
        let check = |page: &str, text: &str| typed_numbers(Path::new(page), text, &allowed).len();
        assert_eq!([check("a.md", "5 ms a turn"), check("b.md", "5 ms a turn")], [0, 1]);
        assert_eq!(check("a.md", "5 ms a turn, 6 ms"), 1);
        let house = House::at("/nowhere");
        let path = house.pages().join("a.md");
        assert_eq!(unused(&house, &[(&path, "5 ms a turn")], &allowed), []);
        assert_eq!(unused(&house, &[(&path, "gone")], &allowed).len(), 1);
    }

    #[test]
    fn code_typed_by_hand_is_found() {
        let check = |text: &str| fences(Path::new("a.md"), text);
        assert_eq!(check("```rust\n{{#include a.rs:b}}\n```\n```sh\njust lesson-1\n```\n"), []);
        let faults = check("```rust\nlet a = 1;\n```\n\n```text\noutput\n```\n```sh\nrm x\n```\n");
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 6, 9]);
        assert_eq!(check("```rust\n{{#include a.rs:b}} // and\n```\n").len(), 1);
    }
}
