//! Buying credits from pages: plain forms, then a redirect. What somebody chose is a row before the provider is asked; where
//! the provider does not answer, the page of the purchase says that it is awaited, and the job asks again.

use crate::access::SignedIn;
use crate::pages::{problem_of, written_out};
use crate::payment::sandbox::{CARDS, Sandbox, method};
use crate::payment::{Forged, Stored};
use crate::problem::Problem;
use crate::state::AppState;
use app::AppError;
use app::backend::purchases::Begun;
use app::backend::{self, Backend, Viewer};
use app::components::billing::invoice;
use app::components::billing::purchase::sandbox::{Shown, Step, address};
use app::components::billing::purchase::{METHODS, PURCHASES, choose, methods, sandbox, state};
use app::components::written::{self, Asked, Written};
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use ledger::payment::Provider;
use ledger::{InvoiceId, Permission, PurchaseId};
use std::time::Duration;
use store::payment::PaymentRow;
use store::sandbox::SandboxPayment;

/// Most bytes of a provider's message: those of Stripe have some kilobytes.
pub const MAX_MESSAGE_BYTES: usize = 256 * 1024;

/// How long whoever comes back from a provider waits for what it says, and how often it is asked while they look again.
const ASK_FOR: Duration = Duration::from_secs(3);
const ASK_AGAIN_S: i64 = 5;

/// The pages of purchases.
pub async fn page(State(app): State<AppState>, SignedIn(viewer): SignedIn, request: Request) -> Response {
    let backend = Backend { store: app.store.clone(), viewer };
    let (uri, origin) = (request.uri().clone(), backend::origin_of(request.headers()));
    let page = read(&app, &backend, origin, &uri).await;
    written_out(&app, backend.viewer, request, page).await
}

async fn read(app: &AppState, backend: &Backend, origin: String, uri: &Uri) -> Result<Written, AppError> {
    let asked = written::asked(backend, origin, uri.path(), uri.query().unwrap_or_default()).await?;
    let offered = app.payments.offered();
    match asked.path.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["billing", "purchase"] => choose::page(&asked, &offered).await,
        ["billing", "purchases", id] => {
            if let Some(id) = PurchaseId::parse(id).filter(|_| asked.get("back") == "yes") {
                came_back(app, backend.under_way(id).await?).await;
            }
            state::page(&asked, &offered).await
        }
        ["billing", "invoices", id] => {
            if let Some(invoice) = InvoiceId::parse(id).filter(|_| asked.get("back") == "yes") {
                came_back(app, backend.invoice_under_way(invoice).await?).await;
            }
            invoice::page(&asked, id, &offered).await
        }
        ["billing", "methods"] => methods::page(&asked, &offered).await,
        ["billing", "sandbox", reference] => of_sandbox(app, &asked, reference).await,
        _ => Err(AppError::NotFound),
    }
}

/// Begins a purchase, and leads to where it is paid.
///
/// # Errors
/// What the store says.
pub async fn buy(State(app): State<AppState>, SignedIn(viewer): SignedIn, body: String) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    match backend.buy(&app.payments.offered(), &body).await.map_err(|error| problem_of(&error))? {
        Ok(begun) => Ok(to_pay(&app, begun).await),
        Err(back) => Ok(Redirect::to(&back)),
    }
}

/// Asks the provider, and leads on: to a page of ours at once, to one elsewhere by a link, since the pages' policy lets forms
/// lead nowhere else.
async fn to_pay(app: &AppState, begun: Begun) -> Redirect {
    if let Err(error) = app.payments.ask(begun.org, begun.payment).await {
        tracing::warn!(%error, payment = %begun.payment, "a payment is asked for again later");
    }
    deliver(app);
    let row = app.store.payment(begun.org, begun.payment).await.ok();
    let on = row.filter(|row| row.method.is_none()).and_then(|row| row.action_url);
    Redirect::to(&on.filter(|url| url.starts_with('/')).unwrap_or(begun.page))
}

/// What the sandbox has to say goes its way while the page is answered.
fn deliver(app: &AppState) {
    let payments = app.payments.clone();
    tokio::spawn(async move {
        if let Err(error) = payments.deliver_sandbox().await {
            tracing::warn!(%error, "messages of the sandbox are sent again later");
        }
    });
}

/// Tries to be paid once more, or gives a purchase up.
///
/// # Errors
/// What the store says.
pub async fn again(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let id = PurchaseId::parse(&id).ok_or_else(|| problem_of(&AppError::NotFound))?;
    if gives_up(&body) {
        give_up(&app, backend.under_way(id).await.map_err(|error| problem_of(&error))?).await;
        return Ok(Redirect::to(&format!("{PURCHASES}/{id}")));
    }
    let begun = backend.pay_again(&app.payments.offered(), id, &body).await.map_err(|error| problem_of(&error))?;
    match begun {
        Some(begun) => Ok(to_pay(&app, begun).await),
        None => Ok(Redirect::to(&format!("{PURCHASES}/{id}"))),
    }
}

/// Pays what is open of an invoice, or gives up to.
///
/// # Errors
/// What the store says.
pub async fn pay_invoice(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(id): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let id = InvoiceId::parse(&id).ok_or_else(|| problem_of(&AppError::NotFound))?;
    let here = Redirect::to(&format!("{}/{id}", invoice::PATH));
    if gives_up(&body) {
        give_up(&app, backend.invoice_under_way(id).await.map_err(|error| problem_of(&error))?).await;
        return Ok(here);
    }
    let begun = backend.pay_invoice(&app.payments.offered(), id, &body).await.map_err(|error| problem_of(&error))?;
    match begun {
        Some(begun) => Ok(to_pay(&app, begun).await),
        None => Ok(here),
    }
}

fn gives_up(body: &str) -> bool {
    body.split('&').any(|pair| pair == "do=give-up")
}

async fn give_up(app: &AppState, under_way: Option<PaymentRow>) {
    let Some(row) = under_way else { return };
    if let Err(error) = app.payments.cancel(row.org, row.id).await {
        tracing::warn!(%error, payment = %row.id, "a payment could not be given up");
    }
}

/// Adds, chooses or removes a payment method.
///
/// # Errors
/// What the store says.
pub async fn act_on_methods(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    request: Request,
) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    let too_long = |_| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", "the form is too long");
    // The route bounds it.
    let body = to_bytes(body, usize::MAX).await.map_err(too_long)?;
    let body = String::from_utf8_lossy(&body).into_owned();
    let backend = Backend { store: app.store.clone(), viewer };
    let viewer = backend.allowed(Permission::ManageBilling).map_err(|error| problem_of(&error))?.clone();
    let form: Vec<(String, String)> = serde_urlencoded::from_str(&body).unwrap_or_default();
    let get = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    match get("do") {
        "add" | "keep" => match store_method(&app, &backend, &viewer, get("provider"), get("session")).await {
            Ok(page) => Ok(Redirect::to(&page).into_response()),
            // A link leads elsewhere; the pages' policy lets no form do that.
            Err(elsewhere) => {
                let request = Request::from_parts(parts, Body::empty());
                Ok(written_out(&app, backend.viewer, request, Ok(methods::go_on(&elsewhere))).await)
            }
        },
        _ => {
            let page = backend.act_on_method(&body).await.map_err(|error| problem_of(&error))?;
            Ok(Redirect::to(&page).into_response())
        }
    }
}

/// Begins to store a method, or keeps the one that came back with whoever stored it; the address that follows, `Err` for one that
/// is not ours.
async fn store_method(
    app: &AppState,
    backend: &Backend,
    viewer: &Viewer,
    name: &str,
    session: &str,
) -> Result<String, String> {
    let failed = Ok(format!("{METHODS}?error=not_stored"));
    let Some(provider) = Provider::parse(name).and_then(|name| app.payments.provider(name)) else { return failed };
    let done = if session.is_empty() {
        provider.store_method(viewer.org, &app.payments.url(METHODS)).await
    } else {
        let found = provider.stored_method(viewer.org, session).await;
        match found {
            Ok(Some(method)) => Ok(Stored::Done(method)),
            Ok(None) => return failed,
            Err(error) => Err(error),
        }
    };
    match done {
        Ok(Stored::At(url)) if url.starts_with('/') => Ok(url),
        Ok(Stored::At(url)) => Err(url),
        Ok(Stored::Done(method)) => match backend.keep_method(provider.name(), method).await {
            Ok(()) => Ok(format!("{METHODS}?done=added")),
            Err(_) => failed,
        },
        Err(error) => {
            tracing::warn!(%error, "a payment method was not stored");
            failed
        }
    }
}

/// Whoever comes back from the provider is told how it stands, whether its message is here or not: the provider is asked, not
/// the address believed.
async fn came_back(app: &AppState, under_way: Option<PaymentRow>) {
    let Some(row) = under_way else { return };
    let since_s = row.asked_at.map_or(i64::MAX, |at| (app.store.now().micros() - at.micros()) / 1_000_000);
    if since_s < ASK_AGAIN_S {
        return;
    }
    match tokio::time::timeout(ASK_FOR, app.payments.ask(row.org, row.id)).await {
        Ok(Ok(_)) => {}
        Ok(Err(error)) => tracing::warn!(%error, payment = %row.id, "a payment is asked for again later"),
        Err(_) => tracing::warn!(payment = %row.id, "the provider takes long: it is asked again later"),
    }
}

async fn of_sandbox(app: &AppState, asked: &Asked<'_>, reference: &str) -> Result<Written, AppError> {
    let viewer = asked.backend.allowed(Permission::ManageBilling)?;
    let sandbox = app.payments.sandbox().ok_or(AppError::NotFound)?;
    let here = address(reference);
    if reference == "store" {
        let shown = Shown { here, pays: None, back: METHODS.to_owned(), cards: CARDS, step: Step::Store };
        return Ok(sandbox::page(&shown));
    }
    let payment = own_payment(sandbox, viewer, reference).await?;
    let disputed = app.store.payment(payment.org, payment.payment).await?.stands.dispute;
    let step = match payment.state.as_str() {
        "open" => Step::Pay,
        "authenticate" => Step::Authenticate,
        "declined" => Step::Over("The bank declined this payment."),
        "cancelled" => Step::Over("This payment was given up."),
        _ if disputed == ledger::payment::Dispute::Open => Step::Decide,
        _ => Step::Over("This payment was made."),
    };
    let pays = Some((payment.title, payment.amount));
    Ok(sandbox::page(&Shown { here, pays, back: payment.return_path, cards: CARDS, step }))
}

/// A payment of the viewer's own org, and of no other.
async fn own_payment(sandbox: &Sandbox, viewer: &Viewer, reference: &str) -> Result<SandboxPayment, AppError> {
    let found = sandbox.payment(reference).await?;
    found.filter(|payment| payment.org == viewer.org).ok_or(AppError::NotFound)
}

/// Somebody chose what the bank of the sandbox does.
///
/// # Errors
/// What the store says.
pub async fn play(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    Path(reference): Path<String>,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = played(&app, &backend, &reference, &body).await.map_err(|error| problem_of(&error))?;
    deliver(&app);
    Ok(Redirect::to(&page))
}

async fn played(app: &AppState, backend: &Backend, reference: &str, body: &str) -> Result<String, AppError> {
    let viewer = backend.allowed(Permission::ManageBilling)?;
    let sandbox = app.payments.sandbox().ok_or(AppError::NotFound)?;
    let form: Vec<(String, String)> = serde_urlencoded::from_str(body).unwrap_or_default();
    let get = |name: &str| form.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    if reference == "store" {
        let method = method(get("card")).ok_or(AppError::NotFound)?;
        backend.keep_method(Provider::Sandbox, method).await?;
        return Ok(format!("{METHODS}?done=added"));
    }
    let payment = own_payment(sandbox, viewer, reference).await?;
    match get("do") {
        "pay" => sandbox.pay(&payment, get("card"), get("keep") == "yes").await?,
        "authenticate" => sandbox.authenticate(&payment, true).await?,
        "refuse" => sandbox.authenticate(&payment, false).await?,
        "cancel" => sandbox.give_up(&payment).await?,
        "won" => sandbox.decide(&payment, true).await?,
        "lost" => sandbox.decide(&payment, false).await?,
        _ => return Err(AppError::NotFound),
    };
    let now = own_payment(sandbox, viewer, reference).await?;
    Ok(if now.state == "authenticate" { address(reference) } else { now.return_path })
}

/// What operators do: give money back, confirm a transfer.
///
/// # Errors
/// What the store says.
pub async fn act_on_till(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    body: String,
) -> Result<Redirect, Problem> {
    let backend = Backend { store: app.store.clone(), viewer };
    let page = backend.act_on_till(&body).await.map_err(|error| problem_of(&error))?;
    let payments = app.payments.clone();
    tokio::spawn(async move {
        // What cannot be done now the job does later.
        if let Err(error) = crate::jobs::payments::refunds(&payments).await {
            tracing::warn!(%error, "refunds are asked for again later");
        }
    });
    Ok(Redirect::to(&page))
}

/// The door for messages of providers. 200 once what follows is on disk; anything else has them sent again.
///
/// # Errors
/// 400 for what nobody signed, 404 for a provider that is not set up, or what the store says.
pub async fn webhook(
    State(app): State<AppState>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Problem> {
    let known = Provider::parse(&name).filter(|name| app.payments.provider(*name).is_some());
    let name = known.ok_or_else(|| Problem::not_found("no such provider is set up here"))?;
    match app.payments.take(name, &headers, &body).await? {
        Ok(_) => Ok(StatusCode::OK.into_response()),
        Err(forged) => {
            tracing::warn!(%forged, provider = name.as_str(), "a message was not believed");
            let code = match forged {
                Forged::Signature => "bad_signature",
                Forged::Stale => "stale_signature",
                Forged::Unreadable => "bad_message",
            };
            Err(Problem::new(StatusCode::BAD_REQUEST, code, forged.to_string()))
        }
    }
}
