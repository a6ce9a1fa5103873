//! The writing side: postcard's serialiser, and what it does not look at.

use super::error::{Error, Result};
use super::shape::{Shape, name_hash};
use crate::large;
use postcard::ser_flavors::Flavor;
use serde::ser::{
    Serialize, SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use std::fmt::Display;

/// Writes a value's bytes with postcard and notes the value's shape.
pub(super) struct Writer {
    postcard: postcard::Serializer<Body>,
    shape: Shape,
    /// Whether a sequence or a map has several elements, which may stand in any order if it is a
    /// set or a map.
    pub any_order: bool,
}

impl Writer {
    /// A writer that appends at most `limit` bytes to the buffer.
    pub fn new(bytes: Vec<u8>, limit: usize) -> Self {
        let end = bytes.len().saturating_add(limit.saturating_sub(Shape::BYTES));
        let postcard = postcard::Serializer { output: Body { bytes, end } };
        Self { postcard, shape: Shape::new(), any_order: false }
    }

    /// The bytes, with the shape behind them.
    pub fn finish(self) -> Vec<u8> {
        let mut bytes = self.postcard.output.bytes;
        bytes.extend_from_slice(&self.shape.bytes());
        bytes
    }

    /// A variant's number, and behind it what the reader needs to see that it has the same variant.
    #[inline]
    fn variant(&mut self, index: u32, name: &str) -> Result<()> {
        let [first, second] = name_hash(name);
        if let small @ 0..0x80 = index {
            // As postcard writes a small number, in one step.
            self.postcard.output.try_extend(&[small as u8, first, second])?;
        } else {
            self.postcard.serialize_u32(index)?;
            self.postcard.output.try_extend(&[first, second])?;
        }
        Ok(())
    }

    #[inline]
    fn group(&mut self, names: [&'static str; 2]) -> Group<'_> {
        Group { writer: self, names, promised: 0, fields: 0 }
    }

    /// A sequence or a map.
    #[inline]
    fn elements(&mut self, length: usize) -> Group<'_> {
        self.any_order |= length > 1;
        Group { writer: self, names: [""; 2], promised: length, fields: 0 }
    }
}

/// The output for postcard: a vector that does not grow over the limit.
struct Body {
    bytes: Vec<u8>,
    /// The length up to which the vector may grow. The shape comes behind it.
    end: usize,
}

/// Longer than any number, in bytes, and short enough to be moved.
const LONG: usize = 1024;

impl Flavor for Body {
    type Output = Vec<u8>;

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.bytes.len() + bytes.len() > self.end {
            return Err(postcard::Error::SerializeBufferFull);
        }
        if bytes.len() > LONG {
            // With room for the shape: for its sake no large body is to be moved.
            large::reserve(&mut self.bytes, bytes.len() + Shape::BYTES);
        }
        large::reserve(&mut self.bytes, bytes.len());
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.bytes)
    }
}

macro_rules! as_postcard {
    ($($method:ident($value:ty))*) => {$(
        #[inline]
        fn $method(self, value: $value) -> Result<()> {
            Ok(self.postcard.$method(value)?)
        }
    )*};
}

impl<'a> Serializer for &'a mut Writer {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Group<'a>;
    type SerializeTuple = Group<'a>;
    type SerializeTupleStruct = Group<'a>;
    type SerializeTupleVariant = Group<'a>;
    type SerializeMap = Group<'a>;
    type SerializeStruct = Group<'a>;
    type SerializeStructVariant = Group<'a>;

    as_postcard! {
        serialize_bool(bool) serialize_char(char) serialize_str(&str) serialize_bytes(&[u8])
        serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_i128(i128) serialize_u128(u128) serialize_f32(f32) serialize_f64(f64)
        serialize_unit_struct(&'static str)
    }

    #[inline]
    fn is_human_readable(&self) -> bool {
        false
    }

    #[inline]
    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<()> {
        Ok(self.postcard.collect_str(value)?)
    }

    #[inline]
    fn serialize_none(self) -> Result<()> {
        Ok(self.postcard.serialize_none()?)
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<()> {
        self.postcard.serialize_u8(1)?; // as postcard begins it
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit(self) -> Result<()> {
        Ok(self.postcard.serialize_unit()?)
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<()> {
        value.serialize(self)
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
    ) -> Result<()> {
        self.shape.named(0);
        self.variant(index, variant)
    }

    #[inline]
    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<()> {
        self.variant(index, variant)?;
        value.serialize(self)
    }

    #[inline]
    fn serialize_seq(self, length: Option<usize>) -> Result<Group<'a>> {
        self.postcard.serialize_seq(length)?;
        Ok(self.elements(length.unwrap_or(0)))
    }

    #[inline]
    fn serialize_map(self, length: Option<usize>) -> Result<Group<'a>> {
        self.postcard.serialize_map(length).map_err(|error| match length {
            Some(_) => error.into(),
            None => Error::words(format!("{error} (a map; is a field flattened?)")),
        })?;
        Ok(self.elements(length.unwrap_or(0)))
    }

    #[inline]
    fn serialize_tuple(self, _: usize) -> Result<Group<'a>> {
        Ok(self.group([""; 2]))
    }

    #[inline]
    fn serialize_tuple_struct(self, name: &'static str, _: usize) -> Result<Group<'a>> {
        Ok(self.group([name, ""]))
    }

    #[inline]
    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Group<'a>> {
        self.variant(index, variant)?;
        Ok(self.group([name, variant]))
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Group<'a>> {
        Ok(self.group([name, ""]))
    }

    #[inline]
    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Group<'a>> {
        self.variant(index, variant)?;
        Ok(self.group([name, variant]))
    }
}

/// The parts of a value, while they are written.
pub(super) struct Group<'a> {
    writer: &'a mut Writer,
    /// The names of the type and of the variant, for an error.
    names: [&'static str; 2],
    /// Of a sequence or a map: how many elements it said it has.
    promised: usize,
    /// How many parts are written.
    fields: usize,
}

impl Group<'_> {
    #[inline]
    fn write<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<()> {
        self.fields += 1;
        part.serialize(&mut *self.writer)
    }

    /// A sequence or a map is whole. Its length is already written, before its elements.
    #[inline]
    fn end_elements(self) -> Result<()> {
        let Self { promised, fields, .. } = self;
        if fields != promised {
            let told = format!("{fields} elements are written, where {promised} were announced");
            return Err(Error::words(told));
        }
        Ok(())
    }

    #[inline]
    fn end_unnamed(self) -> Result<()> {
        self.writer.shape.unnamed(self.fields);
        Ok(())
    }

    #[inline]
    fn end_named(self) -> Result<()> {
        self.writer.shape.named(self.fields);
        Ok(())
    }

    #[cold]
    fn skipped(&self, field: &str) -> Error {
        let [name, variant] = self.names;
        let of = if variant.is_empty() { name.to_owned() } else { format!("{name}::{variant}") };
        Error::words(format!(
            "the field `{field}` of `{of}` is skipped: the bytes hold no names, so a reader would \
             take the next field for this one"
        ))
    }
}

macro_rules! parts {
    ($($part:ident: $write:ident, $end:ident;)*) => {$(
        impl $part for Group<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn $write<T: Serialize + ?Sized>(&mut self, part: &T) -> Result<()> {
                self.write(part)
            }

            #[inline]
            fn end(self) -> Result<()> {
                self.$end()
            }
        }
    )*};
}

parts! {
    SerializeSeq: serialize_element, end_elements;
    SerializeTuple: serialize_element, end_unnamed;
    SerializeTupleStruct: serialize_field, end_unnamed;
    SerializeTupleVariant: serialize_field, end_unnamed;
}

macro_rules! named_parts {
    ($($part:ident)*) => {$(
        impl $part for Group<'_> {
            type Ok = ();
            type Error = Error;

            #[inline]
            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                _: &'static str,
                part: &T,
            ) -> Result<()> {
                self.write(part)
            }

            fn skip_field(&mut self, field: &'static str) -> Result<()> {
                Err(self.skipped(field))
            }

            #[inline]
            fn end(self) -> Result<()> {
                self.end_named()
            }
        }
    )*};
}

named_parts! { SerializeStruct SerializeStructVariant }

impl SerializeMap for Group<'_> {
    type Ok = ();
    type Error = Error;

    #[inline]
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<()> {
        self.write(key)
    }

    #[inline]
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<()> {
        value.serialize(&mut *self.writer)?;
        self.writer.shape.unnamed(2); // as a pair
        Ok(())
    }

    #[inline]
    fn end(self) -> Result<()> {
        self.end_elements()
    }
}
