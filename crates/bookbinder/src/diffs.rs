//! What changes from one piece of code to the next, as a `diff` block.

use similar::{ChangeTag, TextDiff};

/// Everything, with the changed lines marked: for pieces of a few lines.
pub fn whole(from: &str, to: &str) -> String {
    block(from, to, from.lines().count())
}

/// The changed lines with three lines around each, for whole files.
pub fn around(from: &str, to: &str) -> String {
    block(from, to, 3)
}

fn block(from: &str, to: &str, context: usize) -> String {
    let diff = TextDiff::from_lines(from, to);
    let mut lines = Vec::new();
    for (index, group) in diff.grouped_ops(context).iter().enumerate() {
        if index > 0 {
            lines.push("@@".to_owned());
        }
        for change in group.iter().flat_map(|op| diff.iter_changes(op)) {
            let sign = match change.tag() {
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
                ChangeTag::Equal => ' ',
            };
            lines.push(format!("{sign}{}", change.value().trim_end()).trim_end().to_owned());
        }
    }
    format!("```diff\n{}\n```", lines.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changed_lines_are_marked() {
        assert_eq!(whole("a\nb\nc", "a\nB\nc"), "```diff\n a\n-b\n+B\n c\n```");
    }

    #[test]
    fn what_is_far_from_a_change_is_left_out() {
        let from: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let mut to = from.clone();
        to[1] = "x".into();
        to[18] = "y".into();
        let diff = around(&from.join("\n"), &to.join("\n"));
        assert!(diff.contains("\n@@\n") && !diff.contains(" 9\n"), "{diff}");
        assert_eq!(diff.lines().filter(|line| line.starts_with('+')).count(), 2);
    }
}
