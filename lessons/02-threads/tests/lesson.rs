//! Lesson 2 as its reader meets it.

use std::fs;

one_change_tests::lesson!(2);
one_change_tests::exercise!(2);

#[test]
fn predictions_for_one_worker_and_for_pairs_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path();
    let many: String = (1..=1000).map(|n| format!("{} {}\n", 1000 + n, 3 * n)).collect();
    fs::write(here.join("many"), many).unwrap();
    let predicted = |arguments: &[&str]| SUBJECT.predicted(here, arguments);
    SUBJECT.snapshot("predict-workers-1", &predicted(&["1", "--workers", "1"]));
    SUBJECT.snapshot("predict-pairs", &predicted(&["--pairs", "many"]));
    SUBJECT.snapshot("predict-pairs-guess", &predicted(&["1.9", "--pairs", "many"]));
}
