//! The Python that lesson 8 needs.

#![forbid(unsafe_code)]

pub mod python;
