//! The house's terms, each defined once.

use crate::fault::Fault;
use std::path::Path;

/// The terms that must be in the glossary.
pub const TERMS: &str = "worker task item executor pool chunk makespan speed-up bound efficiency \
                         overhead payload";

/// Terms that the glossary lacks or defines twice. A definition is Markdown's: the term alone on
/// its line, and under it a line that begins with a colon.
pub fn glossary(file: &Path, text: &str) -> Vec<Fault> {
    let lines: Vec<&str> = text.lines().collect();
    let mut defined = Vec::new();
    let mut faults = Vec::new();
    for (line, pair) in (1..).zip(lines.windows(2)) {
        let term = pair[0].trim();
        if !pair[1].starts_with(": ") || term.is_empty() || term.starts_with(": ") {
            continue;
        }
        if defined.contains(&term) {
            faults.push(Fault::new(file, line, format!("“{term}” is defined a second time")));
        }
        defined.push(term);
    }
    for term in TERMS.split(' ') {
        if !defined.contains(&term) {
            faults.push(Fault::of_file(file, format!("“{term}” is not defined")));
        }
    }
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_term_is_defined_once() {
        let text: String =
            TERMS.split(' ').map(|term| format!("{term}\n: What it is.\n\n")).collect();
        assert_eq!(glossary(Path::new("g.md"), &text), []);
        let twice = format!("{text}worker\n: Again.\n");
        let faults = glossary(Path::new("g.md"), &twice);
        assert_eq!(faults.len(), 1);
        assert_eq!(faults[0].to_string(), "g.md:37: “worker” is defined a second time");
        let fewer = text.replace("payload\n", "load\n");
        assert_eq!(glossary(Path::new("g.md"), &fewer)[0].what, "“payload” is not defined");
    }
}
