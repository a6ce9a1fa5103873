//! Reading back: two halves of a type that do not agree.

use crate::LIMIT;
use crate::write_message;
use fork_server::codec::{read, read_back, read_message, write};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::time::Duration;

/// Written in seconds, and read in milliseconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Wait {
    #[serde(serialize_with = "seconds", deserialize_with = "milliseconds")]
    time: Duration,
}

fn seconds<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    time.as_secs().serialize(serializer)
}

fn milliseconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    u64::deserialize(deserializer).map(Duration::from_millis)
}

/// Two numbers that change places on the way.
#[derive(Debug, PartialEq)]
struct Crossed(u8, u8);

impl Serialize for Crossed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.0, self.1).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Crossed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        <(u8, u8)>::deserialize(deserializer).map(|(a, b)| Self(b, a))
    }
}

pub const WORDS: &str = "it comes back as another value";

#[test]
fn halves_that_disagree() {
    let _switch = crate::switch();
    let wait = Wait { time: Duration::from_secs(5) };
    let bytes = write(&wait, Vec::new(), LIMIT).unwrap();
    let crossed = write(&Crossed(1, 2), Vec::new(), LIMIT).unwrap();

    read_back(true);
    for items in [vec![wait.clone()], vec![wait.clone(); 3]] {
        let why = write_message(&items, b"header".to_vec(), LIMIT).unwrap_err();
        assert!(why.starts_with(WORDS), "{why}");
        let why =
            read_message::<Vec<Wait>>(&write(&items, Vec::new(), LIMIT).unwrap()).unwrap_err();
        assert!(why.starts_with(WORDS), "{why}");
    }
    assert!(read_message::<Crossed>(&crossed).unwrap_err().starts_with(WORDS));
    assert!(write_message(&Crossed(1, 2), Vec::new(), LIMIT).unwrap_err().starts_with(WORDS));

    // Turned off, or not asked for, nobody sees it: both halves are well for themselves.
    read_back(false);
    let wrong = Wait { time: Duration::from_millis(5) };
    assert_eq!(read_message::<Wait>(&bytes).unwrap(), wrong);
    assert_eq!(write_message(&wait, Vec::new(), LIMIT).unwrap(), bytes);
    read_back(true);
    assert_eq!(read::<Wait>(&bytes).unwrap(), wrong);
}

#[test]
fn a_long_body_is_not_read_back() {
    let _switch = crate::switch();
    read_back(true);
    let long = vec![Wait { time: Duration::from_secs(1) }; 1 << 20];
    let bytes = write_message(&long, Vec::new(), 2 * LIMIT).unwrap();
    assert!(read_message::<Vec<Wait>>(&bytes).is_ok());
}

/// What the reading says is left to the reader.
#[test]
fn a_reading_that_fails_is_not_told_by_the_writer() {
    #[derive(Debug)]
    struct Unreadable(bool);
    impl Serialize for Unreadable {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            self.0.serialize(serializer)
        }
    }
    impl<'de> Deserialize<'de> for Unreadable {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            match bool::deserialize(deserializer)? {
                true => panic!("it is not to be read"),
                false => Err(serde::de::Error::custom("not at all")),
            }
        }
    }
    let _switch = crate::switch();
    read_back(true);
    for panics in [true, false] {
        assert!(write_message(&Unreadable(panics), Vec::new(), LIMIT).is_ok());
    }
    let bytes = write(&Unreadable(false), Vec::new(), LIMIT).unwrap();
    assert!(read_message::<Unreadable>(&bytes).unwrap_err().contains("not at all"));
}

/// A value that arrived, and that nobody will write again.
#[test]
fn a_value_that_cannot_be_written_again() {
    #[derive(Debug)]
    struct Once(u8);
    impl Serialize for Once {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            match self.0 {
                1 => 2u8.serialize(serializer),
                2 => panic!("it was written already"),
                _ => Err(serde::ser::Error::custom("it was written already")),
            }
        }
    }
    impl<'de> Deserialize<'de> for Once {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            u8::deserialize(deserializer).map(Self)
        }
    }
    let _switch = crate::switch();
    read_back(true);
    assert!(write_message(&Once(1), Vec::new(), LIMIT).is_ok());
    assert_eq!(read_message::<Once>(&write(&2u8, Vec::new(), LIMIT).unwrap()).unwrap().0, 2);
    assert_eq!(read_message::<Once>(&write(&3u8, Vec::new(), LIMIT).unwrap()).unwrap().0, 3);
}
