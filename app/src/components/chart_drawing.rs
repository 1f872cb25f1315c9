//! Puts a drawing of [`crate::charts`] into the document, where the browser makes it itself.
//!
//! A redraw changes what differs: a browser takes longer to parse, style and lay out a drawing that is new than we to draw
//! it, and most of it (the names of days, often the grid) is the same after a filter.

use crate::charts::{Drawing, PATHS};
use leptos::prelude::document;
use web_sys::Element;

/// Makes the drawing all that is in the element. Its text was escaped by the backend that drew it.
pub fn put(element: &Element, svg: &str) {
    element.set_inner_html(svg);
}

/// Makes the drawing that is in the element of that id into another one.
pub fn redraw(id: &str, before: &Drawing, after: &Drawing) {
    let Some(place) = document().get_element_by_id(id) else { return };
    let Some(root) = place.first_element_child().filter(|_| before.head() == after.head()) else {
        put(&place, &after.svg);
        return;
    };
    let olds = before.pieces();
    let mut olds = olds.as_slice();
    let mut next = root.first_element_child();
    for (kind, text) in after.pieces() {
        // Kinds keep their order: what stands before the piece that stays is gone.
        let stays = olds.iter().position(|(old, _)| *old == kind);
        for _ in 0..stays.unwrap_or(0) {
            next = without(next);
        }
        // Every drawing ends with its baseline, so something always follows; were it not so, all of it is drawn anew.
        let Some(element) = next.take() else {
            put(&place, &after.svg);
            return;
        };
        if let Some(((_, old), rest)) = stays.and_then(|place| olds[place..].split_first()) {
            olds = rest;
            next = element.next_element_sibling();
            change(&element, kind, old, text);
        } else {
            let _ = element.insert_adjacent_html("beforebegin", text);
            next = Some(element);
        }
    }
    while next.is_some() {
        next = without(next);
    }
}

/// Takes an element away; gives the one after it.
fn without(element: Option<Element>) -> Option<Element> {
    let element = element?;
    let next = element.next_element_sibling();
    element.remove();
    next
}

/// Makes an element what stands for it now. None of this can be refused: the element is in the drawing.
fn change(element: &Element, kind: u8, old: &str, new: &str) {
    if old == new {
        return;
    }
    let path = new.split_once(" d=\"").and_then(|(_, rest)| rest.strip_suffix("\"/>"));
    if let Some(path) = path.filter(|_| kind >= PATHS) {
        let _ = element.set_attribute("d", path);
    } else {
        let _ = element.insert_adjacent_html("beforebegin", new);
        element.remove();
    }
}
