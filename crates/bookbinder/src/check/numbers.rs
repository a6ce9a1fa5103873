//! Numbers and code that somebody typed where a record or a source should speak.

use super::fenced;
use crate::fault::Fault;
use crate::placeholder;
use regex_lite::Regex;
use std::path::Path;

/// Speed-ups, times and percentages outside of placeholders.
pub fn typed_numbers(file: &Path, text: &str) -> Vec<Fault> {
    let number = Regex::new(
        r"(?x) \b\d[\d,]*(?:\.\d+)?
        (?: [\s\u{a0}]?(?:×|x\b) | [\s\u{a0}]?% | [\s\u{a0}-]times\b
          | [\s\u{a0}-]?(?:ns|µs|μs|us|ms|s|secs?|(?:nano|micro|milli)?seconds?)\b )",
    )
    .expect("a regex");
    let mut faults = Vec::new();
    for (line, text) in (1..).zip(placeholder::without(text).lines()) {
        for found in number.find_iter(text) {
            let what = format!("“{}” is typed by hand: no record proves it", found.as_str());
            faults.push(Fault::new(file, line, what));
        }
    }
    faults
}

/// Code blocks with something typed by hand: everything but commands comes by a placeholder.
pub fn fences(file: &Path, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (number, language, line) in fenced(text) {
        let (Some(language), line) = (language, line.trim()) else { continue };
        let is_command = language == "sh"
            && ["just ", "cargo ", "#"].iter().any(|start| line.starts_with(start));
        if !is_command && !placeholder::without(line).is_empty() {
            let what = format!("typed by hand in a block of `{language}`: {line}");
            faults.push(Fault::new(file, number, what));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        typed_numbers(Path::new("a.md"), text).into_iter().map(|fault| fault.what).collect()
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
    fn code_typed_by_hand_is_found() {
        let check = |text: &str| fences(Path::new("a.md"), text);
        assert_eq!(check("```rust\n{{#include a.rs:b}}\n```\n```sh\njust lesson-1\n```\n"), []);
        let faults = check("```rust\nlet a = 1;\n```\n\n```text\noutput\n```\n```sh\nrm x\n```\n");
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 6, 9]);
        assert_eq!(check("```rust\n{{#include a.rs:b}} // and\n```\n").len(), 1);
    }
}
