//! What the two sides do differently: the browser's half. Nothing here fails loudly: an element that is gone is gone.

use crate::calendar::Day;
use crate::error::AppError;
use crate::problem::ProblemJson;
use crate::rows::RowsText;
use crate::server_fns::answer::Told;
use crate::theme::{COOKIE, Theme};
use leptos::leptos_dom::helpers::{IntervalHandle, set_interval_with_handle};
use leptos::prelude::{IntoView, document, request_animation_frame, set_timeout, window};
use leptos::server_fn::client::Client;
use leptos::server_fn::client::browser::BrowserClient;
use leptos::server_fn::request::ClientReq;
use leptos::server_fn::request::browser::BrowserRequest;
use leptos::server_fn::response::ClientRes;
use leptos::server_fn::{ContentType, Decodes, ServerFn};
use leptos::tachys::html::InertElement;
use std::cell::RefCell;
use std::time::Duration;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::js_sys::{JSON, Reflect};
use web_sys::{
    Element, Event, EventSource, HtmlDocument, HtmlElement, HtmlInputElement, HtmlTextAreaElement, KeyboardEvent,
    MouseEvent, NodeList, PointerEvent,
};

/// The theme that the server wrote into the page.
#[must_use]
pub fn theme() -> Theme {
    root_attribute("data-theme").map_or(Theme::System, |name| Theme::parse(&name))
}

/// What the product is called for whoever looks: the server wrote it into the page.
#[must_use]
pub fn product() -> String {
    root_attribute("data-product").unwrap_or_default()
}

/// A title: the document takes it as text.
#[must_use]
pub const fn title(text: String) -> String {
    text
}

/// Where help is found: an email address or a page.
#[must_use]
pub fn support() -> Option<String> {
    root_attribute("data-support")
}

fn root_attribute(name: &str) -> Option<String> {
    document().document_element()?.get_attribute(name)
}

/// Applies the theme and remembers it for a year.
pub fn set_theme(theme: Theme) {
    const YEAR_S: u32 = 365 * 24 * 3600;
    let Some(root) = document().document_element() else { return };
    // Neither call can fail with these names and values.
    let _ = match theme.attribute() {
        Some(name) => root.set_attribute("data-theme", name),
        None => root.remove_attribute("data-theme"),
    };
    let (value, age_s) = theme.attribute().map_or(("", 0), |name| (name, YEAR_S));
    if let Ok(document) = document().dyn_into::<HtmlDocument>() {
        let _ = document.set_cookie(&format!("{COOKIE}={value}; Path=/; Max-Age={age_s}; SameSite=Lax"));
    }
}

/// How a server function is reached: its address.
pub type Way = &'static str;

/// How a server function is reached.
#[must_use]
pub const fn way<F: ServerFn>() -> Way {
    F::PATH
}

/// Asks a server function, by texts: the same request that its own client would make for each of them.
pub async fn ask(way: Way, question: String) -> Told {
    let kind = RowsText::CONTENT_TYPE;
    let request = <BrowserRequest as ClientReq<AppError>>::try_new_post(way, kind, kind, question)?;
    let response = <BrowserClient as Client<AppError>>::send(request).await?;
    let refused = ClientRes::<AppError>::status(&response) >= 400;
    let text = ClientRes::<AppError>::try_into_string(response).await?;
    if refused { Err(ProblemJson::decode(text.into()).unwrap_or(AppError::Outdated)) } else { Ok(text.into()) }
}

/// The status was the server's to set.
pub fn page_not_found() {}

/// The status is the server's to set.
pub fn answer_status(_: u16) {}

/// Members of a JSON object, where they are texts. By the browser's own parser: ours would be for this alone.
#[must_use]
pub fn members<const N: usize>(json: &str, names: [&str; N]) -> Option<[Option<String>; N]> {
    let object = JSON::parse(json).ok()?;
    Some(names.map(|name| Reflect::get(&object, &name.into()).ok()?.as_string()))
}

/// The inner width of an element in px.
#[must_use]
pub fn width_of(id: &str) -> Option<u32> {
    let width = document().get_element_by_id(id)?.client_width();
    u32::try_from(width).ok().filter(|width| *width > 0)
}

/// Moves the focus to an element once what is being changed has been drawn.
pub fn focus(id: String) {
    request_animation_frame(move || {
        if let Some(element) = element(&id) {
            let _ = element.focus();
        }
    });
}

/// The link of this page that a click opens here, as it is written, and whether going there replaces the last step; none
/// where the click means another tab, or was taken already.
#[must_use]
pub fn link_of(event: &MouseEvent) -> Option<(String, bool)> {
    let elsewhere = event.meta_key() || event.ctrl_key() || event.shift_key() || event.alt_key();
    if elsewhere || event.button() != 0 || event.default_prevented() {
        return None;
    }
    let link = target(event)?.closest("a[data-noscroll]").ok()??;
    Some((link.get_attribute("href")?, link.has_attribute("data-replace")))
}

/// Whether a click opens or closes a popover.
#[must_use]
pub fn opens(event: &MouseEvent) -> bool {
    target(event).is_some_and(|element| element.closest("[popovertarget]").ok().flatten().is_some())
}

/// What the nearest element around an event says in its `data-id`.
#[must_use]
pub fn data_id(event: &Event) -> Option<String> {
    target(event)?.closest("[data-id]").ok()??.get_attribute("data-id")
}

/// Keeps the pointer with the element in which it went down, until it goes up.
pub fn hold_pointer(event: &Event) {
    if let (Some(element), Some(pointer)) = (target(event), event.dyn_ref::<PointerEvent>()) {
        let _ = element.set_pointer_capture(pointer.pointer_id());
    }
}

/// What listens to an element, until it is dropped.
pub struct Listening {
    element: Element,
    names: &'static [&'static str],
    hear: Closure<dyn FnMut(Event)>,
}

impl Drop for Listening {
    fn drop(&mut self) {
        let hear = self.hear.as_ref().unchecked_ref();
        self.names.iter().for_each(|name| drop(self.element.remove_event_listener_with_callback(name, hear)));
    }
}

/// Listens to several kinds of events of an element by one function: each that the view names is code of its own.
#[must_use]
pub fn listen(id: &str, names: &'static [&'static str], hear: Box<dyn FnMut(Event)>) -> Option<Listening> {
    let element = document().get_element_by_id(id)?;
    let hear = Closure::wrap(hear);
    let listener = hear.as_ref().unchecked_ref();
    names.iter().for_each(|name| drop(element.add_event_listener_with_callback(name, listener)));
    Some(Listening { element, names, hear })
}

/// Runs something once the frame being prepared is on the screen.
pub fn after_paint(run: impl FnOnce() + 'static) {
    request_animation_frame(move || set_timeout(run, Duration::ZERO));
}

/// Closes a popover, if it is open.
pub fn close_popover(id: &str) {
    if let Some(element) = element(id) {
        let _ = element.hide_popover();
    }
}

/// Does what the link or button says that was clicked (`data-act`: `print`, or `copy` and the id of a field); whether the menu
/// that it stands in is to close.
#[must_use]
pub fn act(event: &Event) -> bool {
    let Some(element) = target(event).and_then(|element| element.closest("a, button").ok().flatten()) else {
        return false;
    };
    let act = element.get_attribute("data-act").unwrap_or_default();
    if let Some(field) = act.strip_prefix("copy ") {
        if copy(field) {
            element.set_text_content(Some("Copied"));
        }
        return false;
    }
    if act == "print" {
        let _ = window().print();
    }
    element.tag_name() == "A" || !act.is_empty()
}

/// Nobody who has a script picks days by forms.
#[must_use]
pub const fn picked() -> Option<Day> {
    None
}

/// Writes another address of this page over the present one. The router is not told, so what the page shows stays.
pub fn rewrite_address(href: &str) {
    if let Ok(history) = window().history() {
        let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(href));
    }
}

/// Copies the text of a field. By the command that every browser has, wherever the page comes from; the clipboard's own
/// interface is there over HTTPS only.
fn copy(id: &str) -> bool {
    let Some(field) = document().get_element_by_id(id).and_then(|field| field.dyn_into::<HtmlInputElement>().ok())
    else {
        return false;
    };
    field.select();
    document().dyn_into::<HtmlDocument>().is_ok_and(|document| document.exec_command("copy").unwrap_or(false))
}

/// Whether a key was pressed on the page itself: nothing that takes keys has the focus, and no other key is held.
#[must_use]
pub fn is_on_page(event: &KeyboardEvent) -> bool {
    let held = event.alt_key() || event.ctrl_key() || event.meta_key() || event.shift_key();
    !held && target(event).is_some_and(|element| matches!(element.tag_name().as_str(), "BODY" | "MAIN"))
}

/// What is typed in a text of several lines.
#[must_use]
pub fn text_of(id: &str) -> Option<String> {
    Some(text_area(id)?.value())
}

/// Whether something happened in the element of that id.
#[must_use]
pub fn is_from(event: &Event, id: &str) -> bool {
    target(event).is_some_and(|element| element.id() == id)
}

/// An attribute of the element in which something happened.
#[must_use]
pub fn attribute_of(event: &Event, name: &str) -> Option<String> {
    target(event)?.get_attribute(name)
}

/// Marks a part of a text of several lines, which gets the focus. From and to are in UTF-16 units.
pub fn select(id: &str, from: u32, to: u32) {
    if let Some(area) = text_area(id) {
        let _ = area.focus();
        let _ = area.set_selection_range(from, to);
    }
}

fn text_area(id: &str) -> Option<HtmlTextAreaElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}

fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

/// A page as the server rendered it: it stands still. Where there is none, since one came by the back button
/// from a page of this document, it is loaded.
#[must_use]
pub fn still_page() -> impl IntoView {
    // Set once the browser has taken over what the server sent: then this page is not part of it.
    let root = document().document_element();
    if root.is_some_and(|root| root.has_attribute("data-hydrated")) {
        // Where it is refused, the address bar still loads it.
        let _ = window().location().reload();
    }
    InertElement::new("<div class=\"page\"></div>")
}

/// What such a page of several is called: by its heading, since the head's title is being written anew by now.
#[must_use]
pub fn still_title() -> String {
    let heading = document().query_selector("main h1").ok().flatten();
    heading.and_then(|heading| heading.text_content()).unwrap_or_default()
}

/// Takes over from a still part to the one that comes in its place what whoever looks did to it: which details are open,
/// how far its regions are scrolled, and the focus.
pub fn carry_over(before: &Element, after: &Element) {
    let all = |root: &Element| root.query_selector_all("details,[tabindex],a,summary").ok();
    // Asked of every link, the browser would lay the page out for each of them.
    let scrolled = |region: &HtmlElement| match region.has_attribute("tabindex") {
        true => (region.scroll_left(), region.scroll_top()),
        false => (0, 0),
    };
    let (Some(old), Some(new)) = (all(before), all(after)) else { return };
    let focused = document().active_element();
    for place in 0..old.length().min(new.length()) {
        let of = |list: &NodeList| list.get(place).and_then(|node| node.dyn_into::<HtmlElement>().ok());
        let (Some(old), Some(new)) = (of(&old), of(&new)) else { continue };
        if old.has_attribute("open") {
            let _ = new.set_attribute("open", "");
        }
        let ((left, top), focus) = (scrolled(&old), focused.as_ref() == Some(old.as_ref()));
        if left != 0 || top != 0 || focus {
            // Once it is in the document.
            request_animation_frame(move || {
                new.set_scroll_left(left);
                new.set_scroll_top(top);
                if focus {
                    let _ = new.focus();
                }
            });
        }
    }
}

/// What waits for news of what the page shows.
struct Watch {
    /// Not while nobody looks.
    source: Option<EventSource>,
    heard: Closure<dyn Fn()>,
    timer: Option<IntervalHandle>,
}

thread_local! {
    /// A document shows one page.
    static WATCH: RefCell<Option<Watch>> = const { RefCell::new(None) };
    /// [`attend`] for the document, once: added a second time it is the same.
    static ATTEND: Closure<dyn Fn()> = Closure::new(attend);
}

/// Runs something when the server says that the org's ledger has moved beyond what the page says it has seen, and every so
/// often besides, until [`unwatch`]. Where it does so already, it goes on.
pub fn watch(run: impl Fn() + Clone + 'static, every: Duration) {
    if WATCH.with_borrow(Option::is_some) || seen().is_none() {
        return;
    }
    let heard = Closure::<dyn Fn()>::new(run.clone());
    let timer = set_interval_with_handle(run, every).ok();
    WATCH.set(Some(Watch { source: None, heard, timer }));
    attend();
    // A browser has six connections for all tabs of a server: only the tab that is looked at keeps one.
    ATTEND.with(|attend| {
        let _ = document().add_event_listener_with_callback("visibilitychange", attend.as_ref().unchecked_ref());
    });
}

/// What the page has seen of the org's chain.
fn seen() -> Option<String> {
    document().query_selector("[data-live]").ok()??.get_attribute("data-live")
}

/// Listens while the page is looked at. Whoever comes back to it hears at once what was missed.
fn attend() {
    WATCH.with_borrow_mut(|watch| {
        let Some(watch) = watch else { return };
        if let Some(source) = watch.source.take() {
            source.close();
        }
        let Some(seen) = seen().filter(|_| !document().hidden()) else { return };
        let Ok(source) = EventSource::new(&format!("/live?seen={seen}")) else { return };
        let _ = source.add_event_listener_with_callback("moved", watch.heard.as_ref().unchecked_ref());
        watch.source = Some(source);
    });
}

/// Nobody waits any more.
pub fn unwatch() {
    if let Some(Watch { source, timer, .. }) = WATCH.take() {
        if let Some(source) = source {
            source.close();
        }
        if let Some(timer) = timer {
            timer.clear();
        }
    }
}

fn element(id: &str) -> Option<HtmlElement> {
    document().get_element_by_id(id)?.dyn_into().ok()
}
