//! JSON on the wire of the server functions, read from text.
//!
//! The library's own encoding reads from bytes while pages read their embedded data from text: two copies of every
//! deserializer in the browser. With this one there is one.

use leptos::server_fn::Bytes;
use leptos::server_fn::ContentType;
use leptos::server_fn::codec::Post;
use leptos::server_fn::{Decodes, Encodes, Format, FormatType};
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};

/// The encoding; used as input, output and error format of every server function.
pub struct JsonText;

/// As a protocol: by POST.
pub type Json = Post<JsonText>;

impl ContentType for JsonText {
    const CONTENT_TYPE: &'static str = "application/json";
}

impl FormatType for JsonText {
    const FORMAT_TYPE: Format = Format::Text;
}

impl<T: Serialize> Encodes<T> for JsonText {
    type Error = serde_json::Error;

    fn encode(output: &T) -> Result<Bytes, Self::Error> {
        serde_json::to_string(output).map(Bytes::from)
    }
}

impl<T: DeserializeOwned> Decodes<T> for JsonText {
    type Error = serde_json::Error;

    fn decode(bytes: Bytes) -> Result<T, Self::Error> {
        let text = std::str::from_utf8(&bytes).map_err(serde_json::Error::custom)?;
        serde_json::from_str(text)
    }
}
