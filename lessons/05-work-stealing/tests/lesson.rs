//! Lesson 5 as its reader meets it.

use std::path::Path;

one_change_tests::lesson!(5);
one_change_tests::exercise!(5);

#[test]
fn a_prediction_for_many_workers() {
    let answer = SUBJECT.predicted(Path::new("."), &["4", "--workers", "1024"]);
    SUBJECT.snapshot("predict-workers-1024", &answer);
}

/// Rayon's default follows no policy: its row is a range, and the other rows are numbers.
#[test]
fn rayon_has_a_range() {
    let answer = SUBJECT.predicted(Path::new("."), &["1.9"]);
    let rows = answer.lines().take_while(|line| !line.starts_with("Nearest"));
    let ranges: Vec<_> = rows.filter(|line| line.contains(" to 1.99x")).collect();
    assert!(ranges.len() == 1 && ranges[0].contains("1.84 to 1.99x"), "{answer}");
}
