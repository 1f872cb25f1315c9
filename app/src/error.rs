//! What a page tells people when it has nothing to show: a stable code, a sentence that says what to do, and the id
//! under which the server's log has the rest. Never database text.

use crate::problem::ProblemJson;
use leptos::server_fn::error::{FromServerFnError, ServerFnErrorErr};
use serde::{Deserialize, Serialize};

/// The id of the request, as the server calls it in its log. The server gives it to the app as a context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

/// Why a page or panel could not be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[serde(into = "Details", from = "Details")]
pub enum AppError {
    /// No session, or it ended.
    #[error("You are not signed in, or your session ended. Sign in to go on.")]
    NotSignedIn,
    /// Days that cannot be shown.
    #[error("{problem}")]
    BadRange {
        /// What is wrong with them, and what to choose instead.
        problem: String,
    },
    /// A rule of the ledger said no.
    #[error("{problem}")]
    Refused {
        /// The rule's sentence.
        problem: String,
    },
    /// The server has too much to do, or is closing.
    #[error("The server is busy. Try again in a moment.")]
    Busy {
        /// To be named when asking for help.
        request_id: Option<String>,
    },
    /// There is no such thing, or it belongs to somebody else.
    #[error("There is no such page. The address may have been cut or mistyped.")]
    NotFound,
    /// Something broke on the server.
    #[error("Something went wrong on the server. Try again; if it stays, name the request id to whoever runs it.")]
    Internal {
        /// To be named when asking for help.
        request_id: Option<String>,
    },
    /// No answer at all.
    #[error("The server cannot be reached. Check the connection, then try again.")]
    Unreachable,
    /// The answer was not understood: most often a page that is older than the server.
    #[error("This page does not understand the server's answer any more. Reload it.")]
    Outdated,
}

impl AppError {
    /// The stable code that programs compare.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NotSignedIn => "not_signed_in",
            Self::BadRange { .. } => "bad_range",
            Self::Refused { .. } => "refused",
            Self::Busy { .. } => "busy",
            Self::NotFound => "not_found",
            Self::Internal { .. } => "internal",
            Self::Unreachable => "unreachable",
            Self::Outdated => "outdated",
        }
    }

    /// The HTTP status of an answer that says it.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::NotSignedIn => 401,
            Self::BadRange { .. } | Self::Outdated => 400,
            Self::Refused { .. } => 422,
            Self::NotFound => 404,
            Self::Busy { .. } => 503,
            Self::Internal { .. } | Self::Unreachable => 500,
        }
    }

    /// The id of the request that failed, where the server knows of it.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Busy { request_id } | Self::Internal { request_id } => request_id.as_deref(),
            Self::NotSignedIn
            | Self::BadRange { .. }
            | Self::Refused { .. }
            | Self::NotFound
            | Self::Unreachable
            | Self::Outdated => None,
        }
    }
}

/// The shape of problem details (RFC 9457) as far as we need it, so that what the server's middleware answers instead of
/// a server function is understood as well.
#[derive(Serialize, Deserialize)]
pub(crate) struct Details {
    pub code: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
}

impl From<AppError> for Details {
    fn from(error: AppError) -> Self {
        let (code, request_id) = (error.code().to_owned(), error.request_id().map(str::to_owned));
        let detail = match error {
            AppError::BadRange { problem } | AppError::Refused { problem } => problem,
            AppError::NotSignedIn
            | AppError::Busy { .. }
            | AppError::NotFound
            | AppError::Internal { .. }
            | AppError::Unreachable
            | AppError::Outdated => String::new(),
        };
        Self { code, detail, request_id }
    }
}

impl From<Details> for AppError {
    fn from(Details { code, detail, request_id }: Details) -> Self {
        match code.as_str() {
            "not_signed_in" => Self::NotSignedIn,
            "bad_range" => Self::BadRange { problem: detail },
            "refused" => Self::Refused { problem: detail },
            "busy" => Self::Busy { request_id },
            "not_found" => Self::NotFound,
            "internal" => Self::Internal { request_id },
            "unreachable" => Self::Unreachable,
            _ => Self::Outdated,
        }
    }
}

impl FromServerFnError for AppError {
    type Encoder = ProblemJson;

    fn from_server_fn_error(error: ServerFnErrorErr) -> Self {
        match error {
            ServerFnErrorErr::Request(_) => Self::Unreachable,
            ServerFnErrorErr::ServerError(_)
            | ServerFnErrorErr::MiddlewareError(_)
            | ServerFnErrorErr::Response(_)
            | ServerFnErrorErr::Registration(_) => Self::Internal { request_id: None },
            ServerFnErrorErr::UnsupportedRequestMethod(_)
            | ServerFnErrorErr::Deserialization(_)
            | ServerFnErrorErr::Serialization(_)
            | ServerFnErrorErr::Args(_)
            | ServerFnErrorErr::MissingArg(_) => Self::Outdated,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows;
    use leptos::server_fn::{Decodes, Encodes};

    #[test]
    fn the_code_is_what_is_sent() {
        let errors = [
            AppError::NotSignedIn,
            AppError::BadRange { problem: "too long".to_owned() },
            AppError::Internal { request_id: Some("9f86".to_owned()) },
            AppError::NotFound,
            AppError::Outdated,
        ];
        for error in errors {
            let json = ProblemJson::encode(&error).expect("serializes");
            assert!(json.starts_with(format!(r#"{{"code":"{}""#, error.code()).as_bytes()), "{json:?}");
            assert_eq!(ProblemJson::decode(json).ok(), Some(error.clone()));
            assert_eq!(rows::read(&rows::write(&error).expect("fits")), Ok(error));
        }
    }

    #[test]
    fn an_answer_of_the_servers_middleware_is_understood() {
        let problem = r#"{"type":"x","status":401,"code":"not_signed_in","request_id":"1"}"#;
        assert_eq!(ProblemJson::decode(problem.into()).ok(), Some(AppError::NotSignedIn));
    }
}
