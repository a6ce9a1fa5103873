//! The one line that changes, taken from the lessons' own source.

/// The line of a lesson's `main.rs` that makes the executor: the one between `ANCHOR: core` and
/// `ANCHOR_END: core` that begins with `let pool =`. Nothing if there is none.
///
/// A lesson prints this line, so what it prints is what was compiled.
pub fn executor_line(source: &str) -> Option<&str> {
    core_line(source, "let pool =")
}

/// The line of the core that runs the task: the one that begins with `let answers =`.
pub fn task_line(source: &str) -> Option<&str> {
    core_line(source, "let answers =")
}

fn core_line<'source>(source: &'source str, beginning: &str) -> Option<&'source str> {
    source
        .lines()
        .map(str::trim)
        .skip_while(|line| *line != "// ANCHOR: core")
        .take_while(|line| *line != "// ANCHOR_END: core")
        .find(|line| line.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_core_is_looked_at() {
        let core = "    // ANCHOR: core\n    use a::B;\n    let pool = B; // the change\n    // ANCHOR_END: core\n";
        assert_eq!(executor_line(core), Some("let pool = B; // the change"));
        assert_eq!(executor_line("let pool = B;\n"), None);
        let after = "// ANCHOR: core\nuse a::B;\n// ANCHOR_END: core\nlet pool = B;\n";
        assert_eq!(executor_line(after), None);
    }
}
