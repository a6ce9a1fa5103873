//! A small book, read while it is written.

use bookbinder::{House, read::Reader};
use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const CONFIG: &str = "[build]\ncreate-missing = false\nuse-default-preprocessors = false\n\
                      [output.html]\ninput-404 = \"\"\n";

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
    fs::write(house.book().join("book.toml"), CONFIG).unwrap();
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

/// All pages say the same word, which stands in one file. While the word changes, no page is
/// missing, and no two pages of one edition say two words.
#[test]
fn a_book_that_is_made_again_is_served_whole() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::at(folder.path());
    let words = house.root().join("lessons/words.rs");
    let say = |word: usize| {
        let new = words.with_extension("new");
        fs::write(&new, format!("// ANCHOR: word\n// word-{word}-\n// ANCHOR_END: word\n"))
            .unwrap();
        fs::rename(new, &words).unwrap();
    };
    fs::create_dir_all(house.pages()).unwrap();
    fs::create_dir_all(words.parent().unwrap()).unwrap();
    fs::write(house.book().join("book.toml"), CONFIG).unwrap();
    let pages: Vec<String> = (0..30).map(|page| format!("page-{page}")).collect();
    let line = |page: &String| format!("- [{page}]({page}.md)\n");
    fs::write(house.pages().join("SUMMARY.md"), pages.iter().map(line).collect::<String>())
        .unwrap();
    for page in &pages {
        let text =
            format!("# {page}\n\n```rust\n{{{{#include ../../lessons/words.rs:word}}}}\n```\n");
        fs::write(house.pages().join(page).with_extension("md"), text).unwrap();
    }
    say(0);
    let reader = Reader::new(house, 0).unwrap();
    let address = reader.address();
    thread::spawn(move || reader.serve());
    let edition = || get(&address, "/edition").rsplit('\n').next().unwrap().to_owned();
    until("the first edition", || edition() == "1");

    let (mut requests, mut said) = (0, BTreeMap::new());
    for word in 1..3 {
        say(word);
        let patience = Instant::now() + Duration::from_secs(60);
        for page in pages.iter().cycle() {
            let before = edition();
            let answer = get(&address, &format!("/{page}.html"));
            requests += 1;
            assert!(answer.starts_with("HTTP/1.1 200"), "request {requests}, {page}: {answer}");
            let found = answer.split("word-").nth(1).and_then(|rest| rest.split('-').next());
            let found = found.expect("the page says the word").to_owned();
            // If the edition has not changed meanwhile, the page is of this edition.
            if edition() == before {
                let first = said.entry(before).or_insert(found.clone()).clone();
                assert_eq!(found, first, "request {requests}, {page}");
            }
            if found == word.to_string() {
                break;
            }
            assert!(Instant::now() < patience, "word {word} does not come");
        }
    }
    println!("{requests} requests");
    assert!(requests >= 300, "{requests} requests: that few say little");
}
