//! The document and what is in it: head, header, the page that the address names.

use crate::components::banner::Banner;
use crate::components::eager::Eager;
use crate::components::header::Header;
use crate::pages::analytics::AnalyticsPage;
use crate::pages::event::EventPage;
use crate::pages::ledger::LedgerPage;
use crate::pages::overview::OverviewPage;
use crate::pages::rate_card::RateCardPage;
use crate::pages::still::StillPage;
use crate::platform;
use crate::server_fns::session::{GetSession, SessionInfo};
use crate::server_fns::{Answer, answer};
use leptos::nonce::use_nonce;
use leptos::prelude::*;
use leptos_meta::{MetaTags, Title, provide_meta_context};
use leptos_router::components::{FlatRoutes, Route, Router};
use leptos_router::path;

/// Where the browser finds what it needs. The server gives them to the app as a context; their names hold a hash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assets {
    /// The script that loads the WebAssembly.
    pub js: String,
    /// The WebAssembly.
    pub wasm: String,
    /// The styles.
    pub css: String,
    /// Those of pages that stand still (settings, help, operation, the ways in), where it is one of them: the first load of a
    /// dashboard goes without.
    pub still: Option<String>,
}

/// Waits for the first key that means something and then loads `public/palette.js`, which does the rest: keys that come while it is
/// loaded are handed to it. Keys that go into a field are the field's; single keys can be turned off.
const KEYS: &str = "{const q=[],f=e=>{const k=(e.key||'..').toLowerCase(),c=(e.ctrlKey||e.metaKey)&&!e.altKey;\
if(!q.length&&(c?k!='k':e.altKey||!'g/?'.includes(k)||/scrip_shortcuts=off/.test(document.cookie)||\
e.target.closest?.('input,textarea,select,[contenteditable]')))return;\
if(c||k=='/')e.preventDefault();if(q.push(e)<2)import('/palette.js').then(m=>{removeEventListener('keydown',f);m.start(q)})};\
addEventListener('keydown',f)}";

/// Who is looking, asked once per visit.
pub type SessionResource = Answer<Option<SessionInfo>>;

/// The whole document. Server only: reads [`Assets`] and the theme's cookie.
///
/// Its type is erased, so that rendering is compiled with this crate and not again with each program that serves it.
#[must_use]
pub fn shell() -> AnyView {
    let Assets { js, wasm, css, still } = expect_context::<Assets>();
    // The addresses are ours: letters, digits, dots and slashes.
    let start =
        format!("import init, {{ hydrate }} from \"{js}\"; await init({{ module_or_path: \"{wasm}\" }}); hydrate();");
    view! {
        <!DOCTYPE html>
        <html lang="en" data-theme=platform::theme().attribute() data-product=platform::product() data-support=platform::support()>
            <head>
                <meta charset="utf-8"/>
                <meta name="viewport" content="width=device-width, initial-scale=1"/>
                <meta name="color-scheme" content="light dark"/>
                <link rel="icon" href="/favicon.svg" type="image/svg+xml"/>
                <link rel="stylesheet" href=css/>
                {still.map(|still| view! { <link rel="stylesheet" href=still/> })}
                <link rel="modulepreload" href=js/>
                <link rel="preload" href=wasm r#as="fetch" type="application/wasm" crossorigin="anonymous"/>
                <script nonce=use_nonce()>{KEYS}</script>
                <script type="module" src="/bell.js" nonce=use_nonce()></script>
                <script type="module" nonce=use_nonce()>{start}</script>
                <MetaTags/>
            </head>
            <body>
                <App/>
            </body>
        </html>
    }
    .into_any()
}

/// What is hydrated.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    let who: SessionResource = answer(|| GetSession {});
    provide_context(who);
    let product = platform::product();
    view! {
        <Title formatter=move |title| platform::title(format!("{title} · {product}"))/>
        <Router>
            // The browser itself moves the focus, which the router's navigation would not.
            <a class="skip-link" href="#main" rel="external">"Skip to content"</a>
            <Header who/>
            <Banner who/>
            <main id="main" tabindex="-1">
                <FlatRoutes fallback=|| Eager(view! { <StillPage/> })>
                    <Route path=path!("/") view=|| Eager(view! { <OverviewPage/> })/>
                    <Route path=path!("/analytics") view=|| Eager(view! { <AnalyticsPage/> })/>
                    <Route path=path!("/ledger") view=|| Eager(view! { <LedgerPage/> })/>
                    <Route path=path!("/rate-card") view=|| Eager(view! { <RateCardPage/> })/>
                    <Route path=path!("/events/:id") view=|| Eager(view! { <EventPage/> })/>
                </FlatRoutes>
            </main>
        </Router>
    }
}
