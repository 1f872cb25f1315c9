//! The browser's entry: takes over the page that the server rendered.

// The types of whole pages nest deeper than the compiler's default.
#![recursion_limit = "512"]

use wasm_bindgen::prelude::wasm_bindgen;

/// Makes the page answer.
#[wasm_bindgen]
pub fn hydrate() {
    leptos::mount::hydrate_body(app::App);
    // For tests, which must not click before the page answers.
    if let Some(root) = leptos::prelude::document().document_element() {
        let _ = root.set_attribute("data-hydrated", "");
    }
}

/// A drawing that shows everything a chart can: drawn here and on the server, it must have the same bytes.
#[wasm_bindgen]
#[must_use]
pub fn chart_specimen() -> String {
    app::charts::specimen()
}
