//! Commands that the book tells the reader to type.

use crate::fault::Fault;
use regex_lite::Regex;
use std::path::Path;

/// The recipes of a justfile, by name.
pub fn recipes(justfile: &str) -> Vec<String> {
    let recipe = Regex::new(r"(?m)^@?([a-z][a-z0-9_-]*)[^:=\n]*:(?:[^=]|$)").expect("a regex");
    recipe.captures_iter(justfile).map(|found| found[1].to_owned()).collect()
}

/// Commands of just that are no recipe of the justfile: in backticks, where a line may break
/// between the two words, and at the beginning of a line in a block of code.
pub fn commands(file: &Path, text: &str, recipes: &[String]) -> Vec<Fault> {
    let spoken = Regex::new(r"`just\s+([a-z][a-zA-Z0-9_-]*)").expect("a regex");
    let typed = Regex::new(r"(?m)^\s*just +([a-z][a-z0-9_-]*)").expect("a regex");
    // Two texts of the same length, so that places are the same in both.
    let [mut prose, mut code] = [String::new(), String::new()];
    let mut inside = false;
    for line in text.split_inclusive('\n') {
        let is_fence = line.trim_start().starts_with("```");
        inside ^= is_fence;
        let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
        let blanks: String = line.chars().map(blank).collect();
        let (to_prose, to_code) = match (is_fence, inside) {
            (true, _) => (&*blanks, &*blanks),
            (false, true) => (&*blanks, line),
            (false, false) => (line, &*blanks),
        };
        prose.push_str(to_prose);
        code.push_str(to_code);
    }
    let mut faults = Vec::new();
    for found in spoken.captures_iter(&prose).chain(typed.captures_iter(&code)) {
        // `just lesson-N` speaks of all of them.
        let name = found[1].replace("-N", "-1");
        if !recipes.contains(&name) {
            let place = found.get(1).map_or(0, |name| name.start());
            let line = text[..place].matches('\n').count() + 1;
            faults.push(Fault::new(file, line, format!("there is no recipe `just {}`", &found[1])));
        }
    }
    faults.sort();
    faults
}

#[cfg(test)]
mod tests {
    use super::*;

    const JUSTFILE: &str = "set positional-arguments\nx := 'y'\n\n_default:\n    @just --list\n\n\
                            # A lesson\nlesson-1 *args:\n    @cargo lesson 1 -- \"$@\"\n\ncheck:\n    .ci/run\n";

    #[test]
    fn recipes_are_read_from_the_justfile() {
        assert_eq!(recipes(JUSTFILE), ["lesson-1", "check"]);
    }

    #[test]
    fn a_command_that_is_no_recipe_is_found() {
        let check = |text: &str| commands(Path::new("a.md"), text, &recipes(JUSTFILE));
        assert_eq!(check("Type `just lesson-1 --workers 3`, then `just check`.\n"), []);
        assert_eq!(check("You have just read it, and `just lesson-N` runs it.\n"), []);
        assert_eq!(check("```sh\njust lesson-1\n```\n"), []);
        let faults =
            check("A\n`just lesson-2`\n```sh\njust chekc\n```\n`just hint-N`, `just\nx`\n");
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 4, 6, 7]);
        assert_eq!(faults[1].what, "there is no recipe `just chekc`");
    }
}
