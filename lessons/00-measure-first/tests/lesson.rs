//! Lesson 0 as its reader meets it.

one_change_tests::lesson!(0);
