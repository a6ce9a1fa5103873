//! Lesson 4 as its reader meets it.

use kernel::{Pair, gcd, ten_pairs};
use lesson_4::{STEPS, Side};
use one_change_tests::lesson::{Said, fits, names};
use one_change_tests::mask::mask;
use one_change_tests::surroundings::anywhere;
use report::mask_json;
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fs;

one_change_tests::lesson!(4);
one_change_tests::exercise!(4);

#[test]
fn in_bad_surroundings() {
    let tests = ["bad_input", "drawing", "help", "predict_asks"];
    anywhere(&[&["--exact"], &tests[..]].concat());
}

#[test]
fn a_guess_below_the_loop() {
    let answer = SUBJECT.predicted(std::path::Path::new("."), &["0.8"]);
    SUBJECT.snapshot("predict-below", &answer);
}

#[test]
fn the_steps_as_text() {
    let text = SUBJECT.run_well(&["--steps"]);
    fits(&text);
    SUBJECT.snapshot("steps", &mask(&text));
    let once = SUBJECT.run_well(&["--steps", "--rounds", "1"]);
    SUBJECT.snapshot("steps", &mask(&once).replace(" 1 round\n", " 21 rounds\n"));
}

/// The length of a serialised value, in bytes. A frame has this length plus a header's, which is
/// the same for all frames. The worker's notes for a trace are not counted.
fn body(value: &impl Serialize) -> u64 {
    postcard::to_stdvec(value).unwrap().len() as u64
}

#[test]
fn the_steps_as_a_document() {
    let text = SUBJECT.run_well(&["--steps", "--json", "--rounds", "3"]);
    assert_eq!(text.lines().count(), 1, "one document on one line");
    let document: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(document["rounds"], 3);
    let (pair, vector) = (Pair::new(1, 1).unwrap(), vec![7u8; 1 << 20]);
    let bodies = [(body(&pair), body(&gcd(pair))), (body(&vector), body(&vector))];
    let items = document["items"].as_array().unwrap();
    let header = items[0]["steps"][2]["bytes"].as_u64().unwrap() - bodies[0].0;
    assert!(header > 0);
    assert_eq!(items.len(), bodies.len());
    for (item, (call, answer)) in items.iter().zip(bodies) {
        let total = item["seconds"].as_f64().unwrap();
        let (mut seconds, mut shares) = (0.0, 0.0);
        for (number, step) in item["steps"].as_array().unwrap().iter().enumerate() {
            let [low, median, high, share] =
                ["low", "seconds", "high", "share"].map(|field| step[field].as_f64().unwrap());
            assert!(0.0 <= low && low <= median && median <= high, "{step}");
            (seconds, shares) = (seconds + median, shares + share);
            let bytes = match number {
                1..=3 => json!(header + call),
                6..=8 => json!(header + answer),
                _ => Value::Null,
            };
            assert_eq!(step.get("bytes").unwrap_or(&Value::Null), &bytes, "{step}");
        }
        assert!((seconds / total - 1.0).abs() < 1e-9 && (shares - 1.0).abs() < 1e-9, "{item}");
    }
    assert!(document["clock"].as_f64().unwrap() > 0.0);
    SUBJECT.snapshot("steps-json", &serde_json::to_string_pretty(&mask_json(&document)).unwrap());
}

#[test]
fn a_drawn_trip_has_two_lanes_and_ten_steps() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trip.svg");
    SUBJECT.run_well(&["--steps", "--rounds", "1", "--svg", file.to_str().unwrap()]);
    assert_eq!(names(folder.path()), ["trip.svg"]);
    let drawing = fs::read_to_string(&file).unwrap();
    let document = roxmltree::Document::parse(&drawing).unwrap();
    let all = |class: &str| {
        let nodes = document.descendants();
        nodes.filter(|node| node.attribute("class") == Some(class)).collect::<Vec<_>>()
    };
    assert_eq!((all("block").len(), all("way").len()), (2 * 8, 2 * 2));
    let lanes: Vec<&str> = all("name").iter().filter_map(|node| node.text()).collect();
    assert_eq!(lanes, ["a pair", "parent", "worker", "1 MiB, as Vec<u8>", "parent", "worker"]);
    // Each lane's blocks follow each other, and the parent's blocks stand over the worker's.
    let number = |node: &roxmltree::Node, name: &str| -> f64 {
        node.attribute(name).unwrap().parse().unwrap()
    };
    for blocks in all("block").chunks(8) {
        let mut end = 0.0;
        for (block, side) in blocks.iter().zip(Side::OF.iter().filter(|&&s| s != Side::Between)) {
            assert!(number(block, "x") >= end - 0.02, "{block:?}");
            end = number(block, "x") + number(block, "width");
            let is_upper = number(block, "y") == number(&blocks[0], "y");
            assert_eq!(is_upper, *side == Side::Parent, "{block:?}");
        }
    }
    assert!(!drawing.contains("href") && !drawing.contains("@import"), "nothing is loaded");
}

/// The trace of a run: its tracks' names by number, and its slices.
fn trace(arguments: &[&str]) -> (BTreeMap<u64, String>, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trace.json");
    fs::write(&file, "what was there before").unwrap();
    let text = SUBJECT.run_well(&[arguments, &["--trace", file.to_str().unwrap()]].concat());
    assert!(text.contains("\nSteps "), "the text is printed all the same");
    assert_eq!(names(folder.path()), ["trace.json"], "and no temporary file is left");
    let document: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let events = document["traceEvents"].as_array().unwrap();
    let (names, slices): (Vec<_>, Vec<_>) = events.iter().partition(|event| event["ph"] == "M");
    assert!(slices.iter().all(|event| event["ph"] == "X"));
    let tracks = names.iter().filter(|event| event["name"] == "thread_name");
    let tracks = tracks.map(|event| {
        (event["tid"].as_u64().unwrap(), event["args"]["name"].as_str().unwrap().to_owned())
    });
    (tracks.collect(), slices.into_iter().cloned().collect())
}

/// When a slice begins and ends, in nanoseconds.
fn times(slice: &Value) -> (u64, u64) {
    let ns = |field: &str| (slice[field].as_f64().unwrap() * 1e3).round();
    assert!(ns("ts") >= 0.0 && ns("dur") >= 0.0, "{slice}");
    (ns("ts") as u64, (ns("ts") + ns("dur")) as u64)
}

#[test]
fn a_trace_has_a_track_for_each_worker_and_ten_steps_for_each_item() {
    let (tracks, slices) = trace(&["--workers", "3", "--rounds", "1"]);
    let names: Vec<&String> = tracks.values().collect();
    assert_eq!(names.len(), 3);
    assert!(
        ["worker A", "worker B", "worker C"].iter().all(|name| names.contains(&&(*name).into()))
    );
    let pairs = ten_pairs();
    assert_eq!(slices.len(), pairs.len() * (1 + STEPS.len()));
    let header = slices[3]["args"]["bytes"].as_u64().unwrap() - body(&pairs[0]);
    let mut ends = BTreeMap::new();
    let mut items: Vec<&[Value]> = slices.chunks(1 + STEPS.len()).collect();
    for (number, (item, &pair)) in (1..).zip(items.iter().zip(&pairs)) {
        let (whole, steps) = item.split_first().unwrap();
        assert_eq!(whole["name"], format!("item {number}"));
        let (begin, end) = times(whole);
        // On one clock, each step begins when the last step has ended, and the steps fill their
        // item.
        let mut now = begin;
        for (index, step) in steps.iter().enumerate() {
            assert_eq!(
                (&step["name"], &step["args"]["step"]),
                (&json!(STEPS[index]), &json!(index + 1))
            );
            assert_eq!((&step["tid"], &step["args"]["item"]), (&whole["tid"], &json!(number)));
            assert_eq!(step["cat"], Side::OF[index].name());
            assert_eq!(times(step).0, now, "{step}");
            now = times(step).1;
        }
        assert_eq!(now, end, "{whole}");
        // The frames have as many bytes as without a trace.
        assert_eq!(steps[2]["args"]["bytes"], header + body(&pair));
        assert_eq!(steps[7]["args"]["bytes"], header + body(&gcd(pair)));
    }
    // A worker's items do not overlap, and every slice is on a worker's track.
    items.sort_by_key(|item| times(&item[0]));
    for item in items {
        let track = item[0]["tid"].as_u64().unwrap();
        assert!(tracks.contains_key(&track));
        let (begin, end) = times(&item[0]);
        assert!(begin >= ends.insert(track, end).unwrap_or(0), "{:?}", item[0]);
    }
}

#[test]
fn a_worker_without_an_item_has_an_empty_track() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs");
    fs::write(&file, "12 18\n").unwrap();
    let pairs = ["--pairs", file.to_str().unwrap(), "--workers", "5", "--rounds", "1"];
    let (tracks, slices) = trace(&pairs);
    assert_eq!((tracks.len(), slices.len()), (5, 1 + STEPS.len()));
}

#[test]
fn a_trace_that_cannot_be_written_is_one_line_and_status_2() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("file"), "").unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let cases = ["", "missing/trace.json", "file/trace.json"]
        .map(path)
        .map(|path| vec!["--trace".to_owned(), path]);
    let mut table = String::new();
    for arguments in cases.into_iter().chain([vec!["--trace".into()], vec!["--steps=yes".into()]]) {
        let Said { stdout, stderr, status } = SUBJECT.run(&arguments);
        assert_eq!(stdout, "", "{arguments:?}");
        assert!(stderr.starts_with("error: ") && stderr.lines().count() == 1, "{stderr}");
        table.push_str(&format!("{}\n{stderr}status {}\n\n", arguments.join(" "), status.unwrap()));
    }
    assert_eq!(names(folder.path()), ["file"], "nothing is left behind");
    SUBJECT.snapshot("bad-trace", &table.replace(folder.path().to_str().unwrap(), "FOLDER"));
}

/// The pairs are not run, and so nothing is said of them.
#[test]
fn the_steps_take_no_time_for_long_pairs() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pairs");
    fs::write(&file, format!("{} {}\n", u64::MAX, u64::MAX - 1)).unwrap();
    SUBJECT.run_well(&["--steps", "--rounds", "1", "--pairs", file.to_str().unwrap()]);
}

#[test]
fn a_trace_is_written_although_nobody_reads_the_text() {
    SUBJECT.files_of_a_closed_output(&[("--trace", "]}\n")], &[]);
    SUBJECT.files_of_a_closed_output(&[("--svg", "</svg>\n")], &["--steps"]);
}

/// A file that cannot be replaced in one step is written directly.
#[cfg(target_os = "linux")]
#[test]
fn a_trace_may_go_where_nobody_reads_it() {
    SUBJECT.run_well(&["--rounds", "1", "--trace", "/dev/null"]);
}
