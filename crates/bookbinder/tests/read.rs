//! A small book, read while it is written.

use bookbinder::{House, read::Reader};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

/// What the server answers: its head and its body in one.
fn get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Asks again and again, for a minute at most: the machine may be busy.
fn until(what: &str, asked: impl Fn() -> bool) {
    let patience = Instant::now() + Duration::from_secs(60);
    while !asked() {
        assert!(Instant::now() < patience, "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

#[test]
fn a_saved_page_makes_a_new_edition_and_a_fault_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::at(folder.path());
    let page = house.pages().join("page.md");
    fs::create_dir_all(house.pages()).unwrap();
    let config = "[build]\ncreate-missing = false\nuse-default-preprocessors = false\n\
                  [output.html]\ninput-404 = \"\"\n";
    fs::write(house.book().join("book.toml"), config).unwrap();
    fs::write(house.pages().join("SUMMARY.md"), "- [Page](page.md)\n").unwrap();
    fs::write(&page, "# First\n").unwrap();

    let reader = Reader::new(house, 0).unwrap();
    let address = reader.address();
    // It serves until the test's own end.
    thread::spawn(move || reader.serve());
    until("the first edition", || get(&address, "/edition").ends_with("\r\n\r\n1"));
    let first = get(&address, "/");
    assert!(first.starts_with("HTTP/1.1 200") && first.contains("First"), "{first}");
    assert!(first.contains("location.reload"));
    assert!(get(&address, "/gone.html").starts_with("HTTP/1.1 404"));

    fs::write(&page, "# Second {{nonsense}}\n").unwrap();
    thread::sleep(Duration::from_millis(1500));
    assert!(get(&address, "/page.html").contains("First"));

    fs::write(&page, "# Third\n").unwrap();
    until("the next edition", || get(&address, "/edition").ends_with("\r\n\r\n2"));
    assert!(get(&address, "/page.html").contains("Third"));
}
