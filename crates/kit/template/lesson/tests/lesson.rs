//! Lesson NUMBER as its reader meets it.

one_change_tests::lesson!(NUMBER);
one_change_tests::exercise!(NUMBER);
