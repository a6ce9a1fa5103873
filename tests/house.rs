//! The house rules that a machine can check: which crate depends on which, where `unsafe` may
//! stand, how long the pool may be, and that justfile and README agree with the lessons.

use curriculum::Lesson;
use one_change_tests::surroundings::program;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The lessons of the workspace.
fn lessons() -> Vec<Lesson> {
    curriculum::lessons(&root()).expect("lessons")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests is a folder").to_owned()
}

fn read(path: impl AsRef<Path>) -> String {
    let path = root().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What `cargo metadata` says of the workspace's own packages.
fn packages() -> Vec<Value> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = program(cargo)
        .args(["metadata", "--no-deps", "--offline", "--format-version", "1"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("metadata is JSON");
    metadata["packages"].as_array().expect("packages").clone()
}

/// Each package's dependencies of the normal kind (dev-dependencies may point anywhere).
fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    packages()
        .iter()
        .map(|package| {
            let all = package["dependencies"].as_array().expect("dependencies");
            let normal = all.iter().filter(|dependency| dependency["kind"].is_null());
            let names = normal.map(|dependency| text(&dependency["name"])).collect();
            (text(&package["name"]), names)
        })
        .collect()
}

#[test]
fn arrows_point_down_only() {
    let dependencies = dependencies();
    let own: BTreeSet<&str> = dependencies.keys().map(String::as_str).collect();
    let inner = |name: &str| -> BTreeSet<&str> {
        dependencies[name].iter().map(String::as_str).filter(|name| own.contains(name)).collect()
    };
    // The one list of stages is in tests/stages.rs, whose package depends on each of them. The list
    // has the pool to keep too, which passes the stages' tests and which no lesson needs.
    let not_stages = ["kernel", "curriculum", "report", "process-futures"];
    let listed = inner("one-change-tests").into_iter();
    let stages: Vec<&str> = listed.filter(|name| !not_stages.contains(name)).collect();
    assert!(stages.len() >= 5, "{stages:?}");
    assert_eq!(inner("kernel"), BTreeSet::new());
    assert_eq!(inner("fork-server"), BTreeSet::from(["kernel"]));
    assert_eq!(inner("process-futures"), BTreeSet::from(["fork-server", "kernel"]));
    for &stage in &stages {
        let below = if stage == "processes" { &["fork-server", "kernel"][..] } else { &["kernel"] };
        assert_eq!(inner(stage), below.iter().copied().collect(), "stage {stage}");
    }
    assert_eq!(inner("schedule"), BTreeSet::from(["kernel"]));
    assert_eq!(inner("spans"), BTreeSet::from(["kernel"]));
    assert_eq!(inner("interpreter"), BTreeSet::from(["kernel", "spans"]));
    assert_eq!(inner("report"), BTreeSet::from(["curriculum", "kernel", "schedule", "spans"]));
    assert_eq!(inner("curriculum"), BTreeSet::new());
    assert_eq!(inner("machine"), BTreeSet::new());
    assert_eq!(inner("predict"), BTreeSet::from(["curriculum", "kernel", "report", "schedule"]));
    for lesson in lessons() {
        let name = format!("lesson-{}", lesson.number);
        for dependency in inner(&name) {
            let below =
                ["kernel", "schedule", "spans", "machine", "interpreter", "predict", "report"];
            let allowed = below.contains(&dependency) || stages.contains(&dependency);
            assert!(allowed, "{name} depends on {dependency}");
        }
    }
}

/// Which modules of a crate name which others by `crate::…`, in code that is not a unit test.
fn arrows(folder: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let module = |path: &PathBuf| {
        let path = path.strip_prefix(folder).unwrap().with_extension("");
        let name = path.to_str().unwrap().replace('/', "::");
        name.strip_suffix("::mod").map_or(name.clone(), str::to_owned)
    };
    let files = sources(folder);
    let modules: BTreeSet<String> = files.iter().map(module).collect();
    let named = |text: &str| -> BTreeSet<String> {
        let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code: Vec<&str> = code.collect();
        let code = code.join("\n");
        let paths = code.split("crate::").skip(1).flat_map(|rest| match rest.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').map(str::trim).collect(),
            None => vec![rest],
        });
        let names = paths.filter_map(|path| {
            let is_path = |c: char| c.is_ascii_lowercase() || c == '_' || c == ':';
            let path = path.split(|c| !is_path(c)).next().unwrap();
            modules
                .iter()
                .filter(|module| (path.to_owned() + "::").starts_with(&format!("{module}::")))
                .max_by_key(|module| module.len())
        });
        names.cloned().collect()
    };
    let arrows = |path: &PathBuf| (module(path), named(&fs::read_to_string(path).unwrap()));
    files.iter().map(arrows).collect()
}

#[test]
fn no_file_of_the_pools_imports_in_a_circle() {
    for name in ["fork-server", "processes", "process-futures"] {
        let mut left = arrows(&root().join("crates").join(name).join("src"));
        assert!(left.values().map(BTreeSet::len).sum::<usize>() > 5, "{name} has no arrows");
        // A module that imports no remaining module is in no circle.
        loop {
            let before: BTreeSet<String> = left.keys().cloned().collect();
            left.retain(|module, named| {
                named.iter().any(|other| other != module && before.contains(other))
            });
            if left.len() == before.len() {
                break;
            }
        }
        assert!(left.is_empty(), "{name}: in a circle or above one: {:?}", left.keys());
    }
}

/// The sections of a manifest that list dependencies, as lines without comments.
fn dependency_lines(manifest: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in manifest.lines() {
        if line.starts_with('[') {
            inside = line.contains("dependencies");
            assert!(
                !line.contains("dependencies."),
                "write dependencies as lines of one table, not as a table each: {line}"
            );
        } else if inside && !line.trim().is_empty() && !line.trim_start().starts_with('#') {
            lines.push(line.to_owned());
        }
    }
    lines
}

#[test]
fn every_dependency_stands_in_the_workspace_table_once_and_is_used() {
    let root_manifest = read("Cargo.toml");
    let table = root_manifest.split("[workspace.dependencies]").nth(1).expect("a table");
    let table = table.split("\n[").next().unwrap();
    let listed: BTreeSet<&str> = table
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name))
        .collect();
    let mut used = BTreeSet::new();
    for package in packages() {
        let path = package["manifest_path"].as_str().expect("a path").to_owned();
        for line in dependency_lines(&read(&path)) {
            let inherits = line.contains(".workspace = true") || line.contains("workspace = true");
            let name = line.split(['.', ' ', '=']).next().unwrap().to_owned();
            let own_library = name.starts_with("lesson-") || name == "one-change-tests";
            assert!(inherits || own_library, "{path}: {line}");
            used.insert(name);
        }
    }
    for name in listed {
        assert!(used.contains(name), "{name} stands in the workspace table and nobody uses it");
    }
}

/// All Rust sources below a folder, without build output.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("target") {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found.sort();
    found
}

#[test]
fn unsafe_is_forbidden_wherever_it_is_not_needed() {
    for package in packages() {
        let name = package["name"].as_str().unwrap();
        for target in package["targets"].as_array().unwrap() {
            let kind = target["kind"][0].as_str().unwrap();
            // These packages fork: the ground of the pools, the steps that lead to the pool, the
            // exercise that repairs a copy of the last step, and the tests' own harness.
            if ["fork-server", "processes", "exercise-4", "one-change-tests"].contains(&name)
                || !["lib", "bin"].contains(&kind)
            {
                continue;
            }
            let path = target["src_path"].as_str().unwrap();
            // In an exercise the manifest forbids unsafe code, so that the reader's file begins
            // with the task.
            let manifest = package["manifest_path"].as_str().unwrap();
            let forbidden = read(path).contains("#![forbid(unsafe_code)]")
                || read(manifest).contains("unsafe_code = \"forbid\"");
            assert!(forbidden, "{path} does not forbid unsafe code");
        }
    }
}

/// A program under test begins in known surroundings, wherever `cargo test` was started: tests start
/// programs with `surroundings::program`.
#[test]
fn no_test_starts_a_program_as_it_comes() {
    let mut seen = 0;
    for path in sources(&root()) {
        let is_test = path.strip_prefix(root()).unwrap().iter().any(|part| part == "tests");
        // The helper itself; cases that show what a program gets from its parent; and tasks that
        // start programs, which have to be ended by the pool and not by the helper.
        let may = [
            "tests/surroundings.rs",
            "tests/harness.rs",
            "tests/processes/company.rs",
            "tests/processes/inherited.rs",
            "tests/processes/isolation.rs",
        ];
        let may = may.iter().any(|name| path.ends_with(name)) || path.ends_with("tests/house.rs");
        let text = fs::read_to_string(&path).unwrap();
        seen += usize::from(is_test && text.contains("program("));
        assert!(may || !is_test || !text.contains("Command::new"), "{}", path.display());
    }
    assert!(seen > 10, "{seen} files with programs under test");
}

/// In `processes` only the steps fork by themselves; the pool uses the fork server.
#[test]
fn the_pool_itself_is_safe() {
    let folder = root().join("crates/processes/src");
    let steps = folder.join("steps");
    for path in sources(&folder).iter().filter(|path| !path.starts_with(&steps)) {
        let text = fs::read_to_string(path).unwrap();
        assert!(!text.contains("unsafe"), "{} has unsafe code", path.display());
    }
}

/// Lines that are neither empty nor comment, up to the unit tests.
fn code_lines(text: &str) -> usize {
    let text = text.split("#[cfg(test)]\nmod tests").next().unwrap();
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).count()
}

#[test]
fn the_pool_is_short_enough_for_one_sitting() {
    let folder = root().join("crates/processes/src");
    let steps = folder.join("steps");
    let lines: usize = sources(&folder)
        .iter()
        // The code for other systems is no part of the pool.
        .filter(|path| !path.starts_with(&steps) && !path.ends_with("unsupported.rs"))
        .map(|path| code_lines(&fs::read_to_string(path).unwrap()))
        .sum();
    assert!(lines > 100, "the pool was not found");
    assert!(lines <= 700, "the pool has {lines} code lines");
}

#[test]
fn a_lesson_is_one_page() {
    for lesson in lessons() {
        let path = format!("lessons/{}/main.rs", lesson.folder());
        let lines = code_lines(&read(&path));
        assert!(lines <= 60, "{path} has {lines} code lines");
    }
}

#[test]
fn the_justfile_is_short_and_every_recipe_says_what_it_does() {
    let justfile = read("justfile");
    assert!(justfile.lines().count() < 110, "{} lines", justfile.lines().count());
    // `just` lists each recipe with its comment, so each listed recipe has one.
    let mut seen = 0;
    for file in [justfile, read("lessons/recipes.just")] {
        let lines: Vec<&str> = file.lines().collect();
        for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("[group(")) {
            assert!(lines[at - 1].starts_with("# "), "no comment over {line}");
            seen += 1;
        }
    }
    assert!(seen > 20, "{seen} recipes");
}

/// Only a lesson's own folder, the book and generated files may know a lesson by its name.
#[test]
fn no_manifest_reaches_out_of_its_folder_and_no_lesson_is_listed_by_hand() {
    let names: Vec<String> = lessons().iter().map(Lesson::folder).collect();
    for package in packages() {
        let manifest = PathBuf::from(package["manifest_path"].as_str().expect("a path"));
        let folder = manifest.parent().expect("a folder").to_owned();
        for target in package["targets"].as_array().expect("targets") {
            let source = target["src_path"].as_str().expect("a path");
            let source = fs::canonicalize(source).expect("a file");
            let shown = source.display();
            assert!(source.starts_with(&folder), "{shown} is not in its package");
        }
    }
    let machinery = ["kit", "bookbinder", "report", "predict", "curriculum", "checks"];
    for folder in machinery.map(|name| root().join("crates").join(name).join("src")) {
        for path in sources(&folder) {
            let text = fs::read_to_string(&path).expect("text");
            let code = text.split("#[cfg(test)]").next().expect("text before");
            let code = code.lines().filter(|line| !line.trim_start().starts_with("//"));
            for line in code {
                let named = names.iter().find(|name| line.contains(&***name));
                let path = path.display();
                // One folder identifies the workspace.
                let known = line.contains("is_dir()");
                assert!(named.is_none() || known, "{path} knows {named:?}: {line}");
                let digit = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
                let by_number = ["lesson.number == ", "lesson_"]
                    .iter()
                    .any(|known| line.split(known).skip(1).any(digit));
                assert!(!by_number, "{path} knows a lesson by its number: {line}");
            }
        }
    }
}

#[test]
fn every_path_that_the_documents_name_exists() {
    let mut seen = 0;
    for document in ["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"] {
        let text = read(document);
        for link in text.split("](").skip(1) {
            let target = link.split([')', '#']).next().expect("text before");
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(root().join(target).exists(), "{document} links to {target}");
            seen += 1;
        }
    }
    assert!(seen > 10, "the documents link to the sources");
}

/// Each line of the architecture's page about what never happens names a test that exists.
#[test]
fn every_never_has_its_test() {
    let text = read("ARCHITECTURE.md");
    let table = text.split("## What never happens").nth(1).expect("the section");
    let table = table.split("\n## ").next().expect("text before");
    let mut seen = 0;
    for link in table.lines().filter_map(|line| line.split("| [").nth(1)) {
        let (name, rest) = link.split_once("](").expect("a link");
        let file = rest.split(')').next().expect("text before");
        let source = read(file);
        let there = ["(", "<"].iter().any(|next| source.contains(&format!("fn {name}{next}")));
        assert!(there, "{file} has no function {name}");
        seen += 1;
    }
    assert!(seen >= 10, "{seen} rows");
}

/// Machinery serves what is taught, and must not outgrow it. Counted are code lines without tests:
/// the crates that print, check, record and measure, against the stages, the pools, what stands
/// under both, and the lessons with their exercises.
#[test]
fn the_machinery_is_at_most_two_thirds_of_what_is_taught() {
    const MACHINERY: [&str; 8] =
        ["report", "predict", "curriculum", "machine", "kit", "bookbinder", "checks", "benches"];
    let lines = |folder: &Path| -> usize {
        let is_test = |path: &PathBuf| path.iter().any(|part| part == "tests");
        let read = |path: PathBuf| code_lines(&fs::read_to_string(path).expect("text"));
        let files = sources(folder).into_iter();
        files.filter(|path| !is_test(&path.strip_prefix(folder).unwrap().into())).map(read).sum()
    };
    let (mut machinery, mut taught) = (0, lines(&root().join("lessons")));
    for folder in fs::read_dir(root().join("crates")).expect("a folder") {
        let folder = folder.expect("an entry").path();
        let name = folder.file_name().expect("a name").to_str().expect("UTF-8").to_owned();
        let lines = lines(&folder.join("src"));
        assert!(lines > 0, "{name} has no code");
        if MACHINERY.contains(&&*name) { machinery += lines } else { taught += lines }
    }
    let share = machinery as f64 / taught as f64;
    assert!(share <= 0.65, "{machinery} lines of machinery, {taught} taught: {share:.2}");
    println!("{machinery} lines of machinery, {taught} taught: {share:.2}");
}

/// A sentence has a noun for its subject: "a thread that waits", not "who waits".
#[test]
fn no_sentence_begins_with_a_free_who() {
    let mut files = Vec::new();
    for folder in ["crates", "lessons", "tests", "book/src"] {
        files.extend(texts(&root().join(folder)));
    }
    files.extend(["README.md", "CONTRIBUTING.md", "ARCHITECTURE.md"].map(|file| root().join(file)));
    assert!(files.len() > 300, "{} files", files.len());
    for path in files.iter().filter(|path| !path.ends_with("tests/house.rs")) {
        let text = fs::read_to_string(path).expect("text");
        // Sentences run over lines; what begins a line of a comment stands behind its sign.
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| !["//", "///", "//!", "#"].contains(word))
            .collect();
        let text = words.join(" ");
        let free = ["whoever ", "Whoever "].iter().find(|word| text.contains(**word));
        assert!(free.is_none(), "{}: {}", path.display(), around(&text, free.unwrap_or(&"")));
        for (at, _) in text.match_indices(". Who ").chain(text.match_indices(": who ")) {
            let sentence = text[at + 2..].split(['.', ':', ';']).next().expect("text before");
            let shown = around(&text[at..], "");
            assert!(sentence.contains('?'), "{}: {shown}", path.display());
        }
    }
}

fn around(text: &str, word: &str) -> String {
    let at = text.find(word).unwrap_or(0);
    text[at..].chars().take(80).collect()
}

/// All sources and pages below a folder.
fn texts(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let wanted = |extension: &str| path.extension().is_some_and(|found| found == extension);
        if path.is_dir() && !path.ends_with("target") {
            found.extend(texts(&path));
        } else if ["rs", "md", "py", "toml"].into_iter().any(wanted) {
            found.push(path);
        }
    }
    found
}
