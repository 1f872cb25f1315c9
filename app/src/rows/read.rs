//! Reads values from rows. Nothing that is read makes it panic; how deep values nest is bounded by the types, since what
//! fits none of them is never skipped but refused.

use super::Unfit;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, SeqAccess, VariantAccess, Visitor};
use serde::forward_to_deserialize_any;

/// A value from rows.
///
/// # Errors
/// [`Unfit`] where the text is not what [`super::write()`] made of a value of this type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Unfit> {
    let mut reader = Reader(text);
    let value = T::deserialize(&mut reader)?;
    if reader.0.is_empty() { Ok(value) } else { Err(Unfit) }
}

/// What is still to be read.
struct Reader<'t>(&'t str);

impl<'t> Reader<'t> {
    /// Whether the next is this, and if so passes it.
    fn passes(&mut self, expected: &str) -> bool {
        let rest = self.0.strip_prefix(expected);
        self.0 = rest.unwrap_or(self.0);
        rest.is_some()
    }

    fn expect(&mut self, expected: &str) -> Result<(), Unfit> {
        if self.passes(expected) { Ok(()) } else { Err(Unfit) }
    }

    fn take(&mut self, bytes: usize) -> Result<&'t str, Unfit> {
        let (taken, rest) = self.0.split_at_checked(bytes).ok_or(Unfit)?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<i64, Unfit> {
        let bytes = self.0.bytes();
        let digits = bytes.take_while(|byte| matches!(byte, b'-' | b'0'..=b'9')).count();
        self.take(digits)?.parse().map_err(|_| Unfit)
    }

    fn text(&mut self) -> Result<String, Unfit> {
        self.expect("\"")?;
        let mut text = String::new();
        loop {
            let plain = self.0.bytes().take_while(|byte| !matches!(byte, b'"' | b'\\')).count();
            text.push_str(self.take(plain)?);
            match self.take(1)? {
                "\"" => return Ok(text),
                _ => text.push(self.escaped()?),
            }
        }
    }

    /// What follows a backslash.
    fn escaped(&mut self) -> Result<char, Unfit> {
        match self.take(1)? {
            "u" => u32::from_str_radix(self.take(4)?, 16).ok().and_then(char::from_u32).ok_or(Unfit),
            letter => letter.chars().next().ok_or(Unfit),
        }
    }
}

macro_rules! numbers {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
            visitor.visit_i64(self.number()?)
        }
    )*};
}

macro_rules! texts {
    ($($method:ident),*) => {$(
        fn $method<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
            visitor.visit_string(self.text()?)
        }
    )*};
}

impl<'t> Deserializer<'t> for &mut Reader<'t> {
    type Error = Unfit;

    numbers!(
        deserialize_i8,
        deserialize_i16,
        deserialize_i32,
        deserialize_i64,
        deserialize_u8,
        deserialize_u16,
        deserialize_u32,
        deserialize_u64
    );
    texts!(deserialize_char, deserialize_str, deserialize_string);

    /// Rows do not say what they are.
    fn deserialize_any<V: Visitor<'t>>(self, _: V) -> Result<V::Value, Unfit> {
        Err(Unfit)
    }

    forward_to_deserialize_any! { <V: Visitor<'t>> f32 f64 bytes byte_buf map ignored_any }

    fn deserialize_bool<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
        let value = self.passes("true");
        if !value {
            self.expect("false")?;
        }
        visitor.visit_bool(value)
    }

    fn deserialize_option<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
        if self.passes("null") { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.expect("null")?;
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'t>>(self, _: &'static str, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
        self.expect("[")?;
        let value = visitor.visit_seq(Items { reader: self, first: true })?;
        self.expect("]")?;
        Ok(value)
    }

    fn deserialize_tuple<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'t>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Unfit> {
        let holds = self.passes("[");
        let value = visitor.visit_enum(Variant { reader: self, holds })?;
        if holds {
            self.expect("]")?;
        }
        Ok(value)
    }

    /// The number of a variant.
    fn deserialize_identifier<V: Visitor<'t>>(self, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_u64(u64::try_from(self.number()?).map_err(|_| Unfit)?)
    }
}

struct Items<'r, 't> {
    reader: &'r mut Reader<'t>,
    first: bool,
}

impl<'t> SeqAccess<'t> for Items<'_, 't> {
    type Error = Unfit;

    fn next_element_seed<T: DeserializeSeed<'t>>(&mut self, seed: T) -> Result<Option<T::Value>, Unfit> {
        if self.reader.0.starts_with(']') {
            return Ok(None);
        }
        if !self.first {
            self.reader.expect(",")?;
        }
        self.first = false;
        // Left out: the field's default, and the next field after it.
        if self.reader.passes("{}") {
            return Ok(None);
        }
        seed.deserialize(&mut *self.reader).map(Some)
    }
}

struct Variant<'r, 't> {
    reader: &'r mut Reader<'t>,
    /// Whether there is something in it.
    holds: bool,
}

impl<'t> EnumAccess<'t> for Variant<'_, 't> {
    type Error = Unfit;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<(T::Value, Self), Unfit> {
        let variant = seed.deserialize(&mut *self.reader)?;
        Ok((variant, self))
    }
}

impl<'t> VariantAccess<'t> for Variant<'_, 't> {
    type Error = Unfit;

    fn unit_variant(self) -> Result<(), Unfit> {
        if self.holds { Err(Unfit) } else { Ok(()) }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'t>>(self, seed: T) -> Result<T::Value, Unfit> {
        self.reader.expect(",")?;
        seed.deserialize(self.reader)
    }

    fn tuple_variant<V: Visitor<'t>>(self, _: usize, visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_seq(Items { reader: self.reader, first: false })
    }

    fn struct_variant<V: Visitor<'t>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, Unfit> {
        visitor.visit_seq(Items { reader: self.reader, first: false })
    }
}
