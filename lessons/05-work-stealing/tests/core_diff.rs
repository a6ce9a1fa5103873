//! The heart of the kit: from one lesson's core to the next core, one line changes, and its import.

/// The cores of lessons 1 to 5.
const SOURCES: [&str; 5] = [
    include_str!("../../01-serial/main.rs"),
    include_str!("../../02-threads/main.rs"),
    include_str!("../../03-thread-pool/main.rs"),
    include_str!("../../04-processes/main.rs"),
    include_str!("../main.rs"),
];

/// A core in its parts.
#[derive(Debug, PartialEq)]
struct Core<'a> {
    import: &'a str,
    executor: &'a str,
    /// Every other line, unchanged.
    rest: Vec<&'a str>,
}

/// The core between the anchors, or an error.
fn core(source: &str) -> Result<Core<'_>, String> {
    let between = |mark: &str| source.split_once(mark).ok_or(format!("there is no {mark}"));
    let (_, from) = between("// ANCHOR: core\n")?;
    let to = from.find("// ANCHOR_END: core").ok_or("the core has no end")?;
    let mut lines: Vec<&str> = from[..to].lines().filter(|line| !line.trim().is_empty()).collect();
    let mut take = |beginning: &str| {
        let found: Vec<usize> =
            (0..lines.len()).filter(|&at| lines[at].trim().starts_with(beginning)).collect();
        match found[..] {
            [at] => Ok(lines.remove(at).trim()),
            _ => Err(format!("{} lines begin with '{beginning}'", found.len())),
        }
    };
    let (import, executor) = (take("use ")?, take("let pool =")?);
    Ok(Core { import, executor, rest: lines })
}

#[test]
fn from_lesson_to_lesson_only_the_executor_and_its_import_change() {
    let cores = SOURCES.map(|source| core(source).unwrap());
    for pair in cores.windows(2) {
        assert_eq!(pair[0].rest, pair[1].rest);
        assert_ne!(pair[0].import, pair[1].import);
        assert_ne!(pair[0].executor, pair[1].executor);
    }
    assert_eq!(cores[0].rest, ["    let answers = pool.map(gcd, pairs)?;"]);
}

#[test]
fn a_lesson_shows_the_line_that_it_runs() {
    for source in SOURCES {
        assert_eq!(report::executor_line(source), Some(core(source).unwrap().executor));
    }
}

#[test]
fn any_other_difference_is_seen() {
    let altered = SOURCES[1].replace("pool.map(gcd, pairs)?", "pool.map(gcd, pairs.clone())?");
    assert_ne!(core(&altered).unwrap().rest, core(SOURCES[0]).unwrap().rest);
    let two =
        SOURCES[1].replace("use threads::Threads;", "use threads::Threads;\nuse threads::Split;");
    assert_eq!(core(&two), Err("2 lines begin with 'use '".to_owned()));
    let none = SOURCES[1].replace("let pool = ", "let executor = ");
    assert_eq!(core(&none), Err("0 lines begin with 'let pool ='".to_owned()));
}
