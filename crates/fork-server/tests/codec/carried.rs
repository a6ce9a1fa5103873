//! What comes back as it was sent: no check may refuse a value that postcard carries well.

use crate::write_message;
use crate::{LIMIT, trip};
use fork_server::codec::{read, read_message, write};
use kernel::Message;
use proptest::prelude::*;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_bytes::ByteBuf;
use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, LinkedList, VecDeque};
use std::ffi::{CString, OsString};
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroI128, NonZeroU8, Saturating, Wrapping};
use std::ops::Bound;
use std::path::PathBuf;
use std::sync::atomic::AtomicU32;
use std::sync::{Mutex, RwLock};
use std::time::{Duration, SystemTime};

/// The value comes back, alone and among others, through every pair of functions.
fn comes_back<T: Message + Debug>(value: T) {
    let _switch = crate::switch();
    fork_server::codec::read_back(true);
    let told = format!("{value:?}");
    let back = |result: Result<T, String>| match result {
        Ok(value) => assert_eq!(format!("{value:?}"), told),
        Err(why) => panic!("{told}: {why}"),
    };
    back(read(&write(&value, Vec::new(), LIMIT).unwrap()));
    back(read_message(&write_message(&value, Vec::new(), LIMIT).unwrap()));
    let among = (1u8, vec![value], Some(2u8));
    let (_, mut values, _) = trip(&among).unwrap();
    back(Ok(values.remove(0)));
}

#[test]
fn what_serde_and_the_standard_library_have() {
    comes_back(());
    comes_back(true);
    comes_back('ß');
    comes_back((i8::MIN, i16::MIN, i32::MIN, i64::MIN, i128::MIN, isize::MIN));
    comes_back((u8::MAX, u16::MAX, u32::MAX, u64::MAX, u128::MAX, usize::MAX));
    comes_back((f32::NAN, f64::NEG_INFINITY, -0.0f64, f64::from_bits(0x7ff8_0000_dead_beef)));
    comes_back("text".to_owned());
    comes_back::<Box<str>>("text".into());
    comes_back(Cow::Borrowed("text").into_owned());
    comes_back::<Cow<'static, [u8]>>(Cow::Owned(vec![1, 2]));
    comes_back(ByteBuf::from(vec![1, 2, 3]));
    comes_back(kernel::Bytes::from(vec![1, 2, 3]));
    comes_back(CString::new("text").unwrap());
    comes_back(OsString::from("text"));
    comes_back(PathBuf::from("/a/path"));
    comes_back((1u8,));
    comes_back((1u8, "two".to_owned(), 3.0, '4', 5, 6, 7, 8, 9, 10, 11, 12));
    comes_back::<[u8; 0]>([]);
    comes_back([1u8; 1]);
    comes_back([7u16; 32]);
    comes_back(vec![[1u8; 2]; 3]);
    comes_back::<Vec<u64>>(vec![]);
    comes_back(vec![(); 1000]);
    comes_back(vec![vec![Some(1u8), None], vec![]]);
    comes_back::<Box<[String]>>(vec!["text".to_owned()].into());
    comes_back(VecDeque::from([1, 2]));
    comes_back(LinkedList::from([1, 2]));
    comes_back(BTreeMap::from([(1u8, "one".to_owned()), (2, "two".to_owned())]));
    comes_back(BTreeSet::from([(1u8, 2u8)]));
    comes_back(HashMap::from([(1u8, [1u8; 3])]));
    comes_back(HashSet::from(["one".to_owned()]));
    comes_back((Some(Some(1u8)), Some(None::<u8>), None::<Option<u8>>));
    comes_back([Ok(1u8), Err("no".to_owned())]);
    comes_back(Box::new(Box::new(1u8)));
    comes_back((Cell::new(1), RefCell::new(2), Mutex::new(3), RwLock::new(4)));
    comes_back(AtomicU32::new(5));
    comes_back((NonZeroU8::MIN, NonZeroI128::MIN, Wrapping(1), Saturating(2), Reverse(3)));
    comes_back(PhantomData::<String>);
    comes_back((Duration::new(1, 2), SystemTime::UNIX_EPOCH + Duration::new(3, 4)));
    comes_back((1..2, 1..=2, 1.., ..2, (Bound::Included(1), Bound::Excluded(2))));
    comes_back((Bound::Unbounded::<u8>, 3u8));
    comes_back([IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)]);
    comes_back::<[SocketAddr; 2]>(["1.2.3.4:5".parse().unwrap(), "[::1]:5".parse().unwrap()]);
    comes_back(kernel::Ran::Unknown);
    comes_back((kernel::Ran::Yes, kernel::TaskErrorKind::Broken("it is".to_owned())));
    comes_back(kernel::TaskErrorKind::WorkerDied(kernel::Death::Unknown { worker: 3, pid: None }));
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Unit;
#[derive(Debug, Serialize, Deserialize)]
struct Empty {}
#[derive(Debug, Serialize, Deserialize)]
struct One {
    one: u8,
}
#[derive(Debug, Serialize, Deserialize)]
struct Newtype(One);
#[derive(Debug, Serialize, Deserialize)]
struct Tuple(u8, String, [u8; 2]);
#[derive(Debug, Serialize, Deserialize)]
struct Generic<T> {
    value: T,
    marker: PhantomData<T>,
    r#type: u8,
}
#[derive(Debug, Serialize, Deserialize)]
enum Every {
    Unit,
    Newtype(u8),
    Tuple(u8, u16),
    Struct { a: u8, b: Option<Box<Every>> },
    Empty {},
    NoFields(),
    OneField { only: u8 },
    AVeryLongNameOfAVariantThatIsHashedInSeveralSteps,
    AVeryLongNameOfAVariantThatIsHashedInSeveralStopS,
}
#[derive(Debug, Serialize, Deserialize)]
enum Never {}

#[test]
fn what_derive_makes() {
    comes_back(Unit);
    comes_back(Empty {});
    comes_back(One { one: 1 });
    comes_back(Newtype(One { one: 1 }));
    comes_back(Tuple(1, "text".to_owned(), [2; 2]));
    comes_back(Generic { value: vec![Unit], marker: PhantomData, r#type: 3 });
    comes_back(None::<Never>);
    let every = [
        Every::Unit,
        Every::Newtype(1),
        Every::Tuple(1, 2),
        Every::Struct { a: 1, b: Some(Box::new(Every::Struct { a: 2, b: None })) },
        Every::Empty {},
        Every::NoFields(),
        Every::OneField { only: 1 },
        Every::AVeryLongNameOfAVariantThatIsHashedInSeveralSteps,
        Every::AVeryLongNameOfAVariantThatIsHashedInSeveralStopS,
    ];
    every.into_iter().for_each(comes_back);
}

/// Attributes that change what is written, on both sides.
#[test]
fn attributes_that_agree() {
    #[derive(Debug, Serialize, Deserialize)]
    struct Fields {
        #[serde(alias = "b", alias = "c", alias = "old")]
        a: u8,
        #[serde(skip)]
        hidden: u8,
        #[serde(default)]
        usual: u8,
        #[serde(rename = "other")]
        renamed: u8,
        #[serde(rename(serialize = "out", deserialize = "in"))]
        two_names: u8,
        #[serde(with = "millis")]
        time: Duration,
        #[serde(with = "serde_bytes")]
        bytes: Vec<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        there: Option<u8>,
    }
    comes_back(Fields {
        a: 1,
        hidden: 0,
        usual: 3,
        renamed: 4,
        two_names: 5,
        time: Duration::from_millis(6),
        bytes: vec![7],
        there: Some(8),
    });
    #[derive(Debug, Serialize, Deserialize)]
    struct Skips(u8, #[serde(skip)] u8, u8);
    comes_back(Skips(1, 0, 2));
    #[derive(Debug, Serialize, Deserialize)]
    struct SkipsToOne(u8, #[serde(skip)] u8);
    comes_back(SkipsToOne(1, 0));
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    struct Transparent {
        one: (u8, u8),
    }
    comes_back(Transparent { one: (1, 2) });
    #[derive(Clone, Debug, Serialize, Deserialize)]
    #[serde(from = "(u8, u8)", into = "(u8, u8)")]
    struct Through(u8);
    impl From<(u8, u8)> for Through {
        fn from((a, _): (u8, u8)) -> Self {
            Self(a)
        }
    }
    impl From<Through> for (u8, u8) {
        fn from(Through(a): Through) -> Self {
            (a, 0)
        }
    }
    comes_back(Through(1));
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(remote = "std::num::Wrapping")]
    struct Remote<T>(T);
    #[derive(Debug, Serialize, Deserialize)]
    struct HasRemote(#[serde(with = "Remote")] Wrapping<u8>);
    comes_back(HasRemote(Wrapping(1)));
}

#[test]
fn variants_with_attributes() {
    #[derive(Debug, Serialize, Deserialize)]
    #[serde(rename_all = "kebab-case")]
    enum Names {
        #[serde(alias = "aaa", alias = "zzz")]
        FirstOne,
        #[serde(rename = "deux", alias = "first")]
        SecondOne(u8),
        ThirdOne,
        #[serde(other)]
        Other,
    }
    comes_back(Names::FirstOne);
    comes_back(Names::SecondOne(1));
    comes_back(Names::ThirdOne);
    comes_back(Names::Other);
    #[derive(Debug, Serialize, Deserialize)]
    enum Last {
        First,
        Second,
        #[serde(skip)]
        Hidden(std::time::Instant),
    }
    comes_back([Last::First, Last::Second]);
    #[derive(Debug, Serialize, Deserialize)]
    enum Inside {
        Tuple(u8, #[serde(skip)] u8, u8),
        ToOne(u8, #[serde(skip)] u8),
        ToUnit(#[serde(skip)] u8),
        Struct {
            #[serde(skip)]
            a: u8,
            #[serde(alias = "c")]
            b: u8,
        },
        #[serde(with = "pair")]
        With(u8, u8),
    }
    comes_back(Inside::Tuple(1, 0, 2));
    comes_back(Inside::ToOne(1, 0));
    comes_back(Inside::ToUnit(0));
    comes_back(Inside::Struct { a: 0, b: 1 });
    comes_back(Inside::With(1, 2));
}

mod millis {
    use super::*;

    pub fn serialize<S: Serializer>(time: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        (time.as_millis() as u64).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

mod pair {
    use super::*;

    pub fn serialize<S: Serializer>(a: &u8, b: &u8, serializer: S) -> Result<S::Ok, S::Error> {
        (a, b).serialize(serializer)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(u8, u8), D::Error> {
        Deserialize::deserialize(deserializer)
    }
}

/// One value, written in one way and read in another way that has the same bytes.
fn is_read_as<A: Serialize, B: de::DeserializeOwned + PartialEq + Debug>(written: A, read_as: B) {
    let bytes = write(&written, Vec::new(), LIMIT).unwrap();
    assert_eq!(read::<B>(&bytes).as_ref(), Ok(&read_as));
}

#[test]
fn halves_that_differ_and_agree() {
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Named {
        a: u8,
        b: u8,
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(u8, u8);
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Single(u8);
    is_read_as(Named { a: 1, b: 2 }, (1u8, 2u8));
    is_read_as((1u8, 2u8), Named { a: 1, b: 2 });
    is_read_as([1u8, 2], Pair(1, 2));
    is_read_as(Pair(1, 2), Named { a: 1, b: 2 });
    is_read_as(Single(1), 1u8);
    is_read_as(1u8, Single(1));
    is_read_as((1u8,), Single(1));
    is_read_as((), Unit);
    is_read_as(Unit, [0u8; 0]);
    is_read_as("text", ByteBuf::from("text"));
    is_read_as(vec![1u8, 2], ByteBuf::from([1, 2]));
    is_read_as(ByteBuf::from([1, 2]), vec![1u8, 2]);
    is_read_as('x', "x".to_owned());
    is_read_as(vec![(1u8, 2u8)], BTreeMap::from([(1u8, 2u8)]));
    is_read_as(vec![1u8, 2], BTreeSet::from([1u8, 2]));

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Tuple {
        V(u8, u8),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Newtype {
        V(Pair),
    }
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Struct {
        V { a: u8, b: u8 },
    }
    is_read_as(Tuple::V(1, 2), Newtype::V(Pair(1, 2)));
    is_read_as(Newtype::V(Pair(1, 2)), Struct::V { a: 1, b: 2 });
    is_read_as(Struct::V { a: 1, b: 2 }, Tuple::V(1, 2));
}

/// A hand-written enum that does not list its variants.
#[test]
fn variants_without_a_list() {
    #[derive(Debug)]
    struct Second;
    impl Serialize for Second {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.serialize_unit_variant("E", 1, "Second")
        }
    }
    impl<'de> Deserialize<'de> for Second {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Second;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("a variant")
                }
                fn visit_enum<A: de::EnumAccess<'de>>(self, data: A) -> Result<Second, A::Error> {
                    let (index, variant) = data.variant::<u32>()?;
                    assert_eq!(index, 1);
                    de::VariantAccess::unit_variant(variant).map(|()| Second)
                }
            }
            deserializer.deserialize_enum("E", &[], Visit)
        }
    }
    comes_back(Second);
}

/// A set of bytes is hashed in another order each time, and comes back all the same.
#[test]
fn thousands_in_a_random_order() {
    let _switch = crate::switch();
    fork_server::codec::read_back(true);
    let set: HashSet<String> = (0..5000).map(|n| format!("text {n}")).collect();
    let map: HashMap<u32, Every> = (0..5000).map(|n| (n, Every::Tuple(n as u8, 1))).collect();
    let enums: HashMap<u32, Every> = (0..5000)
        .map(|n| (n, if n % 2 == 0 { Every::Unit } else { Every::Struct { a: 1, b: None } }))
        .collect();
    let value = (set, map, enums);
    let bytes = write_message(&value, Vec::new(), LIMIT).unwrap();
    let back: (HashSet<String>, HashMap<u32, Every>, HashMap<u32, Every>) =
        read_message(&bytes).unwrap();
    assert_eq!(value.0, back.0);
    assert_eq!(format!("{:?}", value.1[&7]), format!("{:?}", back.1[&7]));
    assert_eq!(back.2.len(), 5000);
}

/// The types of a random value, nested in each other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Tree {
    Leaf,
    Number(i64),
    Big(u128),
    Text(String),
    Pair(Box<Tree>, Box<Tree>),
    List(Vec<Tree>),
    Map(BTreeMap<String, Tree>),
    Fields { flag: bool, letter: char, maybe: Option<Box<Tree>>, unit: () },
}

fn trees() -> impl Strategy<Value = Tree> {
    let leaf = prop_oneof![
        Just(Tree::Leaf),
        any::<i64>().prop_map(Tree::Number),
        any::<u128>().prop_map(Tree::Big),
        any::<String>().prop_map(Tree::Text),
    ];
    leaf.prop_recursive(4, 64, 8, |inner| {
        let boxed = inner.clone().prop_map(Box::new);
        let fields = (any::<bool>(), any::<char>(), proptest::option::of(boxed.clone()));
        prop_oneof![
            (boxed.clone(), boxed).prop_map(|(a, b)| Tree::Pair(a, b)),
            prop::collection::vec(inner.clone(), 0..8).prop_map(Tree::List),
            prop::collection::btree_map(any::<String>(), inner, 0..8).prop_map(Tree::Map),
            fields.prop_map(|(flag, letter, maybe)| Tree::Fields { flag, letter, maybe, unit: () }),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Numbers and texts have postcard's own bytes.
    #[test]
    fn postcards_bytes(value in any::<(bool, (u8, u16, u32, u64, u128), (i8, i16, i32, i64, i128), f64, String, Option<char>)>(), shift in 0..64) {
        let shifted = (value.1.3 >> shift, value.2.3 >> shift, value.1.2 >> (shift / 2));
        let value = (value, shifted, (u16::MAX, i16::MIN, u32::MAX, i32::MIN, u64::MAX, i64::MIN, i64::MAX));
        let bytes = write(&value, Vec::new(), LIMIT).unwrap();
        prop_assert_eq!(&bytes[..bytes.len() - 4], &postcard::to_stdvec(&value).unwrap()[..]);
        let back = trip(&value);
        prop_assert_eq!(format!("{back:?}"), format!("{:?}", Ok::<_, String>(value)));
    }

    #[test]
    fn any_tree(tree in trees()) {
        let back = trip(&tree);
        prop_assert_eq!(back.as_ref(), Ok(&tree));
        // No part of the bytes is the value, or any value with nothing left over.
        let bytes = write(&tree, Vec::new(), LIMIT).unwrap();
        for length in 0..bytes.len() {
            prop_assert!(read::<Tree>(&bytes[..length]).is_err(), "{} of {}", length, bytes.len());
        }
    }
}

/// A visitor that asks until there is no more, as a hand-written one may.
#[test]
fn a_visitor_that_drains() {
    #[derive(Debug)]
    struct Drained(Vec<u8>);
    impl Serialize for Drained {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            <[u8; 3]>::try_from(&self.0[..]).unwrap().serialize(serializer)
        }
    }
    impl<'de> Deserialize<'de> for Drained {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visit;
            impl<'de> Visitor<'de> for Visit {
                type Value = Drained;
                fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                    f.write_str("three numbers")
                }
                fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Drained, A::Error> {
                    let mut all = Vec::new();
                    while let Some(number) = seq.next_element()? {
                        all.push(number);
                    }
                    Ok(Drained(all))
                }
            }
            deserializer.deserialize_tuple(3, Visit)
        }
    }
    comes_back(Drained(vec![1, 2, 3]));
}
