//! Serves the book to a browser on this machine, and makes it again when something is saved.
//!
//! Saved files are found by asking every half second for the time of their last change. That is a
//! few hundred cheap questions, works where notices of changes do not (folders mounted into a
//! container), and needs no library.

use crate::House;
use crate::{book, check};
use anyhow::{Result, anyhow};
use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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

/// A book that is being read.
pub struct Reader {
    house: House,
    server: Server,
    edition: AtomicUsize,
}

impl Reader {
    /// Opens the port. Port 0 takes a free one.
    ///
    /// # Errors
    /// If the port is taken.
    pub fn new(house: House, port: u16) -> Result<Self> {
        let server = Server::http((Ipv4Addr::LOCALHOST, port))
            .map_err(|error| anyhow!("no server on port {port}: {error}"))?;
        Ok(Self { house, server, edition: AtomicUsize::new(0) })
    }

    /// Where the book can be read: `127.0.0.1:8000`.
    pub fn address(&self) -> String {
        self.server.server_addr().to_string()
    }

    /// Makes the book and serves it until the program is ended (Ctrl-C).
    ///
    /// What is wrong with the book is printed, and the last good edition stays.
    pub fn serve(&self) {
        make(&self.house, &self.edition);
        anstream::println!("Read the book at http://{}/ (Ctrl-C ends).", self.address());
        let folder = self.house.book().join("build");
        thread::scope(|scope| {
            scope.spawn(|| watch(&self.house, &self.edition));
            for request in self.server.incoming_requests() {
                // A reader that has gone away is no fault of the book.
                let _ = answer(request, &folder, self.edition.load(Relaxed));
            }
        });
    }
}

/// Makes the book; says what is wrong with it if that fails.
fn make(house: &House, edition: &AtomicUsize) {
    match book::build(house) {
        Ok(_) => {
            let edition = edition.fetch_add(1, Relaxed) + 1;
            anstream::println!("Edition {edition} is made.");
        }
        Err(error) => anstream::eprintln!("error: {error:#}"),
    }
}

/// Makes the book again whenever a file of it has changed.
fn watch(house: &House, edition: &AtomicUsize) -> ! {
    let mut seen = newest(house);
    loop {
        thread::sleep(GLANCE);
        let now = newest(house);
        if now != seen {
            seen = now;
            make(house, edition);
        }
    }
}

/// What would change if a file of the book were saved, added or removed: how many there are, and
/// when the youngest was saved.
fn newest(house: &House) -> (usize, Option<SystemTime>) {
    let mut files: Vec<PathBuf> = vec![house.book().join("book.toml")];
    for folder in ["book/src", "book/records", "book/theme", "crates", "lessons", "tests"] {
        for extension in ["md", "json", "txt", "svg", "css", "rs", "toml"] {
            files.extend(check::files_below(&house.root().join(folder), extension));
        }
    }
    let saved = files.iter().filter_map(|file| fs::metadata(file).and_then(|m| m.modified()).ok());
    (files.len(), saved.max())
}

fn answer(request: Request, folder: &Path, edition: usize) -> std::io::Result<()> {
    let path = request.url().split(['?', '#']).next().unwrap_or("/").to_owned();
    if path == EDITION {
        return request.respond(Response::from_string(edition.to_string()));
    }
    let Some(file) = file(folder, &path) else {
        let text = "There is no such page in this book.";
        return request.respond(Response::from_string(text).with_status_code(404));
    };
    let (kind, mut bytes) = (media_type(&file), fs::read(file)?);
    if kind.starts_with("text/html") {
        bytes.extend(COME_AGAIN.bytes());
    }
    let kind = Header::from_bytes("Content-Type", kind).expect("a header of plain letters");
    request.respond(Response::from_data(bytes).with_header(kind))
}

/// The file for an address, if there is one inside the folder.
fn file(folder: &Path, path: &str) -> Option<PathBuf> {
    let path = if path.ends_with('/') { format!("{path}index.html") } else { path.to_owned() };
    // `canonicalize` follows `..` and links, so what leads out of the folder shows itself.
    let file = folder.join(path.trim_start_matches('/')).canonicalize().ok()?;
    (file.starts_with(folder.canonicalize().ok()?) && file.is_file()).then_some(file)
}

fn media_type(file: &Path) -> &'static str {
    match file.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
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
        let outside = tempfile::tempdir().unwrap();
        let folder = outside.path().join("build");
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("index.html"), "x").unwrap();
        fs::write(outside.path().join("secret"), "x").unwrap();
        assert_eq!(file(&folder, "/"), Some(folder.canonicalize().unwrap().join("index.html")));
        assert_eq!(file(&folder, "/index.html"), file(&folder, "/"));
        assert_eq!(file(&folder, "/../secret"), None);
        assert_eq!(file(&folder, "/%2e%2e/secret"), None);
        assert_eq!(file(&folder, "/gone.html"), None);
    }
}
