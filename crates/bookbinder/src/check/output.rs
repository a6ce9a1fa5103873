//! The built book: nothing left to fill, no link to nothing, nothing loaded from elsewhere.

use super::files_below;
use crate::fault::{Fault, Faults, read};
use regex_lite::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
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

/// One built page: what is wrong with it by itself, what it links to, and what can be linked to in it.
#[derive(Debug, Default)]
struct Built {
    faults: Vec<(usize, String)>,
    ids: BTreeSet<String>,
    links: Vec<(usize, String)>,
}

/// What is wrong with a built book.
///
/// # Errors
/// A file that cannot be read.
pub fn output(folder: &Path) -> Result<Vec<Fault>, Faults> {
    let files = |kind| {
        let named = |path: PathBuf| match read(&path) {
            Ok(text) => Ok((path.strip_prefix(folder).unwrap_or(&path).to_owned(), text)),
            Err(fault) => Err(Faults(vec![fault])),
        };
        files_below(folder, kind).into_iter().map(named).collect::<Result<BTreeMap<_, _>, _>>()
    };
    let mut faults = Vec::new();
    for (name, text) in files("css")? {
        let lines = (1..).zip(text.lines()).filter(|(_, line)| ELSEWHERE.is_match(line));
        faults.extend(
            lines.map(|(line, _)| Fault::new(&name, line, "loads something from elsewhere")),
        );
    }
    let pages: BTreeMap<PathBuf, Built> =
        files("html")?.into_iter().map(|(name, text)| (name, built(&text))).collect();
    for (name, page) in &pages {
        let links = page.links.iter();
        let broken =
            links.filter_map(|(line, link)| Some((*line, broken(folder, &pages, name, link)?)));
        let wrong = page.faults.iter().cloned().chain(broken);
        faults.extend(wrong.map(|(line, what)| Fault::new(name, line, what)));
    }
    Ok(faults)
}

/// Reads one page. Wrong by themselves are braces that were not filled, things loaded from elsewhere,
/// and an id that stands twice: a drawing would take its patterns from another one.
fn built(text: &str) -> Built {
    let mut page = Built::default();
    let line_of = |place: usize| text[..place].matches('\n').count() + 1;
    for tag in TAG.captures_iter(text) {
        let line = line_of(tag.get(0).map_or(0, |found| found.start()));
        for attribute in ATTRIBUTE.captures_iter(&tag[2]) {
            let (key, value) = (&attribute[1], attribute[2].to_owned());
            let loads = match &tag[1] {
                "a" => false,
                "link" => key == "href",
                _ => ["src", "srcset", "data", "poster", "xlink:href"].contains(&key),
            };
            if loads && ["http:", "https:", "//"].iter().any(|start| value.starts_with(start)) {
                page.faults.push((line, format!("loads {value} from elsewhere")));
            }
            match key {
                "id" if !page.ids.insert(value.clone()) => {
                    page.faults.push((line, format!("a second id {value}")));
                }
                "href" | "src" => page.links.push((line, value)),
                _ => {}
            }
        }
    }
    if let Some(found) = ELSEWHERE.find(text) {
        page.faults.push((line_of(found.start()), "a style loads something from elsewhere".into()));
    }
    // Code may well have two braces in a row; what the page says must not.
    let said = CODE.replace_all(text, "");
    if let Some(place) = said.find("{{") {
        let rest: String = said[place..].chars().take(40).collect();
        page.faults.push((0, format!("was not filled: {rest}")));
    }
    page
}

/// Why a link leads nowhere, if it does.
fn broken(
    folder: &Path,
    pages: &BTreeMap<PathBuf, Built>,
    from: &Path,
    link: &str,
) -> Option<String> {
    let elsewhere = ["http:", "https:", "mailto:", "data:", "javascript:"];
    if elsewhere.iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (path, id) = link.split_once('#').unwrap_or((link, ""));
    let near = if path.is_empty() { from.to_owned() } else { from.with_file_name(path) };
    let target = folder.join(near).canonicalize().ok().filter(|target| target.is_file());
    let Some(target) = target else {
        return Some(format!("links to {link}, and there is no such file"));
    };
    let page = target.strip_prefix(folder.canonicalize().ok()?).ok().and_then(|p| pages.get(p));
    (!id.is_empty() && page.is_some_and(|page| !page.ids.contains(id)))
        .then(|| format!("links to {link}, and there is no such place on that page"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn what_is_loaded_from_elsewhere_is_found() {
        let check = |text: &str| built(text).faults.len();
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
        let check = |text: &str| built(text).faults.len();
        assert_eq!(check("<p>{{record x}}</p>"), 1);
        assert_eq!(check("<pre><code>format!(\"{{}}\")</code></pre>"), 0);
    }

    #[test]
    fn an_id_that_stands_twice_is_found() {
        let page = built("<p id=\"a\">\n<p id=\"b\">\n<p id=\"a\">");
        assert_eq!(page.faults, [(3, "a second id a".to_owned())]);
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
