//! Errors on the wire of the server functions: problem details (RFC 9457), since the server's middleware may answer
//! instead of a server function. All else travels as rows ([`crate::rows`]).

use crate::error::{AppError, Details};
use crate::platform;
use crate::rows::Unfit;
use leptos::server_fn::{Bytes, ContentType, Decodes, Encodes, Format, FormatType};

/// The encoding of errors.
pub struct ProblemJson;

impl ContentType for ProblemJson {
    const CONTENT_TYPE: &'static str = "application/problem+json";
}

impl FormatType for ProblemJson {
    const FORMAT_TYPE: Format = Format::Text;
}

impl Encodes<AppError> for ProblemJson {
    type Error = Unfit;

    fn encode(error: &AppError) -> Result<Bytes, Unfit> {
        platform::answer_status(error.status());
        let json = serde_json::to_string(&Details::from(error.clone()));
        json.map(Bytes::from).map_err(|_| Unfit)
    }
}

impl Decodes<AppError> for ProblemJson {
    type Error = Unfit;

    fn decode(bytes: Bytes) -> Result<AppError, Unfit> {
        let text = std::str::from_utf8(&bytes).map_err(|_| Unfit)?;
        let [code, detail, request_id] = platform::members(text, ["code", "detail", "request_id"]).ok_or(Unfit)?;
        let details = Details { code: code.ok_or(Unfit)?, detail: detail.unwrap_or_default(), request_id };
        Ok(details.into())
    }
}
