//! What is sent to webhook endpoints, for the description of the API: each kind of message with an example of its own.

use ledger::MessageKind;
use serde_json::{Value, json};
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{OperationBuilder, ParameterBuilder, ParameterIn, PathItemBuilder};
use utoipa::openapi::request_body::RequestBodyBuilder;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use utoipa::openapi::{ContentBuilder, HttpMethod, Paths, PathsBuilder, Required, ResponseBuilder};

/// Where examples come from.
const BASE_URL: &str = "https://scrip.example.com";

/// The body of a message of that kind.
#[must_use]
pub fn example(kind: MessageKind) -> Value {
    let mut data: Value = serde_json::from_str(kind.example()).unwrap_or_default();
    if let Some(path) = data["url"].as_str() {
        data["url"] = json!(format!("{BASE_URL}{path}"));
    }
    json!({"type": kind.as_str(), "timestamp": "2026-11-22T10:00:00Z", "organization": "org_1", "data": data})
}

/// All of them.
#[must_use]
pub fn webhooks() -> Paths {
    let paths = MessageKind::ALL.into_iter().fold(PathsBuilder::new(), |paths, kind| {
        paths.path(kind.as_str(), PathItemBuilder::new().operation(HttpMethod::Post, operation(kind)).build())
    });
    paths.build()
}

fn operation(kind: MessageKind) -> utoipa::openapi::path::Operation {
    let text = || ObjectBuilder::new().schema_type(Type::String);
    let header = |name: &str, about: &str| {
        let parameter = ParameterBuilder::new().name(name).parameter_in(ParameterIn::Header).required(Required::True);
        parameter.description(Some(about)).schema(Some(text().build())).build()
    };
    let data: Value = serde_json::from_str(kind.example()).unwrap_or_default();
    let members = data.as_object().into_iter().flat_map(|members| members.keys());
    let members = members.fold(ObjectBuilder::new(), |object, name| object.required(name));
    let schema = ObjectBuilder::new()
        .property("type", text().enum_values(Some([kind.as_str()])))
        .required("type")
        .property("timestamp", text().description(Some("When it was caused")))
        .required("timestamp")
        .property("organization", text().description(Some("Whose it is")))
        .required("organization")
        .property("data", members)
        .required("data");
    let content = ContentBuilder::new().schema(Some(schema.build())).example(Some(example(kind))).build();
    let body = RequestBodyBuilder::new().content("application/json", content).required(Some(Required::True)).build();
    let taken = ResponseBuilder::new()
        .description("Taken. 410 disables the endpoint; anything else is tried again, for three days");
    let again = HeaderBuilder::new().description(Some("Seconds after which to come again, with 429 and 503")).build();
    OperationBuilder::new()
        .operation_id(Some(kind.as_str().replace('.', "_")))
        .tag("Webhooks")
        .summary(Some(kind.title()))
        .description(Some(kind.words()))
        .parameter(header("webhook-id", "The same however often it is sent: keep it, and take each once"))
        .parameter(header(
            "webhook-timestamp",
            "Seconds since 1970 of this attempt: refuse what is older than five minutes",
        ))
        .parameter(header(
            "webhook-signature",
            "`v1,` and base64 of HMAC-SHA256 over `id.timestamp.body`; after a rotation two, with a space between",
        ))
        .request_body(Some(body))
        .response("2XX", taken.header("Retry-After", again).build())
        .build()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_is_described_with_its_own_example() {
        let described = serde_json::to_value(webhooks()).expect("JSON");
        for kind in MessageKind::ALL {
            let operation = &described[kind.as_str()]["post"];
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            assert_eq!(example["type"], kind.as_str());
            assert!(example["data"]["url"].as_str().is_some_and(|url| url.starts_with(BASE_URL)), "{kind:?}");
            assert_eq!(operation["description"], kind.words());
        }
    }
}
