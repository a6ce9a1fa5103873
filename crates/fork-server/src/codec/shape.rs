//! What serde tells about the shape of a value, in few bytes.
//!
//! Postcard writes no names and no numbers of fields: writer and reader have to agree. Serde tells
//! both sides enough to see whether they do. The writer notes what serde told it, the reader notes
//! what the type asked for, and the two notes have to be equal.
//!
//! The rules below only count where both sides are sure to use the same words. So a type may write
//! itself in one way and read itself in another, as long as the bytes agree:
//!
//! | written | read | noted |
//! |---|---|---|
//! | a struct with names, or a struct variant, of *n* fields | the same, or a tuple | *n* |
//! | a tuple, an array, a tuple struct or a tuple variant of *n* ≥ 2 | any of these, or a struct | *n* |
//! | the same of one value | the value itself, a newtype | nothing |
//! | an entry of a map | the same, or a pair | 2 |
//! | a unit variant | a unit variant | 0 |
//! | numbers, text, bytes, options, sequences | whatever reads these bytes | nothing |

/// The numbers of fields of all structs and tuples, in their order, mixed into one number. A mistake
/// in one of them always changes the result, because each step is reversible. Several mistakes would
/// have to cancel each other out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(u32);

impl Shape {
    /// How many bytes the shape takes at the end of a body.
    pub const BYTES: usize = size_of::<u32>();

    /// The shape of a value that has no parts. Its number is any number.
    pub const fn new() -> Self {
        Self(0x6f6e_6563)
    }

    pub fn bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    /// A group whose fields have names. The product is nearly always a constant to the compiler, and
    /// so the two steps with the old number are the only work.
    #[inline]
    pub fn named(&mut self, fields: usize) {
        let spread = (fields as u32).wrapping_add(1).wrapping_mul(0x9e37_79b9); // 2^32 / golden ratio
        self.0 = self.0.rotate_left(5).wrapping_add(spread);
    }

    /// A group whose fields have no names.
    #[inline]
    pub fn unnamed(&mut self, fields: usize) {
        if fields > 1 {
            self.named(fields);
        }
    }
}

/// What stands behind the number of a variant: a hash of the variant's name. The hash is one of the
/// content and not of the address, because one name may lie at two addresses.
///
/// The name stands in the bytes and not in the [`Shape`], because the reader does not know which of
/// its names it should have mixed in: serde lists a variant's aliases beside its name.
#[inline]
pub(super) fn name_hash(name: &str) -> [u8; 2] {
    let step = |hash: u64, word: u64| {
        (hash.rotate_left(23) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15) // 2^64 / golden ratio
    };
    let bytes = name.as_bytes();
    let (words, _) = bytes.as_chunks();
    let words = words.iter().map(|&word| u64::from_le_bytes(word));
    let hash = words.fold(bytes.len() as u64, step);
    // The bytes behind the last whole word, in one word with bytes before them.
    let last = match (bytes.first_chunk(), bytes.last_chunk(), bytes.last_chunk()) {
        (_, _, Some(&last)) => u64::from_le_bytes(last),
        (Some(&first), Some(&last), None) => {
            u64::from(u32::from_le_bytes(first)) << 32 | u64::from(u32::from_le_bytes(last))
        }
        _ => bytes.iter().fold(0, |word, &byte| word << 8 | u64::from(byte)),
    };
    let [.., first, second] = step(hash, last).to_le_bytes();
    [first, second]
}
