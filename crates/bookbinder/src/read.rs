//! Serves the book to a browser on this machine, and makes it again when something is saved.
//!
//! An edition of the book is built in a temporary folder, checked, and then read into memory. A
//! request is answered from the newest edition in memory, so no request meets half a book. If a new
//! edition has a fault, the old one is served on.
//!
//! Saved files are found by asking every half second for the time of their last change. That is a
//! few hundred cheap questions, works where notices of changes do not (folders mounted into a
//! container), and needs no library.

use crate::House;
use crate::{book, check};
use anyhow::{Result, anyhow};
use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};
use tiny_http::{Header, Request, Response, Server};

/// How long a saved file can go unnoticed.
const GLANCE: Duration = Duration::from_millis(500);

/// A page asks for this address what edition of the book is there, and comes again if it is newer.
const EDITION: &str = "/edition";

/// Goes on at the end of every page that is served; the built files do not have it.
const COME_AGAIN: &str = "<script>(async () => {
    const edition = async () => (await fetch('/edition', {cache: 'no-store'})).text();
    const first = await edition();
    setInterval(async () => { try { if (await edition() !== first) location.reload(); } catch {} }, 1000);
})();</script>";

/// The files of a book, by their addresses.
type Files = BTreeMap<PathBuf, Vec<u8>>;

/// One edition of the book, whole and checked.
#[derive(Clone, Default)]
struct Edition {
    /// Counted from 1. Edition 0 is empty: there is no whole book yet.
    number: usize,
    files: Arc<Files>,
    /// The files of the edition before. A browser that still shows a page of that edition may ask
    /// for its styles and scripts, whose names change with their content.
    before: Arc<Files>,
}

/// A book that is being read.
pub struct Reader {
    house: House,
    server: Server,
    edition: Mutex<Edition>,
}

impl Reader {
    /// Opens the port. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn new(house: House, port: u16) -> Result<Self> {
        let server = Server::http((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| anyhow!("no server on port {port}: {error}"))?;
        Ok(Self { house, server, edition: Mutex::default() })
    }

    /// Where the book can be read: `127.0.0.1:8000`.
    pub fn address(&self) -> String {
        self.server.server_addr().to_string()
    }

    /// Makes the book and serves it until the program is ended (Ctrl-C).
    ///
    /// What is wrong with the book is printed in one line, and the last good edition stays.
    pub fn serve(&self) {
        let mut seen = sources(&self.house);
        self.make(&mut seen);
        anstream::println!("Read the book at http://{}/ (Ctrl-C ends).", self.address());
        thread::scope(|scope| {
            scope.spawn(move || {
                loop {
                    thread::sleep(GLANCE);
                    if sources(&self.house) != seen {
                        self.make(&mut seen);
                    }
                }
            });
            for request in self.server.incoming_requests() {
                // A reader that has gone away is no fault of the book.
                let _ = answer(request, &self.edition());
            }
        });
    }

    fn edition(&self) -> Edition {
        self.edition.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Makes the next edition, and serves it from now on; says what is wrong if that fails. `seen`
    /// is then what the edition was made from.
    fn make(&self, seen: &mut Sources) {
        let files = loop {
            *seen = sources(&self.house);
            let files = files(&self.house);
            // What was saved meanwhile stands in some of the pages only.
            if sources(&self.house) == *seen {
                break files;
            }
        };
        let old = self.edition();
        match files {
            Ok(files) => {
                let number = old.number + 1;
                let new = Edition { number, files: Arc::new(files), before: old.files };
                *self.edition.lock().unwrap_or_else(PoisonError::into_inner) = new;
                anstream::println!("Edition {number} is made.");
            }
            Err(error) => {
                let text = format!("{error:#}");
                let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
                let more = if rest.is_empty() { "" } else { " (and more: just book)" };
                anstream::eprintln!("error: edition {} stays: {first}{more}", old.number);
            }
        }
    }
}

/// Builds the book in a temporary folder, checks it, and reads it into memory.
fn files(house: &House) -> Result<Files> {
    let folder = tempfile::tempdir()?;
    book::build_into(house, folder.path())?;
    let files = check::all_files_below(folder.path()).into_iter();
    let named =
        |file: PathBuf| Ok((file.strip_prefix(folder.path())?.to_owned(), fs::read(&file)?));
    files.map(named).collect()
}

/// The files that the book is made from, and when each was saved.
type Sources = Vec<(PathBuf, Option<SystemTime>)>;

fn sources(house: &House) -> Sources {
    const KINDS: [&str; 9] = ["md", "json", "txt", "svg", "css", "js", "rs", "py", "toml"];
    let folders = ["book/src", "book/records", "book/theme", "crates", "lessons", "tests"];
    let below =
        folders.iter().flat_map(|folder| check::all_files_below(&house.root().join(folder)));
    let mut files: Vec<PathBuf> = below.chain([house.book().join("book.toml")]).collect();
    let is_source = |kind: &str| KINDS.contains(&kind);
    files.retain(|file| file.extension().and_then(|kind| kind.to_str()).is_some_and(is_source));
    let saved = |file: &PathBuf| fs::metadata(file).and_then(|facts| facts.modified()).ok();
    files.into_iter().map(|file| (file.clone(), saved(&file))).collect()
}

fn answer(request: Request, edition: &Edition) -> std::io::Result<()> {
    let path = request.url().split(['?', '#']).next().unwrap_or("/").to_owned();
    if path == EDITION {
        return request.respond(Response::from_string(edition.number.to_string()));
    }
    let (status, kind, mut bytes) = match edition.find(&path) {
        Some((kind, bytes)) => (200, kind, bytes.clone()),
        None if edition.number == 0 => {
            (503, HTML, b"There is no book yet: see the console.".into())
        }
        None => (404, HTML, b"There is no such page in this book.".into()),
    };
    if kind == HTML {
        bytes.extend(COME_AGAIN.bytes());
    }
    let kind = Header::from_bytes("Content-Type", kind).expect("a header of plain letters");
    request.respond(Response::from_data(bytes).with_header(kind).with_status_code(status))
}

impl Edition {
    /// The file for an address, and its kind. What is asked for is a key, and no path: there is no
    /// way to a file outside the book.
    fn find(&self, path: &str) -> Option<(&'static str, &Vec<u8>)> {
        let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
        let file = Path::new(path.trim_start_matches('/'));
        let kind = media_type(file);
        let before = || self.before.get(file).filter(|_| kind != HTML);
        Some((kind, self.files.get(file).or_else(before)?))
    }
}

const HTML: &str = "text/html; charset=utf-8";

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => HTML,
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("woff2") => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_the_book_are_served() {
        let files = |names: &[&str]| {
            let named = |name: &&str| (PathBuf::from(name), name.as_bytes().to_vec());
            Arc::new(names.iter().map(named).collect::<Files>())
        };
        let (files, before) = (files(&["index.html", "b.css"]), files(&["a.css", "gone.html"]));
        let edition = Edition { number: 2, files, before };
        let found = |path: &str| edition.find(path).map(|(_, bytes)| bytes.as_slice());
        assert_eq!(found("/"), Some(&b"index.html"[..]));
        assert_eq!(found("/index.html"), found("/"));
        assert_eq!(found("/b.css"), Some(&b"b.css"[..]));
        assert_eq!(found("/a.css"), Some(&b"a.css"[..]), "a page of the edition before needs it");
        for path in ["/gone.html", "/../Cargo.toml", "/%2e%2e/Cargo.toml", "//etc/hosts"] {
            assert_eq!(found(path), None, "{path}");
        }
    }
}
