//! Shows [`Markup`]: one view for everything that never changes by itself.

use super::chart_drawing;
use super::filled::any;
use crate::markup::{Markup, Step};
use crate::platform;
use crate::view::View;
use leptos::prelude::{AnyView, Memo, StoredValue, With, WithValue, document};
use leptos::tachys::html::attribute::Attribute;
use leptos::tachys::html::attribute::any_attribute::AnyAttribute;
use leptos::tachys::hydration::Cursor;
use leptos::tachys::view::add_attr::AddAnyAttr;
use leptos::tachys::view::{Mountable, Position, PositionState, Render, RenderHtml};
use wasm_bindgen::JsCast;
use web_sys::Element;

/// See the module.
pub struct Still(pub Markup);

/// Markup that is written again whenever the view changes. Compiled once for all that follow it.
pub fn follows(view: Memo<View>, make: impl Fn(&View) -> Markup + Send + Sync + 'static) -> AnyView {
    followed(view, Box::new(make))
}

fn followed(view: Memo<View>, make: Box<dyn Fn(&View) -> Markup + Send + Sync>) -> AnyView {
    let make = StoredValue::new(make);
    any(move || Still(make.with_value(|make| view.with(|view| make(view)))))
}

impl Render for Still {
    type State = Element;

    fn build(self) -> Element {
        let document = document();
        let mut open: Vec<Element> = Vec::new();
        let mut root = None;
        for step in self.0.steps() {
            // No step fails with names of the program's own, and none needs more than the element before it.
            match (step, open.last()) {
                (Step::Open(tag), parent) => {
                    let Ok(element) = document.create_element(tag) else { continue };
                    if let Some(parent) = parent {
                        let _ = parent.append_child(&element);
                    } else {
                        root = Some(element.clone());
                    }
                    open.push(element);
                }
                (Step::Attribute(name, value), Some(element)) => drop(element.set_attribute(name, value)),
                (Step::Text(text), Some(element)) => drop(element.append_child(&document.create_text_node(text))),
                (Step::Drawing(svg), Some(element)) => chart_drawing::put(element, svg),
                (Step::Close, _) => drop(open.pop()),
                (Step::Attribute(..) | Step::Text(_) | Step::Drawing(_), None) => {}
            }
        }
        root.unwrap_or_else(|| document.create_element("div").unwrap_or_else(|_| unreachable!("a div can be made")))
    }

    /// What has the focus keeps it, where it has an id.
    fn rebuild(self, state: &mut Element) {
        let focused =
            document().active_element().filter(|focused| state.contains(Some(focused))).map(|focused| focused.id());
        let mut next = self.build();
        if next.is_equal_node(Some(state)) {
            return;
        }
        platform::carry_over(state, &next);
        state.insert_before_this(&mut next);
        state.unmount();
        *state = next;
        if let Some(id) = focused {
            platform::focus(id);
        }
    }
}

impl AddAnyAttr for Still {
    type Output<A: Attribute> = Self;

    // Attributes belong into the markup.
    fn add_any_attr<A: Attribute>(self, _: A) -> Self {
        self
    }
}

impl RenderHtml for Still {
    type AsyncOutput = Self;
    type Owned = Self;

    const MIN_LENGTH: usize = 0;

    fn dry_resolve(&mut self) {}

    async fn resolve(self) -> Self {
        self
    }

    fn to_html_with_buf(self, buf: &mut String, position: &mut Position, _: bool, _: bool, _: Vec<AnyAttribute>) {
        self.0.write_html(buf);
        *position = Position::NextChild;
    }

    /// The element is there, with all that is in it: nothing below it is looked at.
    fn hydrate<const FROM_SERVER: bool>(self, cursor: &Cursor, position: &PositionState) -> Element {
        match position.get() {
            Position::FirstChild => cursor.child(),
            Position::Current => {}
            _ => cursor.sibling(),
        }
        position.set(Position::NextChild);
        let node = cursor.current();
        node.dyn_into().unwrap_or_else(|_| self.build())
    }

    fn into_owned(self) -> Self {
        self
    }
}
