//! The SVG that plotters draws on.
//!
//! Three decisions. Colours are roles and come out as CSS classes: a theme changes without a redraw, and no drawing
//! holds a literal colour. Backend coordinates are tenths of a pixel ([`UNIT`]), written by integer arithmetic alone,
//! so that server and browser write the same bytes. Elements sit in groups that carry the class once, and what is many
//! and alike becomes one path: a drawing is kept small, because a browser parses it on every change of a filter.
//!
//! The root names itself by `<title>` and `<desc>`; all text is escaped. Cost: linear in what is drawn.

use std::cell::RefCell;
use std::convert::Infallible;
use std::rc::Rc;

use plotters::coord::Shift;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind};
use plotters_backend::text_anchor::{HPos, VPos};
use plotters_backend::{BackendColor, BackendCoord, BackendStyle, BackendTextStyle, DrawingBackend, DrawingErrorKind};

use super::PATHS;
use super::role::Role;
use super::text;

/// Backend units per pixel.
pub(super) const UNIT: i32 = 10;

/// What every drawing ends with.
pub(super) const END: &str = "</svg>";

/// The box of a text that answers the pointer, in px: its height, and the room beside the text.
const TIP_PX: i32 = 20;
const TIP_GAP_PX: i32 = 8;

/// Kinds of what every drawing begins with; groups have the number of their role.
const TITLE: u8 = 100;
const DESCRIPTION: u8 = 101;
const PATTERN: u8 = 102;

/// The plain area of a whole drawing, in backend units.
pub(super) type Sheet = DrawingArea<SvgBackend, Shift>;

/// plotters' result. Writing into a String never fails, and nothing in this folder borrows a sheet twice.
pub(super) type Drawn<T = ()> = Result<T, DrawingAreaErrorKind<Infallible>>;

/// A drawing in the making: where its groups are opened and its text is taken.
pub(super) struct Canvas(Rc<RefCell<SvgBackend>>);

/// How the elements of a group are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// Each by itself, inside a `<g>`.
    Elements,
    /// All as one `<path>`: lines and rectangles only.
    Path,
}

/// What every drawing says about itself.
pub(super) struct Head<'a> {
    /// Prefix of every id in the drawing; unique on its page.
    pub id: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    /// Width and height in whole pixels.
    pub size: (i32, i32),
    /// Whether the stripes of [`Role::Hatch`] are needed.
    pub hatch: bool,
}

impl Canvas {
    pub(super) fn new(head: &Head<'_>) -> Self {
        Self(Rc::new(RefCell::new(SvgBackend::new(head))))
    }

    pub(super) fn sheet(&self) -> Sheet {
        (&self.0).into()
    }

    /// Draws a group whose elements share `role`, in the order of the calls.
    pub(super) fn group(&self, role: Role, group: Group, draw: impl FnOnce(&Sheet) -> Drawn) -> Drawn {
        self.0.borrow_mut().open(role, group);
        draw(&self.sheet())?;
        self.0.borrow_mut().close();
        Ok(())
    }

    /// Draws a group of a class of its own.
    pub(super) fn classed(&self, class: &str, draw: impl FnOnce(&Sheet) -> Drawn) -> Drawn {
        self.0.borrow_mut().svg.push_str(&format!("<g class=\"{class}\">"));
        draw(&self.sheet())?;
        self.0.borrow_mut().svg.push_str("</g>");
        Ok(())
    }

    /// Draws an area (from corner to corner) that answers the pointer: with a text above it, which the style sheet shows at
    /// once. A browser's own title keeps one waiting, and never comes where there is no pointer. Over everything else, so that
    /// nothing lies over its text.
    pub(super) fn answering(&self, class: &str, text: &str, area: [BackendCoord; 2]) {
        self.0.borrow_mut().answering(class, text, area);
    }

    pub(super) fn finish(self) -> String {
        self.pieces().0
    }

    /// The drawing, and where the elements of it begin: each with its kind.
    pub(super) fn pieces(self) -> (String, Vec<(usize, u8)>) {
        let mut backend = self.0.borrow_mut();
        backend.svg.push_str(END);
        (std::mem::take(&mut backend.svg), std::mem::take(&mut backend.pieces))
    }
}

/// The plotters backend. Outside a group every element carries its own class.
pub(super) struct SvgBackend {
    svg: String,
    /// The id prefix, escaped.
    id: String,
    size: (u32, u32),
    group: Option<(Role, Group)>,
    /// Where each element begins that is not in another one, and its kind.
    pieces: Vec<(usize, u8)>,
}

impl SvgBackend {
    fn new(head: &Head<'_>) -> Self {
        let (mut id, mut title, mut description) = Default::default();
        escape(&mut id, head.id);
        escape(&mut title, head.title);
        escape(&mut description, head.description);
        let (w, h) = head.size;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" role=\"img\" viewBox=\"0 0 {w} {h}\" \
             width=\"{w}\" height=\"{h}\" font-size=\"{}\" aria-labelledby=\"{id}-t\" aria-describedby=\"{id}-d\">",
            text::SIZE
        );
        let mut pieces = vec![(svg.len(), TITLE)];
        svg.push_str(&format!("<title id=\"{id}-t\">{title}</title>"));
        pieces.push((svg.len(), DESCRIPTION));
        svg.push_str(&format!("<desc id=\"{id}-d\">{description}</desc>"));
        if head.hatch {
            pieces.push((svg.len(), PATTERN));
            svg.push_str("<pattern id=\"");
            svg.push_str(&id);
            svg.push_str(
                "-h\" width=\"4\" height=\"4\" patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\">\
                 <path class=\"stripe\" d=\"M1 0v4\"/></pattern>",
            );
        }
        let size = (w.max(0).unsigned_abs() * 10, h.max(0).unsigned_abs() * 10);
        Self { svg, id, size, group: None, pieces }
    }

    fn open(&mut self, role: Role, group: Group) {
        self.pieces.push((self.svg.len(), role.index() + if group == Group::Path { PATHS } else { 0 }));
        self.svg.push_str(match group {
            Group::Elements => "<g class=\"",
            Group::Path => "<path class=\"",
        });
        self.svg.push_str(role.class());
        self.svg.push_str(match group {
            Group::Elements => "\">",
            Group::Path => "\" d=\"",
        });
        self.group = Some((role, group));
    }

    fn answering(&mut self, class: &str, text: &str, [from, to]: [BackendCoord; 2]) {
        let whole = i32::try_from(self.size.0).unwrap_or(i32::MAX);
        let half = (text::width(text) / 2 + TIP_GAP_PX * UNIT).min(whole / 2);
        let middle = ((from.0 + to.0) / 2).clamp(half, whole - half);
        self.svg.push_str("<g class=\"");
        self.svg.push_str(class);
        self.svg.push_str("\"><rect class=\"hit\"");
        self.corners(from, to);
        self.svg.push_str("<g class=\"tip\"><rect rx=\"4\"");
        self.corners((middle - half, 0), (middle + half, TIP_PX * UNIT));
        self.svg.push_str("<text text-anchor=\"middle\"");
        self.attribute("x", middle);
        self.attribute("y", (TIP_PX - 6) * UNIT);
        self.svg.push('>');
        escape(&mut self.svg, text);
        self.svg.push_str("</text></g></g>");
    }

    fn corners(&mut self, from: BackendCoord, to: BackendCoord) {
        for (name, value) in [("x", from.0), ("y", from.1), ("width", to.0 - from.0), ("height", to.1 - from.1)] {
            self.attribute(name, value);
        }
        self.svg.push_str("/>");
    }

    fn close(&mut self) {
        self.svg.push_str(match self.group.take() {
            Some((_, Group::Path)) => "\"/>",
            _ => "</g>",
        });
    }

    fn in_path(&self) -> bool {
        matches!(self.group, Some((_, Group::Path)))
    }

    /// Opens `<name`, with the classes that the group does not give already: the role's, the shape's, and `soft`
    /// for anything translucent.
    fn start(&mut self, name: &str, shape: &str, color: BackendColor) {
        self.svg.push('<');
        self.svg.push_str(name);
        let group = self.group.map_or("", |(role, _)| role.class());
        let role = Role::class_of(color);
        let classes = [if role == group { "" } else { role }, shape, if color.alpha < 1.0 { "soft" } else { "" }];
        let mut before = " class=\"";
        for class in classes.into_iter().filter(|class| !class.is_empty()) {
            self.svg.push_str(before);
            self.svg.push_str(class);
            before = " ";
        }
        if before == " " {
            self.svg.push('"');
        }
    }

    fn attribute(&mut self, name: &str, value: i32) {
        self.svg.push(' ');
        self.svg.push_str(name);
        self.svg.push_str("=\"");
        self.number(value);
        self.svg.push('"');
    }

    /// Writes tenths as pixels: `125` → `12.5`, `120` → `12`.
    fn number(&mut self, tenths: i32) {
        if tenths < 0 {
            self.svg.push('-');
        }
        let tenths = tenths.unsigned_abs();
        self.svg.push_str(&(tenths / 10).to_string());
        if !tenths.is_multiple_of(10) {
            self.svg.push('.');
            self.svg.extend(char::from_digit(tenths % 10, 10));
        }
    }

    fn command(&mut self, letter: char, numbers: &[i32]) {
        self.svg.push(letter);
        for (i, &n) in numbers.iter().enumerate() {
            if i > 0 {
                self.svg.push(' ');
            }
            self.number(n);
        }
    }

    fn points(&mut self, points: impl IntoIterator<Item = BackendCoord>) {
        let mut last = None;
        for (x, y) in points {
            match last {
                None => self.command('M', &[x, y]),
                Some((_, before)) if before == y => self.command('H', &[x]),
                Some(_) => self.command('L', &[x, y]),
            }
            last = Some((x, y));
        }
    }

    fn path(&mut self, points: impl IntoIterator<Item = BackendCoord>, shape: &str, color: BackendColor) {
        if self.in_path() {
            return self.points(points);
        }
        self.start("path", shape, color);
        self.svg.push_str(" d=\"");
        self.points(points);
        self.svg.push_str("\"/>");
    }
}

/// Appends `text` fit for XML content and attributes. Characters that XML 1.0 cannot hold become U+FFFD.
pub(super) fn escape(out: &mut String, text: &str) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\t' | '\n' | '\r' => out.push(' '),
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(c),
        }
    }
}

type Outcome = Result<(), DrawingErrorKind<Infallible>>;

impl DrawingBackend for SvgBackend {
    type ErrorType = Infallible;

    fn get_size(&self) -> (u32, u32) {
        self.size
    }

    fn ensure_prepared(&mut self) -> Outcome {
        Ok(())
    }

    fn present(&mut self) -> Outcome {
        Ok(())
    }

    fn draw_pixel(&mut self, (x, y): BackendCoord, color: BackendColor) -> Outcome {
        self.draw_rect((x, y), (x + UNIT, y + UNIT), &color, true)
    }

    fn draw_line<S: BackendStyle>(&mut self, from: BackendCoord, to: BackendCoord, style: &S) -> Outcome {
        self.path([from, to], "line", style.color());
        Ok(())
    }

    fn draw_rect<S: BackendStyle>(&mut self, a: BackendCoord, b: BackendCoord, style: &S, fill: bool) -> Outcome {
        let (w, h) = (b.0 - a.0, b.1 - a.1);
        if self.in_path() {
            self.command('M', &[a.0, a.1]);
            self.command('h', &[w]);
            self.command('v', &[h]);
            self.command('h', &[-w]);
            self.svg.push('z');
            return Ok(());
        }
        self.start("rect", if fill { "" } else { "line" }, style.color());
        for (name, value) in [("x", a.0), ("y", a.1), ("width", w), ("height", h)] {
            self.attribute(name, value);
        }
        if Role::class_of(style.color()) == Role::Hatch.class() {
            self.svg.push_str(" fill=\"url(#");
            self.svg.push_str(&self.id);
            self.svg.push_str("-h)\"");
        }
        self.svg.push_str("/>");
        Ok(())
    }

    fn draw_path<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Outcome {
        self.path(path, "line", style.color());
        Ok(())
    }

    fn fill_polygon<S: BackendStyle, I: IntoIterator<Item = BackendCoord>>(&mut self, path: I, style: &S) -> Outcome {
        self.path(path, "area", style.color());
        Ok(())
    }

    fn draw_circle<S: BackendStyle>(&mut self, at: BackendCoord, radius: u32, style: &S, fill: bool) -> Outcome {
        self.start("circle", if fill { "" } else { "line" }, style.color());
        let radius = i32::try_from(radius).unwrap_or(i32::MAX);
        for (name, value) in [("cx", at.0), ("cy", at.1), ("r", radius)] {
            self.attribute(name, value);
        }
        self.svg.push_str("/>");
        Ok(())
    }

    fn draw_text<T: BackendTextStyle>(&mut self, text: &str, style: &T, (x, y): BackendCoord) -> Outcome {
        self.start("text", "", style.color());
        self.attribute("x", x);
        // SVG places the baseline; capitals and figures are about 0.72 em high.
        let capital = text::SIZE * UNIT * 72 / 100;
        let anchor = style.anchor();
        self.attribute(
            "y",
            match anchor.v_pos {
                VPos::Top => y + capital,
                VPos::Center => y + capital / 2,
                VPos::Bottom => y,
            },
        );
        self.svg.push_str(match anchor.h_pos {
            HPos::Left => ">",
            HPos::Center => " text-anchor=\"middle\">",
            HPos::Right => " text-anchor=\"end\">",
        });
        escape(&mut self.svg, text);
        self.svg.push_str("</text>");
        Ok(())
    }

    fn estimate_text_size<T: BackendTextStyle>(
        &self,
        text: &str,
        _: &T,
    ) -> Result<(u32, u32), DrawingErrorKind<Infallible>> {
        Ok((text::width(text).unsigned_abs(), (text::SIZE * UNIT).unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plotters::element::{Circle, PathElement, Rectangle};
    use plotters::style::Color as _;

    fn canvas() -> Canvas {
        Canvas::new(&Head { id: "c\"<1>", title: "A & B", description: "\u{1}'\"", size: (100, 50), hatch: true })
    }

    #[test]
    fn text_and_ids_are_escaped() {
        let svg = canvas().finish();
        assert!(svg.contains("<title id=\"c&quot;&lt;1&gt;-t\">A &amp; B</title>"), "{svg}");
        assert!(svg.contains(">\u{fffd}'&quot;</desc>"), "{svg}");
    }

    #[test]
    fn roles_become_classes_once_per_group() -> Drawn {
        let canvas = canvas();
        canvas.sheet().draw(&Rectangle::new([(0, 0), (105, 20)], Role::Series(3).filled()))?;
        canvas.group(Role::Series(200), Group::Elements, |sheet| {
            sheet.draw(&Rectangle::new([(0, 0), (10, 20)], Role::Series(8).filled()))?;
            sheet.draw(&PathElement::new(vec![(0, 5), (10, 20)], Role::Series(8).mix(0.5)))?;
            sheet.draw(&Circle::new((10, 10), 5, Role::Axis.filled()))
        })?;
        let svg = canvas.finish();
        let body = svg.split_once("</pattern>").map_or("", |(_, body)| body);
        assert_eq!(
            body,
            "<rect class=\"s3\" x=\"0\" y=\"0\" width=\"10.5\" height=\"2\"/><g class=\"s8\">\
             <rect x=\"0\" y=\"0\" width=\"1\" height=\"2\"/><path class=\"line soft\" d=\"M0 0.5L1 2\"/>\
             <circle class=\"axis\" cx=\"1\" cy=\"1\" r=\"0.5\"/></g></svg>"
        );
        Ok(())
    }

    #[test]
    fn a_path_group_is_one_element() -> Drawn {
        let canvas = canvas();
        canvas.group(Role::Grid, Group::Path, |sheet| {
            sheet.draw(&PathElement::new(vec![(0, 5), (10, 5)], Role::Grid))?;
            sheet.draw(&Rectangle::new([(0, 0), (10, 20)], Role::Grid.filled()))
        })?;
        let svg = canvas.finish();
        assert!(svg.ends_with("<path class=\"grid\" d=\"M0 0.5H1M0 0h1v2h-1z\"/></svg>"), "{svg}");
        Ok(())
    }
}
