//! Commands that the book tells the reader to type.

use super::fenced;
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
    // Two texts with the same lines: prose, and blocks of code.
    let [mut prose, mut code] = [(); 2].map(|()| vec![""; text.lines().count()]);
    for (number, language, line) in fenced(text) {
        let side = if language.is_some() { &mut code } else { &mut prose };
        side[number - 1] = line;
    }
    let mut faults = Vec::new();
    for (command, lines) in [(spoken, prose), (typed, code)] {
        let text = lines.join("\n");
        for name in command.captures_iter(&text).filter_map(|found| found.get(1)) {
            // `just lesson-N` speaks of all of them.
            if !recipes.contains(&name.as_str().replace("-N", "-1")) {
                let line = text[..name.start()].matches('\n').count() + 1;
                let what = format!("there is no recipe `just {}`", name.as_str());
                faults.push(Fault::new(file, line, what));
            }
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
