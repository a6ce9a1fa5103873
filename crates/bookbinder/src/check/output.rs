//! The built book: nothing left to fill, no link to nothing, nothing loaded from elsewhere.

use super::files_below;
use crate::fault::{Fault, Faults, read};
use regex_lite::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

static TAG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"<([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*)>"#).expect("a regex")
});
static ATTRIBUTE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"([a-zA-Z:-]+)="([^"]*)""#).expect("a regex"));
static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?s)<(code|script|style)\b.*?</(code|script|style)>").expect("a regex")
});
static ELSEWHERE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?:url\(["']?|@import\s+["'])(?:https?:)?//"#).expect("a regex")
});

/// One built page: what it links to, and what can be linked to in it.
#[derive(Debug, Default)]
struct Page {
    ids: BTreeSet<String>,
    /// Ids that stand twice: a drawing would take its patterns from another one.
    twice: Vec<(usize, String)>,
    links: Vec<(usize, String)>,
}

/// What is wrong with a built book.
///
/// # Errors
/// A file that cannot be read.
pub fn output(folder: &Path) -> Result<Vec<Fault>, Faults> {
    let mut faults = Vec::new();
    let mut pages = BTreeMap::new();
    let read = |path: &Path| read(path).map_err(|fault| Faults(vec![fault]));
    for path in files_below(folder, "html") {
        let text = read(&path)?;
        let name = path.strip_prefix(folder).unwrap_or(&path).to_owned();
        faults.extend(page_output(&name, &text));
        pages.insert(name, page(&text));
    }
    for path in files_below(folder, "css") {
        let name = path.strip_prefix(folder).unwrap_or(&path);
        for (number, line) in (1..).zip(read(&path)?.lines()) {
            if ELSEWHERE.is_match(line) {
                faults.push(Fault::new(name, number, "loads something from elsewhere"));
            }
        }
    }
    for (name, page) in &pages {
        let twice = page.twice.iter();
        faults.extend(twice.map(|(line, id)| Fault::new(name, *line, format!("a second id {id}"))));
        for (line, link) in &page.links {
            if let Some(what) = broken(folder, &pages, name, link) {
                faults.push(Fault::new(name, *line, what));
            }
        }
    }
    Ok(faults)
}

/// Every attribute of a page: where its element begins, that one's name, its own name, its value.
fn attributes(text: &str) -> impl Iterator<Item = (usize, &str, &str, &str)> {
    TAG.captures_iter(text).flat_map(move |tag| {
        let [whole, element, rest] = [0, 1, 2].map(|at| tag.get(at).expect("it takes part"));
        ATTRIBUTE.captures_iter(rest.as_str()).map(move |attribute| {
            let [key, value] = [1, 2].map(|at| attribute.get(at).expect("it takes part").as_str());
            (whole.start(), element.as_str(), key, value)
        })
    })
}

/// What is wrong with one page by itself: braces that nobody filled, things loaded from elsewhere.
pub fn page_output(name: &Path, text: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (start, element, key, value) in attributes(text) {
        let loads = match element {
            "a" => false,
            "link" => key == "href",
            _ => ["src", "srcset", "data", "poster", "xlink:href"].contains(&key),
        };
        if loads && ["http:", "https:", "//"].iter().any(|start| value.starts_with(start)) {
            let line = line_of(text, start);
            faults.push(Fault::new(name, line, format!("loads {value} from elsewhere")));
        }
    }
    if let Some(found) = ELSEWHERE.find(text) {
        let line = line_of(text, found.start());
        faults.push(Fault::new(name, line, "a style loads something from elsewhere"));
    }
    // Code may well have two braces in a row; what the page says must not.
    let said = CODE.replace_all(text, "");
    if let Some(place) = said.find("{{") {
        let rest: String = said[place..].chars().take(40).collect();
        faults.push(Fault::of_file(name, format!("was not filled: {rest}")));
    }
    faults
}

fn page(text: &str) -> Page {
    let mut page = Page::default();
    for (start, _, key, value) in attributes(text) {
        let value = value.to_owned();
        match key {
            "id" if page.ids.contains(&value) => page.twice.push((line_of(text, start), value)),
            "id" => drop(page.ids.insert(value)),
            "href" | "src" => page.links.push((line_of(text, start), value)),
            _ => {}
        }
    }
    page
}

/// Why a link leads nowhere, if it does.
fn broken(
    folder: &Path,
    pages: &BTreeMap<PathBuf, Page>,
    from: &Path,
    link: &str,
) -> Option<String> {
    let elsewhere = ["http:", "https:", "mailto:", "data:", "javascript:"];
    if elsewhere.iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (path, id) = link.split_once('#').map_or((link, None), |(path, id)| (path, Some(id)));
    let target = match path {
        "" => from.to_owned(),
        path => normal(&from.parent().unwrap_or(Path::new("")).join(path)),
    };
    match (pages.get(&target), id) {
        (Some(page), Some(id)) if !id.is_empty() && !page.ids.contains(id) => {
            Some(format!("links to {link}, and there is no such place on that page"))
        }
        (None, _) if !folder.join(&target).is_file() => {
            Some(format!("links to {link}, and there is no such file"))
        }
        _ => None,
    }
}

/// The path without `.` and `..`.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => drop(normal.pop()),
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

fn line_of(text: &str, place: usize) -> usize {
    text[..place].matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_loaded_from_elsewhere_is_found() {
        let check = |text: &str| page_output(Path::new("a.html"), text).len();
        assert_eq!(
            check("<a href=\"https://example.org\">x</a> <script src=\"book.js\"></script>"),
            0
        );
        assert_eq!(check("<script src=\"https://example.org/x.js\"></script>"), 1);
        assert_eq!(check("<link rel=\"stylesheet\" href=\"//example.org/x.css\">"), 1);
        assert_eq!(check("<style>@import \"https://example.org/x.css\";</style>"), 1);
    }

    #[test]
    fn what_was_not_filled_is_found() {
        let check = |text: &str| page_output(Path::new("a.html"), text).len();
        assert_eq!(check("<p>{{record x}}</p>"), 1);
        assert_eq!(check("<pre><code>format!(\"{{}}\")</code></pre>"), 0);
    }

    #[test]
    fn an_id_that_stands_twice_is_found() {
        let page = page("<p id=\"a\">\n<p id=\"b\">\n<p id=\"a\">");
        assert_eq!(page.twice, [(3, "a".to_owned())]);
    }

    #[test]
    fn links_to_nothing_are_found() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| fs::write(folder.path().join(file), text).unwrap();
        write("a.html", "<h1 id=\"top\">A</h1><a href=\"b.html#x\">b</a><a href=\"#top\">up</a>");
        write("b.html", "<p id=\"x\"><a href=\"./a.html\">a</a></p>");
        assert_eq!(output(folder.path()).unwrap(), []);
        write("b.html", "\n<a href=\"c.html\">c</a><a href=\"#y\">y</a>");
        write("style.css", "a {\n  background: url(https://example.org/x.png);\n}\n");
        let faults = output(folder.path()).unwrap();
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        assert_eq!(
            faults,
            [
                "style.css:2: loads something from elsewhere",
                "a.html:1: links to b.html#x, and there is no such place on that page",
                "b.html:2: links to c.html, and there is no such file",
                "b.html:2: links to #y, and there is no such place on that page",
            ]
        );
    }
}
