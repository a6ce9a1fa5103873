//! Lesson 3 as its reader meets it.

use std::path::Path;

one_change_tests::lesson!(3);
one_change_tests::exercise!(3);

#[test]
fn the_question_for_three_workers() {
    let asked = SUBJECT.predicted(Path::new("."), &["--workers", "3"]);
    SUBJECT.snapshot("predict-workers-3", &asked);
}
