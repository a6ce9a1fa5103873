//! The real book, and books that are wrong on purpose.

use bookbinder::{House, book, check};
use std::fs;

#[test]
fn the_book_can_be_made() {
    let folder = tempfile::tempdir().unwrap();
    let index = book::build_into(&House::here(), folder.path());
    assert!(index.as_ref().is_ok_and(|index| index.is_file()), "{:#}", index.unwrap_err());
}

#[test]
fn the_book_says_nothing_that_no_file_proves() {
    if let Err(faults) = check::everything(&House::here()) {
        panic!("{faults:#}");
    }
}

/// Makes a book of one page, and gives what is wrong with it.
fn wrong(config: &str, page: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let house = House::at(folder.path());
    fs::create_dir_all(house.pages()).unwrap();
    fs::write(house.book().join("book.toml"), config).unwrap();
    fs::write(house.pages().join("SUMMARY.md"), "- [Page](page.md)\n").unwrap();
    fs::write(house.pages().join("page.md"), page).unwrap();
    let error = book::build_into(&house, &folder.path().join("out")).unwrap_err();
    format!("{error:#}")
}

const CONFIG: &str = "[build]\ncreate-missing = false\nuse-default-preprocessors = false\n";

#[test]
fn a_key_that_mdbook_does_not_know_is_an_error() {
    assert!(wrong("[book]\ntitel = \"x\"\n", "").contains("titel"));
    let html = wrong(&format!("{CONFIG}[output.html]\nsmart-puntuation = true\n"), "");
    assert!(html.contains("smart-puntuation"), "{html}");
}

#[test]
fn what_cannot_be_filled_is_an_error_with_file_and_line() {
    let error = wrong(CONFIG, "# Page\n\n{{record lesson-1 x}}\n");
    assert!(error.contains("book/src/page.md:3: {{record lesson-1 x}}: there is no"), "{error}");
}

#[test]
fn a_link_to_nothing_and_a_script_from_elsewhere_are_errors() {
    let error = wrong(CONFIG, "# Page\n\n[gone](gone.md)\n");
    assert!(error.contains("links to gone.html, and there is no such file"), "{error}");
    let error = wrong(CONFIG, "# Page\n\n<img src=\"https://example.org/x.png\" alt=\"x\">\n");
    assert!(error.contains("page.html") && error.contains("from elsewhere"), "{error}");
}

#[test]
fn a_warning_of_mdbook_is_an_error() {
    let error = wrong(CONFIG, "# Page\n\n<div>\n\n*open\n");
    assert!(error.contains("mdBook warns"), "{error}");
}

#[test]
fn a_book_with_a_fault_leaves_the_book_that_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let house = House::at(folder.path());
    fs::create_dir_all(house.pages()).unwrap();
    let config = format!("{CONFIG}[output.html]\ninput-404 = \"\"\n");
    fs::write(house.book().join("book.toml"), config).unwrap();
    fs::write(house.pages().join("SUMMARY.md"), "- [Page](page.md)\n").unwrap();
    let page = house.pages().join("page.md");
    let build = |text: &str| {
        fs::write(&page, text).unwrap();
        book::build(&house)
    };
    let index = build("# First\n").unwrap();
    let built = || fs::read_to_string(&index).unwrap();
    let first = built();
    assert!(first.contains("First"));
    // This fault is found in the built pages, when the new book is written already.
    let error = build("# Second\n\n[gone](gone.md)\n").unwrap_err();
    assert!(format!("{error:#}").contains("links to gone.html"), "{error:#}");
    assert_eq!(built(), first);
    build("# Third\n").unwrap();
    assert!(built().contains("Third"));
    let beside = fs::read_dir(house.book()).unwrap().map(|entry| entry.unwrap().file_name());
    let mut beside: Vec<_> = beside.collect();
    beside.sort();
    assert_eq!(beside, ["book.toml", "build", "src"]);
}
