//! Lesson 7 as its reader meets it. Its own options and maps are tested here; what it shares with
//! the other lessons is tested by what they share.

use one_change_tests::lesson::{Said, run, said};
use serde_json::Value;
use std::fs;
use std::process::{Command, Stdio};

one_change_tests::lesson!(7: words_fit_their_places, recorded, help, predict_asks, predict_answers,
    predict_gives_nothing_away);
one_change_tests::exercise!(7);

fn command(arguments: &[&str]) -> Command {
    one_change_tests::lesson::command(SUBJECT.program, arguments)
}

/// Runs it, and expects that all goes well and nothing is said beside.
fn run_well(arguments: &[&str]) -> String {
    let Said { stdout, stderr, status } = run(&mut command(arguments));
    assert_eq!((stderr.as_str(), status), ("", Some(0)), "{arguments:?}: {stdout}");
    for line in stdout.lines().filter(|line| !line.starts_with('{')) {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert!(!line.chars().any(char::is_control), "{line:?}");
    }
    stdout
}

#[test]
fn a_drawing_is_written_although_nobody_reads_the_text() {
    SUBJECT.files_of_a_closed_output(&[("--svg", "</svg>\n")], &[]);
}

/// One round says what five say; and the text, the document and the drawing are of one run.
#[test]
fn the_text_the_record_and_the_drawing() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (record, svg) = (path("record.json"), path("drawing.svg"));
    let text = run_well(&["--rounds", "1", "--record", &record, "--svg", &svg]);
    assert_eq!(text.contains("\nBuild        not optimised"), cfg!(debug_assertions));
    SUBJECT.snapshot("text", &one_change_tests::mask::mask(&text).replace("1 round,", "5 rounds,"));

    let record: Value = serde_json::from_str(&fs::read_to_string(record).unwrap()).unwrap();
    let mut cells = 0;
    for stage in record["stages"].as_array().unwrap() {
        for row in stage["rows"].as_array().unwrap() {
            for cell in row["cells"].as_array().unwrap() {
                let number = |name: &str| cell[name].as_f64().unwrap();
                let ratio = number("alone") / number("seconds");
                assert!((number("speedup") / ratio - 1.0).abs() < 1e-9, "{cell}");
                // No prediction is above the bound.
                assert!(0.0 < number("predicted_speedup"), "{cell}");
                assert!(number("predicted_speedup") <= 2.0 + 1e-9, "{cell}");
                let shown = format!("{:.2}/{:.2}", number("speedup"), number("predicted_speedup"));
                let shown = shown.chars().count() > 9 || text.contains(&shown);
                assert!(shown, "the text does not show {cell}");
                cells += 1;
            }
        }
    }
    assert_eq!(cells, 2 * 5 * 5);
    SUBJECT.snapshot("json", &serde_json::to_string_pretty(&report::mask_json(&record)).unwrap());
    let model = &record["model"];
    let counted = |name: &str| model[name].as_u64().unwrap();
    assert!(counted("right") <= counted("away") && counted("near") <= counted("away"));
    let line = format!("{} of {} contests right", counted("right"), counted("away"));
    assert!(text.contains(&line), "{line} in\n{text}");

    let drawing = fs::read_to_string(svg).unwrap();
    let document = roxmltree::Document::parse(&drawing).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    for child in ["title", "desc"] {
        let node =
            root.children().find(|node| node.has_tag_name(("http://www.w3.org/2000/svg", child)));
        assert!(node.and_then(|node| node.text()).is_some_and(|text| text.len() > 20), "{child}");
    }
    let blocks = root
        .descendants()
        .filter(|node| node.attribute("class").is_some_and(|class| class.starts_with("block")));
    assert_eq!(blocks.count(), cells);
    assert!(!drawing.contains("href") && !drawing.contains("@import"), "nothing is loaded");
}

#[test]
fn the_document_on_one_line() {
    let text = run_well(&["--json", "--quick", "--workers", "3"]);
    assert_eq!(text.lines().count(), 1, "one document on one line");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&document["workers"], &document["rounds"]), (&3.into(), &1.into()));
    for stage in document["stages"].as_array().unwrap() {
        let rows = stage["rows"].as_array().unwrap();
        assert_eq!(rows.len(), 5);
        let cells = rows[0]["cells"].as_array().unwrap();
        assert_eq!(cells.len(), 4, "the longest are left out");
    }
}

#[test]
fn bad_input_gets_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    let no_folder = folder.path().join("missing/drawing.svg").to_str().unwrap().to_owned();
    let cases: &[&[&str]] = &[
        &["--workers", "0"],
        &["--workers", "1025"],
        &["--workers", "x"],
        &["--workers", "-1"],
        &["--workers"],
        &["--rounds", "0"],
        &["--rounds", "1001"],
        &["--rounds", "2", "--quick"],
        &["--pairs", "file"],
        &["--speed"],
        &["stray"],
        &["--svg", &no_folder],
    ];
    let mut table = String::new();
    for arguments in cases {
        let Said { stdout, stderr, status } = run(&mut command(arguments));
        assert_eq!((stdout.as_str(), status), ("", Some(2)), "{arguments:?}");
        assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
        table.push_str(&format!("{}\n{stderr}\n", arguments.join(" ")));
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is left behind");
    SUBJECT.snapshot("bad-input", &table.replace(folder.path().to_str().unwrap(), "FOLDER"));
}

#[test]
fn whoever_stops_reading_ends_it_quietly() {
    for arguments in [&["--quick"][..], &["--help"], &["--json", "--quick"]] {
        let mut child =
            command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let Said { stderr, status, .. } = said(child.wait_with_output().unwrap());
        assert_eq!((stderr.as_str(), status), ("", Some(0)), "{arguments:?}");
    }
}
