//! The reading side: postcard reads the numbers and texts, and the parts are counted here.

use super::error::{Error, Result};
use super::shape::{Shape, name_hash};
use serde::de::value::U32Deserializer;
use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, EnumAccess, IntoDeserializer, MapAccess, SeqAccess,
    VariantAccess, Visitor,
};

/// Reads a value's bytes with postcard and notes the shape that the type asks for.
pub(super) struct Reader<'de> {
    /// The bytes that are not read yet.
    rest: &'de [u8],
    shape: Shape,
}

impl<'de> Reader<'de> {
    /// A reader of these bytes, without the shape behind them.
    pub fn new(rest: &'de [u8]) -> Self {
        Self { rest, shape: Shape::new() }
    }

    /// How many bytes are left, and the shape.
    pub fn finish(self) -> (usize, Shape) {
        (self.rest.len(), self.shape)
    }

    /// A number, a text or bytes, as postcard reads them. The type's own visitor is called
    /// afterwards and not by postcard, which would drop the visitor's words.
    #[inline]
    fn take<T: Deserialize<'de>>(&mut self) -> Result<T> {
        let (value, rest) = postcard::take_from_bytes(self.rest)?;
        self.rest = rest;
        Ok(value)
    }

    /// A variant's number, and the hash of its name.
    #[inline]
    fn variant(&mut self) -> Result<(u32, [u8; 2])> {
        if let &[small @ 0..0x80, first, second, ref rest @ ..] = self.rest {
            // As postcard reads a small number, in one step.
            self.rest = rest;
            return Ok((small.into(), [first, second]));
        }
        Ok((self.take()?, self.take()?))
    }

    /// The parts of a tuple or a struct. The visitor counts, and not the number that the type
    /// announces: that number counts a field with an alias twice.
    #[inline]
    fn parts<V: Visitor<'de>>(&mut self, most: usize, visitor: V) -> Result<(V::Value, usize)> {
        let mut parts = Parts { reader: self, left: most };
        let value = visitor.visit_seq(&mut parts)?;
        Ok((value, most - parts.left))
    }
}

macro_rules! as_postcard {
    ($($method:ident => $visit:ident($value:ty))*) => {$(
        #[inline]
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
            visitor.$visit(self.take::<$value>()?)
        }
    )*};
}

/// Postcard refuses these, with words that do not help.
macro_rules! not_described {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value> {
            Err(Error::words(
                "this type can be read only from a format that describes itself, and these bytes \
                 do not (an untagged or tagged enum, a flattened field or `serde_json::Value` is \
                 such a type)",
            ))
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Error;

    as_postcard! {
        deserialize_bool => visit_bool(bool) deserialize_char => visit_char(char)
        deserialize_i8 => visit_i8(i8) deserialize_i16 => visit_i16(i16)
        deserialize_i32 => visit_i32(i32) deserialize_i64 => visit_i64(i64)
        deserialize_u8 => visit_u8(u8) deserialize_u16 => visit_u16(u16)
        deserialize_u32 => visit_u32(u32) deserialize_u64 => visit_u64(u64)
        deserialize_i128 => visit_i128(i128) deserialize_u128 => visit_u128(u128)
        deserialize_f32 => visit_f32(f32) deserialize_f64 => visit_f64(f64)
        deserialize_str => visit_borrowed_str(&'de str) deserialize_string => visit_str(&'de str)
        deserialize_bytes => visit_borrowed_bytes(&'de [u8])
        deserialize_byte_buf => visit_bytes(&'de [u8])
    }

    not_described! { deserialize_any deserialize_identifier deserialize_ignored_any }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        match self.take::<u8>()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(postcard::Error::DeserializeBadOption.into()),
        }
    }

    #[inline]
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_unit()
    }

    #[inline]
    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_newtype_struct(self)
    }

    #[inline]
    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let mut parts = Parts { left: self.take()?, reader: self };
        let value = visitor.visit_seq(&mut parts)?;
        parts.end(value)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value> {
        let mut parts = Parts { left: self.take()?, reader: self };
        let value = visitor.visit_map(&mut parts)?;
        parts.end(value)
    }

    #[inline]
    fn deserialize_tuple<V: Visitor<'de>>(self, most: usize, visitor: V) -> Result<V::Value> {
        let (value, fields) = self.parts(most, visitor)?;
        self.shape.unnamed(fields);
        Ok(value)
    }

    #[inline]
    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        most: usize,
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_tuple(most, visitor)
    }

    #[inline]
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        let (value, fields) = self.parts(fields.len(), visitor)?;
        self.shape.named(fields);
        Ok(value)
    }

    #[inline]
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        visitor.visit_enum(Choice { reader: self, name, variants })
    }
}

/// The parts of a value, while they are read.
struct Parts<'a, 'de> {
    reader: &'a mut Reader<'de>,
    left: usize,
}

impl Parts<'_, '_> {
    /// A sequence or a map is whole, if all of it was taken.
    #[inline]
    fn end<T>(self, value: T) -> Result<T> {
        if self.left > 0 {
            return Err(Error::words(format!("{} elements are left over", self.left)));
        }
        Ok(value)
    }

    /// How many parts can still come. Nothing may be reserved for a length that the bytes only
    /// promise: each part takes a byte, or no memory.
    #[inline]
    fn at_most(&self) -> Option<usize> {
        Some(self.left.min(self.reader.rest.len()))
    }
}

impl<'de> SeqAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        if self.left == 0 {
            return Ok(None);
        }
        self.left -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.at_most()
    }
}

impl<'de> MapAccess<'de> for Parts<'_, 'de> {
    type Error = Error;

    #[inline]
    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>> {
        self.next_element_seed(seed)
    }

    #[inline]
    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value> {
        let value = seed.deserialize(&mut *self.reader)?;
        self.reader.shape.unnamed(2); // as a pair
        Ok(value)
    }

    #[inline]
    fn size_hint(&self) -> Option<usize> {
        self.at_most()
    }
}

/// A value of an enum, before its variant is known.
struct Choice<'a, 'de> {
    reader: &'a mut Reader<'de>,
    name: &'static str,
    /// The names of the variants in their order. If a variant has aliases, they stand beside its
    /// name. A hand-written type may give no names.
    variants: &'static [&'static str],
}

impl<'a, 'de> EnumAccess<'de> for Choice<'a, 'de> {
    type Error = Error;
    type Variant = &'a mut Reader<'de>;

    #[inline]
    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant)> {
        let (index, hash) = self.reader.variant()?;
        let known = self.variants.get(index as usize);
        if known.is_none_or(|name| name_hash(name) != hash) {
            self.look_behind(index, hash)?;
        }
        let variant: U32Deserializer<Error> = index.into_deserializer();
        Ok((seed.deserialize(variant)?, self.reader))
    }
}

impl Choice<'_, '_> {
    /// Looks for the variant's name behind its place: aliases of variants before it may have moved
    /// the name there. A skipped variant before it moves the name to the front, and that is the
    /// mistake.
    #[cold]
    fn look_behind(&self, index: u32, hash: [u8; 2]) -> Result<()> {
        let behind = self.variants.get(index as usize..).unwrap_or(&[]);
        if self.variants.is_empty() || behind.iter().any(|name| name_hash(name) == hash) {
            return Ok(());
        }
        Err(Error::words(format!(
            "variant {index} of `{}` (counted from 0) is another variant to the writer than to the \
             reader: is a variant before it skipped, or named differently for reading?",
            self.name
        )))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = Error;

    #[inline]
    fn unit_variant(self) -> Result<()> {
        self.shape.named(0);
        Ok(())
    }

    #[inline]
    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value> {
        seed.deserialize(self)
    }

    #[inline]
    fn tuple_variant<V: Visitor<'de>>(self, most: usize, visitor: V) -> Result<V::Value> {
        self.deserialize_tuple(most, visitor)
    }

    #[inline]
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value> {
        self.deserialize_struct("", fields, visitor)
    }
}
