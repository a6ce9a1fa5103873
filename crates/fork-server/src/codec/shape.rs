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
//! | a unit variant | a unit variant | 0 |
//! | numbers, text, bytes, options, sequences, maps | whatever reads these bytes | nothing |

/// The number of fields of each struct and tuple, mixed into one number. A mistake in one of the
/// numbers always changes the result, because each step is reversible; several mistakes hide each
/// other in one of four thousand million cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shape(u32);

impl Shape {
    /// How many bytes the shape takes at the end of a body.
    pub const BYTES: usize = size_of::<u32>();

    /// The shape of a value that has no parts. The number is not zero, so that a zero counts too.
    pub const fn new() -> Self {
        Self(0x6f6e_6563)
    }

    pub fn bytes(self) -> [u8; Self::BYTES] {
        self.0.to_le_bytes()
    }

    /// A group whose fields have names.
    #[inline]
    pub fn named(&mut self, fields: usize) {
        self.0 = (self.0.rotate_left(5) ^ fields as u32).wrapping_mul(0x9e37_79b9);
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
    const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
    let words = name.as_bytes().chunks(8);
    let hash = words.fold(name.len() as u64, |hash, word| {
        let word = word.iter().fold(0, |word, &byte| word << 8 | u64::from(byte));
        (hash.rotate_left(23) ^ word).wrapping_mul(STEP)
    });
    [(hash >> 56) as u8, (hash >> 48) as u8]
}
