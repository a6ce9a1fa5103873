//! Commands that the book tells the reader to type.

use crate::fault::Fault;
use regex_lite::Regex;
use std::path::Path;

/// The recipes of a justfile, by name.
pub fn recipes(justfile: &str) -> Vec<String> {
    let recipe = Regex::new(r"(?m)^@?([a-z][a-z0-9_-]*)[^:=\n]*:(?:[^=]|$)").expect("a regex");
    recipe.captures_iter(justfile).map(|found| found[1].to_owned()).collect()
}

/// Commands of just that are no recipe of the justfile.
pub fn commands(file: &Path, text: &str, recipes: &[String]) -> Vec<Fault> {
    let command = Regex::new(r"(?:`|^\s*|&& |; |then )just ([a-z][a-z0-9_-]*)").expect("a regex");
    let mut faults = Vec::new();
    let mut inside = false;
    for (number, line) in (1..).zip(text.lines()) {
        if line.trim_start().starts_with("```") {
            inside = !inside;
            continue;
        }
        for found in command.captures_iter(line) {
            // Outside of code only what stands in backticks is a command.
            if !inside && !found[0].starts_with('`') {
                continue;
            }
            // `just lesson-N` speaks of all of them.
            let name = &found[1];
            if line.contains(&format!("just {name}N")) && name.ends_with('-') {
                let one = format!("{name}1");
                if recipes.contains(&one) {
                    continue;
                }
            }
            if !recipes.iter().any(|recipe| recipe == name) {
                faults.push(Fault::new(file, number, format!("there is no recipe `just {name}`")));
            }
        }
    }
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
        let faults = check("A\n`just lesson-2`\n```sh\njust chekc\n```\n`just hint-N`\n");
        let lines: Vec<_> = faults.iter().map(|fault| fault.line).collect();
        assert_eq!(lines, [2, 4, 6]);
        assert_eq!(faults[1].what, "there is no recipe `just chekc`");
    }
}
