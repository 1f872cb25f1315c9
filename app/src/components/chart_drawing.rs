//! Puts a drawing of [`crate::charts`] into the document, where the browser makes a still part itself.

use web_sys::Element;

/// Makes the drawing all that is in the element. Its text was escaped by the backend that drew it.
pub fn put(element: &Element, svg: &str) {
    element.set_inner_html(svg);
}
