//! How answers travel to our own pages: JSON in which nothing has a name.
//!
//! A struct is an array of its fields and a variant is its number, since both sides are always built together. Names would
//! have to be told apart in the browser, by code for each struct that is four times that of reading fields in order.
//! What a struct leaves out (`skip_serializing_if`) is `{}`, so that those after it keep their places. There are no
//! floats, and no maps.
//!
//! Whoever is not one of our pages reads the API's JSON, which is another matter.

mod read;
mod write;

pub use read::read;
pub use write::write;

use leptos::server_fn::codec::Post;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{self, Display};

/// The encoding of what server functions are asked and answer.
#[derive(Debug, Clone, Copy)]
pub struct RowsText;

/// As a protocol: by POST.
pub type Rows = Post<RowsText>;

/// What is written or read does not fit. Without a reason: words for what no page can cause would be most of the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfit;

impl Display for Unfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not what the other side reads or writes")
    }
}

impl std::error::Error for Unfit {}

impl serde::ser::Error for Unfit {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl serde::de::Error for Unfit {
    fn custom<T: Display>(_: T) -> Self {
        Self
    }
}

impl ContentType for RowsText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for RowsText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for RowsText {
    type Error = Unfit;

    fn encode(output: &T) -> Result<Bytes, Unfit> {
        write(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for RowsText {
    type Error = Unfit;

    fn decode(bytes: Bytes) -> Result<T, Unfit> {
        read(std::str::from_utf8(&bytes).map_err(|_| Unfit)?)
    }
}

#[cfg(test)]
mod tests;
