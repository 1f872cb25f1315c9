//! Writes values as rows.

use super::Unfit;
use serde::ser::{
    Impossible, Serialize, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple, SerializeTupleStruct,
    SerializeTupleVariant, Serializer,
};
use std::fmt::Write;

/// A value as rows.
///
/// # Errors
/// [`Unfit`] for a float, a map, bytes, or a number that is not an `i64`.
pub fn write<T: Serialize + ?Sized>(value: &T) -> Result<String, Unfit> {
    let mut writer = Writer(String::new());
    value.serialize(&mut writer)?;
    Ok(writer.0)
}

struct Writer(String);

type Written = Result<(), Unfit>;

impl Writer {
    fn text(&mut self, text: &str) {
        self.0.push('"');
        for letter in text.chars() {
            match letter {
                '"' | '\\' => self.0.extend(['\\', letter]),
                // Writing to a string does not fail.
                '\0'..='\x1f' => drop(write!(self.0, "\\u{:04x}", u32::from(letter))),
                letter => self.0.push(letter),
            }
        }
        self.0.push('"');
    }

    /// Begins an array; of a variant with something in it, the first item is its number.
    fn open(&mut self, variant: Option<u32>) -> Result<&mut Self, Unfit> {
        self.0.push('[');
        if let Some(variant) = variant {
            self.serialize_i64(variant.into())?;
        }
        Ok(self)
    }

    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
        self.comma();
        value.serialize(self)
    }

    fn comma(&mut self) {
        // A text would end with its quote.
        if !self.0.ends_with('[') {
            self.0.push(',');
        }
    }

    fn close(&mut self) -> Written {
        self.0.push(']');
        Ok(())
    }
}

/// All numbers are written as one kind.
macro_rules! numbers {
    ($($method:ident $kind:ty),*) => {$(
        fn $method(self, value: $kind) -> Written {
            self.serialize_i64(value.into())
        }
    )*};
}

/// What never travels.
macro_rules! refused {
    ($($method:ident $kind:ty),*) => {$(
        fn $method(self, _: $kind) -> Written {
            Err(Unfit)
        }
    )*};
}

impl Serializer for &mut Writer {
    type Ok = ();
    type Error = Unfit;
    type SerializeSeq = Self;
    type SerializeTuple = Self;
    type SerializeTupleStruct = Self;
    type SerializeTupleVariant = Self;
    type SerializeMap = Impossible<(), Unfit>;
    type SerializeStruct = Self;
    type SerializeStructVariant = Self;

    numbers!(serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32);
    refused!(serialize_f32 f32, serialize_f64 f64, serialize_bytes &[u8]);

    fn serialize_i64(self, value: i64) -> Written {
        write!(self.0, "{value}").map_err(|_| Unfit)
    }

    fn serialize_u64(self, value: u64) -> Written {
        self.serialize_i64(i64::try_from(value).map_err(|_| Unfit)?)
    }

    fn serialize_bool(self, value: bool) -> Written {
        self.0.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> Written {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Written {
        self.text(value);
        Ok(())
    }

    fn serialize_none(self) -> Written {
        self.0.push_str("null");
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_struct(self, _: &'static str) -> Written {
        self.serialize_none()
    }

    fn serialize_unit_variant(self, _: &'static str, variant: u32, _: &'static str) -> Written {
        self.serialize_i64(variant.into())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Written {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        variant: u32,
        _: &'static str,
        value: &T,
    ) -> Written {
        let writer = self.open(Some(variant))?;
        writer.item(value)?;
        writer.close()
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Self, Unfit> {
        self.open(None)
    }

    fn serialize_tuple(self, _: usize) -> Result<Self, Unfit> {
        self.open(None)
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.open(None)
    }

    fn serialize_tuple_variant(self, _: &str, variant: u32, _: &str, _: usize) -> Result<Self, Unfit> {
        self.open(Some(variant))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Self::SerializeMap, Unfit> {
        Err(Unfit)
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Self, Unfit> {
        self.open(None)
    }

    fn serialize_struct_variant(self, _: &str, variant: u32, _: &str, _: usize) -> Result<Self, Unfit> {
        self.open(Some(variant))
    }
}

/// Everything with items in it is written the same way.
macro_rules! items {
    ($($kind:ident $method:ident),*) => {$(
        impl $kind for &mut Writer {
            type Ok = ();
            type Error = Unfit;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Written {
                self.item(value)
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

items!(
    SerializeSeq serialize_element,
    SerializeTuple serialize_element,
    SerializeTupleStruct serialize_field,
    SerializeTupleVariant serialize_field
);

/// Fields too, but for their names, and those that are left out.
macro_rules! fields {
    ($($kind:ident),*) => {$(
        impl $kind for &mut Writer {
            type Ok = ();
            type Error = Unfit;

            fn serialize_field<T: Serialize + ?Sized>(&mut self, _: &'static str, value: &T) -> Written {
                self.item(value)
            }

            fn skip_field(&mut self, _: &'static str) -> Written {
                self.comma();
                self.0.push_str("{}");
                Ok(())
            }

            fn end(self) -> Written {
                self.close()
            }
        }
    )*};
}

fields!(SerializeStruct, SerializeStructVariant);
