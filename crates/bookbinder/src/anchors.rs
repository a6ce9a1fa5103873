//! Pieces of source files by name: `// ANCHOR: name` … `// ANCHOR_END: name`.
//!
//! mdBook has this too, but it goes on where it should stop: a file that is missing leaves the
//! placeholder on the page, an anchor that is missing leaves nothing at all. A book that promises
//! that its code is the compiled code needs both to be errors.

/// An anchor's beginning (true) or end, alone on its line after the comment sign, and its name.
fn mark(line: &str) -> Option<(bool, &str)> {
    let comment = ["//", "#", "<!--"].iter().find_map(|sign| line.trim().strip_prefix(sign))?;
    let comment = comment.trim_end_matches("-->").trim();
    let begin = comment.strip_prefix("ANCHOR:").map(|name| (true, name.trim()));
    begin.or_else(|| comment.strip_prefix("ANCHOR_END:").map(|name| (false, name.trim())))
}

/// The lines between an anchor's marks, without their common indentation and without the marks of
/// other anchors inside.
///
/// # Errors
/// One line that says what is wrong, if the anchor is not there, not closed, or there twice.
pub fn piece(text: &str, name: &str) -> Result<String, String> {
    let (mut lines, mut found, mut inside) = (Vec::new(), 0, false);
    for line in text.lines() {
        match mark(line) {
            Some((true, begun)) if begun == name => (found, inside) = (found + 1, true),
            Some((false, ended)) if ended == name => inside = false,
            None if inside => lines.push(line),
            _ => {}
        }
    }
    match found {
        0 => Err(format!("there is no anchor `{name}`")),
        1 if inside => Err(format!("the anchor `{name}` has no end")),
        1 => Ok(dedented(&lines)),
        _ => Err(format!("the anchor `{name}` begins {found} times")),
    }
}

/// The whole text, without the marks.
pub fn whole(text: &str) -> String {
    let lines: Vec<_> = text.lines().filter(|line| mark(line).is_none()).collect();
    dedented(&lines)
}

/// What is wrong with the marks of a file, with the line (counted from 1): an end without a
/// beginning, a beginning without an end, a name twice.
pub fn unbalanced(text: &str) -> Vec<(usize, String)> {
    let (mut wrong, mut seen) = (Vec::new(), Vec::new());
    let mut open: Vec<(usize, &str)> = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        let Some((begins, name)) = mark(line) else { continue };
        if begins {
            if seen.contains(&name) {
                wrong.push((number, format!("the anchor `{name}` begins a second time")));
            }
            seen.push(name);
            open.push((number, name));
        } else if let Some(place) = open.iter().rposition(|&(_, open)| open == name) {
            open.remove(place);
        } else {
            wrong.push((number, format!("the anchor `{name}` ends unbegun")));
        }
    }
    let open = open.iter().map(|(line, name)| (*line, format!("the anchor `{name}` has no end")));
    wrong.extend(open);
    wrong
}

/// The lines without the indentation that all of them share.
fn dedented(lines: &[&str]) -> String {
    let indentation = |line: &str| line.len() - line.trim_start_matches(' ').len();
    let filled = lines.iter().filter(|line| !line.trim().is_empty());
    let common = filled.map(|line| indentation(line)).min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(common..).unwrap_or("")).collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
fn main() {
    // ANCHOR: outer
    let a = 1;
    // ANCHOR: inner
    if a == 1 {
        return;
    }
    // ANCHOR_END: inner

    let b = 2;
    // ANCHOR_END: outer
}
";

    #[test]
    fn a_piece_is_dedented_and_has_no_marks() {
        assert_eq!(
            piece(TEXT, "outer").unwrap(),
            "let a = 1;\nif a == 1 {\n    return;\n}\n\nlet b = 2;"
        );
        assert_eq!(piece(TEXT, "inner").unwrap(), "if a == 1 {\n    return;\n}");
        assert_eq!(whole(TEXT).lines().count(), 8);
        assert_eq!(unbalanced(TEXT), []);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        assert_eq!(piece(TEXT, "other").unwrap_err(), "there is no anchor `other`");
        assert_eq!(piece("// ANCHOR: a\nx", "a").unwrap_err(), "the anchor `a` has no end");
        let twice = "// ANCHOR: a\nx\n// ANCHOR_END: a\n".repeat(2);
        assert_eq!(piece(&twice, "a").unwrap_err(), "the anchor `a` begins 2 times");
    }

    #[test]
    fn marks_that_do_not_match_are_found() {
        let wrong = unbalanced("x\n// ANCHOR_END: a\n// ANCHOR: b\n");
        assert_eq!(
            wrong,
            [(2, "the anchor `a` ends unbegun".into()), (3, "the anchor `b` has no end".into())]
        );
        let twice = "# ANCHOR: a\n# ANCHOR_END: a\n".repeat(2);
        assert_eq!(unbalanced(&twice), [(3, "the anchor `a` begins a second time".into())]);
    }
}
