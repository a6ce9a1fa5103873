//! What postcard would bring back wrong, or refuse without saying why.

use crate::{LIMIT, refusal, trip};
use fork_server::codec::{caught, read, write};
use serde::ser::SerializeSeq;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fmt::Debug;
use std::num::NonZeroU32;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Row {
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<u8>,
    flag: u8,
    count: u64,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Signal {
    Start,
    #[serde(skip)]
    Hidden,
    Stop,
    Pause,
    Resume,
}

const SHAPES: &str = "written and read in different shapes";

/// Why the checks exist. If postcard learns to see these mistakes, some checks here may go.
#[test]
fn postcard_alone_brings_back_other_values() {
    let row = Row { note: None, flag: 0, count: 200 };
    let bytes = postcard::to_stdvec(&(&row, 1u8)).unwrap();
    let (back, _): (Row, &[u8]) = postcard::take_from_bytes(&bytes).unwrap();
    assert_eq!(back, Row { note: None, flag: 200, count: 1 });
    let bytes = postcard::to_stdvec(&Signal::Stop).unwrap();
    assert_eq!(postcard::from_bytes::<Signal>(&bytes).unwrap(), Signal::Pause);
}

#[test]
fn a_field_that_is_skipped() {
    let row = Row { note: None, flag: 0, count: 200 };
    let why = refusal(&row);
    assert!(why.starts_with("the field `note` of `Row` is skipped"), "{why}");
    assert_eq!(refusal(&vec![row.clone()]), why);
    let row = Row { note: Some(1), ..row };
    assert_eq!(trip(&row).unwrap(), row);
}

#[test]
fn a_field_of_a_variant_that_is_skipped() {
    #[derive(Debug, Serialize, Deserialize)]
    enum Figure {
        Circle {
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<u8>,
            radius: u8,
        },
    }
    let why = refusal(&Figure::Circle { name: None, radius: 0 });
    assert!(why.starts_with("the field `name` of `Figure::Circle` is skipped"), "{why}");
    assert!(trip(&Figure::Circle { name: Some(1), radius: 0 }).is_ok());
}

#[test]
fn variants_behind_a_skipped_one() {
    assert_eq!(trip(&Signal::Start).unwrap(), Signal::Start);
    for signal in [Signal::Stop, Signal::Pause, Signal::Resume] {
        let why = refusal(&vec![signal]);
        assert!(why.contains("of `Signal`") && why.contains("skipped"), "{why}");
    }
}

#[test]
fn fields_that_one_side_skips() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Written {
        #[serde(skip_serializing, default)]
        hidden: u8,
        flag: u8,
        count: u8,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Read {
        #[serde(skip_deserializing)]
        hidden: u8,
        flag: u8,
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Pair(u8, #[serde(skip_serializing)] u8);
    #[derive(Debug, Serialize, Deserialize)]
    struct Triple(u8, #[serde(skip_serializing_if = "is_zero")] u8, u8);
    fn is_zero(n: &u8) -> bool {
        *n == 0
    }
    #[derive(Debug, Serialize, Deserialize)]
    enum Newtype {
        Value(#[serde(skip_serializing)] u8),
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Single {
        #[serde(skip_serializing)]
        hidden: u8,
    }
    // The vector behind the value has as many bytes as the value lacks, or the other way round, so
    // that nothing is left over and postcard alone sees nothing.
    fn differs<T: Serialize + serde::de::DeserializeOwned + Debug>(value: T, tail: Vec<u8>) {
        let why = refusal(&(value, tail.clone()));
        assert!(why.contains(SHAPES), "{why}");
    }
    differs(Written { hidden: 1, flag: 2, count: 3 }, vec![0]);
    differs(Read { hidden: 1, flag: 1 }, vec![]);
    differs(Pair(1, 2), vec![0]);
    differs(Triple(1, 0, 2), vec![0]);
    differs(Newtype::Value(1), vec![0]);
    differs(Single { hidden: 1 }, vec![0]);
    differs(vec![Pair(1, 2)], vec![0]);
}

#[test]
fn a_tag_that_only_the_writer_knows() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    struct Tagged {
        id: u64,
    }
    refusal(&Tagged { id: 1 });
}

/// Types that can only be read from a format that describes itself.
#[test]
fn what_does_not_describe_itself() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(untagged)]
    enum Untagged {
        Number(u64),
        Text(String),
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind")]
    enum Internal {
        Number { value: u64 },
    }
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(tag = "kind", content = "content")]
    enum Adjacent {
        Unit,
        Number(u64),
    }
    #[derive(Debug, Serialize, Deserialize)]
    struct Flat {
        id: u64,
        #[serde(flatten)]
        rest: BTreeMap<String, u64>,
    }
    let whys = [
        refusal(&Untagged::Number(7)),
        refusal(&Untagged::Text("text".into())),
        refusal(&Internal::Number { value: 7 }),
        refusal(&Adjacent::Unit),
        refusal(&Adjacent::Number(7)),
        refusal(&serde_json::json!({ "a": [1, null, "text"] })),
        refusal(&serde_json::json!(7)),
    ];
    for why in whys {
        assert!(why.contains("only from a format that describes itself"), "{why}");
    }
    let why = refusal(&Flat { id: 1, rest: BTreeMap::new() });
    assert!(why.contains("length of a sequence must be known") && why.contains("flatten"), "{why}");
}

#[test]
fn serdes_own_words_arrive() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(try_from = "u8")]
    struct Even(u8);
    impl TryFrom<u8> for Even {
        type Error = String;
        fn try_from(n: u8) -> Result<Self, String> {
            if n.is_multiple_of(2) { Ok(Self(n)) } else { Err(format!("{n} is odd")) }
        }
    }
    let why = refusal(&PathBuf::from(OsStr::from_bytes(b"caf\xe9")));
    assert!(why.contains("path contains invalid UTF-8 characters"), "{why}");
    assert!(why.contains("Serde Serialization Error"), "{why}");
    let why = refusal(&Even(7));
    assert!(why.contains("7 is odd") && why.contains("Serde Deserialization Error"), "{why}");
    assert_eq!(trip(&Even(8)).unwrap().0, 8);
    let why = read::<NonZeroU32>(&write(&0u32, Vec::new(), LIMIT).unwrap()).unwrap_err();
    assert!(why.contains("integer `0`, expected a nonzero u32"), "{why}");
    // And postcard's own words, where the bytes are at fault.
    let why = read::<bool>(&write(&2u8, Vec::new(), LIMIT).unwrap()).unwrap_err();
    assert!(why.contains("bool that wasn't 0 or 1"), "{why}");
    let why = write(&Lazy(vec![1], None), Vec::new(), LIMIT).unwrap_err();
    assert!(why.contains("length of a sequence must be known"), "{why}");
}

/// A sequence, and the length that it announces.
struct Lazy<T>(Vec<T>, Option<usize>);

impl<T: Serialize> Serialize for Lazy<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut elements = serializer.serialize_seq(self.1)?;
        self.0.iter().try_for_each(|element| elements.serialize_element(element))?;
        elements.end()
    }
}

#[test]
fn a_length_that_is_not_true() {
    let why = write(&Lazy(vec![1, 2, 3], Some(2)), Vec::new(), LIMIT).unwrap_err();
    assert_eq!(why, "3 elements are written, where 2 were announced");
    assert!(write(&Lazy(vec![1, 2, 3], Some(4)), Vec::new(), LIMIT).is_err());
    assert!(write(&Lazy(vec![1, 2, 3], Some(3)), Vec::new(), LIMIT).is_ok());
}

#[test]
fn over_the_limit() {
    let fits = vec![7u8; 122]; // beside them, one byte of length and four of shape
    assert_eq!(write(&fits, vec![0; 30], 127).unwrap().len(), 30 + 127);
    let why = write(&fits, vec![0; 30], 126).unwrap_err();
    assert_eq!(why, "over the limit of 126 bytes for one frame");
}

#[test]
fn what_the_buffer_holds_stays_in_front() {
    let bytes = write("text", b"header".to_vec(), LIMIT).unwrap();
    let body = bytes.strip_prefix(b"header").unwrap();
    assert_eq!(read::<String>(body).unwrap(), "text");
}

#[test]
fn bytes_that_are_left_over() {
    let bytes = write(&(1u8, 2u8), Vec::new(), LIMIT).unwrap();
    assert_eq!(read::<u8>(&bytes).unwrap_err(), "1 bytes are left over");
}

/// A half that stops in the middle of a sequence.
#[test]
fn elements_that_are_left_over() {
    #[derive(Debug)]
    struct First(u8);
    impl<'de> Deserialize<'de> for First {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor;
            impl<'de> serde::de::Visitor<'de> for Visitor {
                type Value = First;
                fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    f.write_str("a sequence")
                }
                fn visit_seq<A: serde::de::SeqAccess<'de>>(
                    self,
                    mut elements: A,
                ) -> Result<First, A::Error> {
                    Ok(First(elements.next_element()?.unwrap_or(0)))
                }
            }
            deserializer.deserialize_seq(Visitor)
        }
    }
    let bytes = write(&vec![1u8, 2, 3], Vec::new(), LIMIT).unwrap();
    assert_eq!(read::<First>(&bytes).unwrap_err(), "2 elements are left over");
    assert_eq!(read::<First>(&write(&vec![9u8], Vec::new(), LIMIT).unwrap()).unwrap().0, 9);
}

#[test]
fn panics_become_words() {
    #[derive(Debug)]
    struct Bomb(bool);
    impl Serialize for Bomb {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            if self.0 { panic!("on the way out") } else { serializer.serialize_unit() }
        }
    }
    impl<'de> Deserialize<'de> for Bomb {
        fn deserialize<D: Deserializer<'de>>(_: D) -> Result<Self, D::Error> {
            panic!("on the way in")
        }
    }
    let why = caught("Serialize", || write(&Bomb(true), Vec::new(), LIMIT)).unwrap_err();
    assert_eq!(why, "its `Serialize` panicked: on the way out");
    let bytes = write(&Bomb(false), Vec::new(), LIMIT).unwrap();
    let why = caught("Deserialize", || read::<Bomb>(&bytes)).unwrap_err();
    assert_eq!(why, "its `Deserialize` panicked: on the way in");
}
