//! Charts as files: SVG as it is drawn, PNG made of it here, so that neither needs a script.
//!
//! The font is ours, since a server may have none: Liberation Sans (server/fonts, SIL Open Font License), which has Latin,
//! Greek and Cyrillic letters; others are left out of a PNG, while an SVG has them from whoever opens it.

use crate::access::SignedIn;
use crate::pages::problem_of;
use crate::problem::Problem;
use crate::state::AppState;
use app::picture::{Picture, usage_chart};
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::fontdb::Database;
use resvg::usvg::{Options, Tree};
use std::sync::{Arc, LazyLock};

/// Dots of a PNG for each px: sharp on dense screens and on paper.
const SCALE: f32 = 2.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(include_bytes!("../fonts/LiberationSans-Regular.ttf").to_vec());
    fonts.set_sans_serif_family("Liberation Sans");
    Arc::new(fonts)
});

/// What the Analytics page draws, as SVG.
///
/// # Errors
/// A query that the page would refuse too.
pub async fn usage_svg(state: State<AppState>, viewer: SignedIn, query: RawQuery) -> Result<Response, Problem> {
    let Picture { name, svg } = picture(state, viewer, query).await?;
    Ok(file(&name, "svg", "image/svg+xml", svg.into_bytes()))
}

/// The same as PNG.
///
/// # Errors
/// As [`usage_svg`].
pub async fn usage_png(state: State<AppState>, viewer: SignedIn, query: RawQuery) -> Result<Response, Problem> {
    let Picture { name, svg } = picture(state, viewer, query).await?;
    // Some 30 ms of work: not on a thread that answers requests.
    let png = tokio::task::spawn_blocking(move || png(&svg)).await.ok().flatten();
    let failed = || Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the picture could not be made");
    Ok(file(&name, "png", "image/png", png.ok_or_else(failed)?))
}

async fn picture(
    State(app): State<AppState>,
    SignedIn(viewer): SignedIn,
    RawQuery(query): RawQuery,
) -> Result<Picture, Problem> {
    let viewer = viewer.ok_or_else(|| Problem::new(StatusCode::UNAUTHORIZED, "not_signed_in", "sign in again"))?;
    usage_chart(&app.store, viewer.org, &query.unwrap_or_default()).await.map_err(|error| problem_of(&error))
}

fn file(name: &str, ending: &str, kind: &'static str, content: Vec<u8>) -> Response {
    let attachment = format!("attachment; filename=\"{name}.{ending}\"");
    ([(CONTENT_TYPE, kind.to_owned()), (CONTENT_DISPOSITION, attachment)], content).into_response()
}

/// `None` for what is no SVG, or has no size.
fn png(svg: &str) -> Option<Vec<u8>> {
    let options = Options { fontdb: FONTS.clone(), font_family: "Liberation Sans".to_owned(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).ok()?;
    let size = tree.size().to_int_size().scale_by(SCALE)?;
    let mut dots = Pixmap::new(size.width(), size.height())?;
    resvg::render(&tree, Transform::from_scale(SCALE, SCALE), &mut dots.as_mut());
    dots.encode_png().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawing_becomes_dots_with_its_text() {
        let drawn = |text: &str| {
            png(&format!(
                "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"40\" height=\"20\">\
                 <text font-family=\"system-ui, Arial, sans-serif\" x=\"2\" y=\"14\">{text}</text></svg>"
            ))
            .expect("a picture")
        };
        let (empty, full) = (drawn(""), drawn("g8"));
        assert!(full.starts_with(b"\x89PNG") && full.len() > empty.len(), "no letters were drawn");
        assert_eq!(full[16..24], [0, 0, 0, 80, 0, 0, 0, 40], "twice as many dots as px");
        assert_eq!(png("<p>"), None);
    }
}
