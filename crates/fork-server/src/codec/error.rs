//! Why a value cannot be written or read: postcard's words, or the words that postcard forgets.

use serde::{de, ser};
use std::fmt::{self, Display};

pub(super) type Result<T> = std::result::Result<T, Error>;

/// One pointer wide, because a result of this type stands behind every number of a value.
#[derive(Debug)]
pub(super) struct Error(Box<Why>);

#[derive(Debug)]
enum Why {
    Postcard(postcard::Error),
    Words(String),
}

impl Error {
    #[cold]
    pub fn words(words: impl Into<String>) -> Self {
        Self(Box::new(Why::Words(words.into())))
    }

    /// Whether the value is longer than the writer's limit.
    pub fn is_over_the_limit(&self) -> bool {
        matches!(*self.0, Why::Postcard(postcard::Error::SerializeBufferFull))
    }
}

impl From<postcard::Error> for Error {
    #[cold]
    fn from(error: postcard::Error) -> Self {
        Self(Box::new(Why::Postcard(error)))
    }
}

impl Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.0 {
            Why::Postcard(error) => error.fmt(f),
            Why::Words(words) => words.fmt(f),
        }
    }
}

impl std::error::Error for Error {}

// Here postcard has one error for all texts, and drops the text.
impl ser::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::words(format!("{}: {text}", postcard::Error::SerdeSerCustom))
    }
}

impl de::Error for Error {
    fn custom<T: Display>(text: T) -> Self {
        Self::words(format!("{}: {text}", postcard::Error::SerdeDeCustom))
    }
}
