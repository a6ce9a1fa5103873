//! Bytes that nobody wrote: a value or an error, never a panic, and little memory.

use fork_server::codec::read;
use proptest::prelude::*;
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, de::DeserializeOwned};
use std::cell::Cell;
use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

#[derive(Debug, Serialize, Deserialize)]
enum Any {
    Unit,
    List(Vec<Any>),
    Fields { name: String, map: HashMap<u8, Vec<[u64; 4]>>, time: Duration },
    Pair(Option<Box<Any>>, char),
}

thread_local! {
    /// The largest number of elements that was announced, and how many came.
    static ANNOUNCED: Cell<usize> = const { Cell::new(0) };
}

/// Notes what a sequence announces: that much is what a collection reserves.
struct Noted;

impl<'de> Deserialize<'de> for Noted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visit;
        impl<'de> Visitor<'de> for Visit {
            type Value = Noted;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a sequence")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Noted, A::Error> {
                ANNOUNCED.set(ANNOUNCED.get().max(seq.size_hint().unwrap_or(0)));
                while seq.next_element::<u8>()?.is_some() {}
                Ok(Noted)
            }
        }
        deserializer.deserialize_seq(Visit)
    }
}

/// A value of each kind, or an error: both are well.
fn survives<T: DeserializeOwned>(bytes: &[u8]) {
    let _ = read::<T>(bytes);
    let _ = read::<Vec<T>>(bytes);
    let _ = read::<(T, Option<T>, u128)>(bytes);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_bytes(bytes in prop::collection::vec(prop_oneof![any::<u8>(), 0..6u8], 0..80)) {
        survives::<Any>(&bytes);
        survives::<BTreeMap<String, Any>>(&bytes);
        survives::<(f64, bool, char, i128)>(&bytes);
        survives::<SocketAddr>(&bytes);
        survives::<SystemTime>(&bytes);
        survives::<PathBuf>(&bytes);
        survives::<serde_json::Value>(&bytes);
        survives::<serde_bytes::ByteBuf>(&bytes);
        survives::<(kernel::Ran, kernel::TaskErrorKind)>(&bytes);
    }

    /// A length is a promise, and nothing is reserved for it.
    #[test]
    fn a_false_length(length in any::<u64>(), rest in prop::collection::vec(any::<u8>(), 0..80)) {
        let mut bytes = postcard::to_stdvec(&length).unwrap();
        bytes.extend(&rest);
        ANNOUNCED.set(0);
        let _ = read::<Noted>(&bytes);
        prop_assert!(ANNOUNCED.get() <= bytes.len(), "{} for {}", ANNOUNCED.get(), bytes.len());
        survives::<String>(&bytes);
        survives::<Vec<[u64; 30]>>(&bytes);
        survives::<HashMap<u64, [u64; 30]>>(&bytes);
    }
}
