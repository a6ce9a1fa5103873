//! The same computation with a payload: what lesson 7 measures.
//!
//! [`gcd`] takes 16 bytes and gives 8. The two functions here compute the same number. In addition,
//! [`checksum`] takes a block of bytes, and [`transform`] takes a block and gives it back. A stage
//! that shares memory passes the block as a pointer; a stage that does not share memory has to copy
//! the block. Nothing else differs.

use crate::{Bytes, Pair, gcd};
use serde::{Deserialize, Serialize};

/// A pair, and the bytes that come with it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// What is to be computed; [`steps`](crate::steps) says how long the computation takes.
    pub pair: Pair,
    /// The payload. The type is [`Bytes`] and not `Vec<u8>`, so that the payload is copied as one
    /// block.
    pub bytes: Bytes,
}

impl Parcel {
    /// A pair with this many bytes. The bytes are not all equal, so that a lost or moved byte would
    /// show.
    pub fn new(pair: Pair, length: usize) -> Self {
        let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
        Self { pair, bytes: Bytes::from(bytes) }
    }
}

/// A block in, one number out: the greatest common divisor, and the sum of the bytes added to it
/// (modulo 2^64).
///
/// ```
/// use kernel::{Pair, Parcel, checksum};
/// assert_eq!(checksum(Parcel::new(Pair::new(12, 18)?, 4)), 6 + (0 + 1 + 2 + 3));
/// # Ok::<(), kernel::ZeroInPair>(())
/// ```
// ANCHOR: checksum
pub fn checksum(parcel: Parcel) -> u64 {
    let sum: u64 = parcel.bytes.iter().map(|&byte| u64::from(byte)).sum();
    gcd(parcel.pair).wrapping_add(sum)
}
// ANCHOR_END: checksum

/// How far apart the bytes are that [`transform`] changes: a page of memory.
pub const PAGE: usize = 4096;

/// A block in, the block out: the greatest common divisor is added (modulo 256) to one byte in
/// each page.
///
/// One byte a page, and not every byte: to touch every byte of a large block takes longer than the
/// computation that the transfer is compared with. The whole block travels all the same.
// ANCHOR: transform
pub fn transform(parcel: Parcel) -> Bytes {
    let divisor = gcd(parcel.pair) as u8;
    let mut bytes = parcel.bytes;
    for byte in bytes.iter_mut().step_by(PAGE) {
        *byte = byte.wrapping_add(divisor);
    }
    bytes
}
// ANCHOR_END: transform

/// A digest of all bytes of a block and their places: two answers can be compared without keeping
/// both.
pub fn digest(bytes: &Bytes) -> u64 {
    bytes.chunks(8).fold(bytes.len() as u64, |sum, chunk| {
        let mut eight = [0; 8];
        eight[..chunk.len()].copy_from_slice(chunk);
        sum.rotate_left(1) ^ u64::from_le_bytes(eight)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn both_compute_the_divisor_and_look_at_the_bytes(
            (a, b) in (1..500u64, 1..500u64),
            length in 0..3 * PAGE,
        ) {
            let parcel = Parcel::new(Pair::new(a, b).unwrap(), length);
            let divisor = gcd(parcel.pair);
            let sum = parcel.bytes.iter().fold(divisor, |sum, &byte| sum + u64::from(byte));
            prop_assert_eq!(checksum(parcel.clone()), sum);
            let changed = transform(parcel.clone());
            prop_assert_eq!(changed.len(), length);
            for (place, (after, before)) in changed.iter().zip(parcel.bytes.iter()).enumerate() {
                let added = if place % PAGE == 0 { divisor as u8 } else { 0 };
                prop_assert_eq!(*after, before.wrapping_add(added));
            }
        }
    }

    #[test]
    fn a_digest_sees_every_byte_and_its_place() {
        let whole = Bytes::from((0..100).collect::<Vec<u8>>());
        for place in 0..100 {
            let mut other = whole.clone();
            other[place] ^= 1;
            assert_ne!(digest(&whole), digest(&other), "{place}");
        }
        assert_ne!(digest(&Bytes::from(vec![0; 8])), digest(&Bytes::from(vec![0; 9])));
    }
}
