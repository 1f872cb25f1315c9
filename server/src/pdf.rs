//! Invoices as PDF: A4, with fonts of their own inside, from the same words as the page ([`Sheet`]).
//!
//! Written by krilla, the writer that typst uses, with a layout of our own: a typesetter with its compiler, its standard library and its
//! own fonts would be more than everything else here (15 minutes of a core for a release build, 45 MB of binary), for one document of
//! headings, tables and paragraphs. What is laid out first and drawn second, so that each page knows how many there are.
//!
//! Letters that the font does not have (it has Latin, Greek and Cyrillic; one with Chinese, Japanese and Korean is 4 MB and more) are drawn
//! as boxes, and the paper says so ([`BOXES`]). Bounds: an invoice's own.

use app::components::billing::sheet::{Grid, Sheet, Total};
use krilla::Document;
use krilla::color::rgb;
use krilla::geom::{PathBuilder, Point};
use krilla::metadata::Metadata;
use krilla::num::NormalizedF32;
use krilla::page::PageSettings;
use krilla::paint::{Fill, FillRule};
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};

const REGULAR: &[u8] = include_bytes!("../fonts/LiberationSans-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../fonts/LiberationSans-Bold.ttf");

/// A4 in points.
const PAGE: (f32, f32) = (595.28, 841.89);
/// Around the page.
const MARGIN: f32 = 56.0;
/// Where the text ends: below it stands the number of the page.
const BOTTOM: f32 = PAGE.1 - MARGIN - 20.0;
const RIGHT: f32 = PAGE.0 - MARGIN;
const WIDTH: f32 = RIGHT - MARGIN;
/// From one line to the next, by the size of the letters.
const LEADING: f32 = 1.35;
/// Between columns.
const GAP: f32 = 14.0;
/// Least width of the first column of a table: what does not fit beside it breaks into lines.
const LEAST_FIRST: f32 = 150.0;

/// Sizes of letters.
const TITLE: f32 = 20.0;
const HEADING: f32 = 12.0;
const TEXT: f32 = 9.5;
const SMALL: f32 = 8.0;

/// What the paper says where it has letters that the font does not have.
const BOXES: &str = "Boxes stand for letters that this file has no font for. The page of the invoice shows them.";

/// Why there is no PDF: a fault of ours, for the log.
#[derive(Debug, thiserror::Error)]
#[error("an invoice could not be written as PDF: {0}")]
pub struct PdfError(String);

/// An invoice as PDF.
///
/// # Errors
/// [`PdfError`], where a font or the writer fails.
pub fn invoice(sheet: &Sheet) -> Result<Vec<u8>, PdfError> {
    let faces = Faces::load()?;
    let pages = Layout::new(&faces).invoice(sheet);
    draw(sheet, &pages, &faces)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Weight {
    Regular,
    Bold,
}

#[derive(Debug, Clone, Copy)]
struct Style {
    size: f32,
    weight: Weight,
    muted: bool,
}

const fn style(size: f32, weight: Weight, muted: bool) -> Style {
    Style { size, weight, muted }
}

const PLAIN: Style = style(TEXT, Weight::Regular, false);
const STRONG: Style = style(TEXT, Weight::Bold, false);
const MUTED: Style = style(SMALL, Weight::Regular, true);

/// Something on a page.
enum Mark {
    Text { x: f32, y: f32, style: Style, text: String },
    Rule { from: f32, to: f32, y: f32 },
}

/// The two fonts, with what is known of their letters.
struct Faces {
    regular: FontRef<'static>,
    bold: FontRef<'static>,
}

impl Faces {
    fn load() -> Result<Self, PdfError> {
        let read = |data: &'static [u8]| FontRef::new(data).map_err(|error| PdfError(error.to_string()));
        Ok(Self { regular: read(REGULAR)?, bold: read(BOLD)? })
    }

    const fn of(&self, weight: Weight) -> &FontRef<'static> {
        match weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        }
    }

    /// The letters of a text, each as wide as a part of the size.
    fn glyphs(&self, weight: Weight, text: &str) -> Vec<KrillaGlyph> {
        let font = self.of(weight);
        let (letters, widths) = (font.charmap(), font.glyph_metrics(Size::unscaled(), LocationRef::default()));
        let em = f32::from(font.metrics(Size::unscaled(), LocationRef::default()).units_per_em);
        let glyph = |(at, letter): (usize, char)| {
            let id = letters.map(letter).unwrap_or_default();
            let width = widths.advance_width(id).unwrap_or(em) / em;
            KrillaGlyph::new(GlyphId::new(id.to_u32()), width, 0.0, 0.0, 0.0, at..at + letter.len_utf8(), None)
        };
        text.char_indices().map(glyph).collect()
    }

    /// Whether it has a letter that the fonts do not have: both have the same.
    fn lacks(&self, text: &str) -> bool {
        let letters = self.regular.charmap();
        text.chars().any(|letter| !letter.is_whitespace() && letters.map(letter).is_none())
    }

    fn width(&self, style: Style, text: &str) -> f32 {
        self.glyphs(style.weight, text).iter().map(|glyph| glyph.x_advance * style.size).sum()
    }

    /// A text in lines that fit. A word that is wider than a line is cut.
    fn lines(&self, style: Style, text: &str, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        for word in text.split_whitespace() {
            for part in self.parts(style, word, width) {
                let Some(line) = lines.last_mut() else { continue };
                let longer = if line.is_empty() { part.clone() } else { format!("{line} {part}") };
                if line.is_empty() || self.width(style, &longer) <= width {
                    *line = longer;
                } else {
                    lines.push(part);
                }
            }
        }
        lines
    }

    fn parts(&self, style: Style, word: &str, width: f32) -> Vec<String> {
        if self.width(style, word) <= width {
            return vec![word.to_owned()];
        }
        let (mut parts, mut used) = (vec![String::new()], 0.0);
        for letter in word.chars() {
            let wide = self.width(style, letter.encode_utf8(&mut [0; 4]));
            if used + wide > width && used > 0.0 {
                parts.push(String::new());
                used = 0.0;
            }
            used += wide;
            if let Some(part) = parts.last_mut() {
                part.push(letter);
            }
        }
        parts
    }
}

/// Pages that are being filled, from top to bottom.
struct Layout<'f> {
    faces: &'f Faces,
    pages: Vec<Vec<Mark>>,
    /// Where the next line begins.
    y: f32,
}

/// Where a column is, and whether it holds numbers.
struct Column {
    x: f32,
    width: f32,
    is_number: bool,
}

impl<'f> Layout<'f> {
    fn new(faces: &'f Faces) -> Self {
        Self { faces, pages: vec![Vec::new()], y: MARGIN }
    }

    fn invoice(mut self, sheet: &Sheet) -> Vec<Vec<Mark>> {
        self.paragraph(&sheet.title, style(TITLE, Weight::Bold, false));
        self.y += 12.0;
        self.facts(&sheet.facts);
        self.parties(&sheet.parties);
        self.grid(&sheet.money);
        self.totals(&sheet.totals);
        if let Some(usage) = &sheet.usage {
            self.grid(usage);
        }
        self.y += 6.0;
        for note in &sheet.notes {
            self.paragraph(note, PLAIN);
        }
        if sheet.texts().any(|text| self.faces.lacks(text)) {
            self.paragraph(BOXES, PLAIN);
        }
        self.pages
    }

    /// Begins a new page where so much does not fit on this one; tells whether it did.
    fn make_room(&mut self, height: f32) -> bool {
        if self.y + height <= BOTTOM {
            return false;
        }
        self.pages.push(Vec::new());
        self.y = MARGIN;
        true
    }

    fn put(&mut self, mark: Mark) {
        if let Some(page) = self.pages.last_mut() {
            page.push(mark);
        }
    }

    /// A line of text whose top is at `y`.
    fn text(&mut self, (x, y): (f32, f32), style: Style, text: &str) {
        if !text.is_empty() {
            self.put(Mark::Text { x, y: y + style.size, style, text: text.to_owned() });
        }
    }

    /// The same, ending at `x`.
    fn text_until(&mut self, (x, y): (f32, f32), style: Style, text: &str) {
        let width = self.faces.width(style, text);
        self.text((x - width, y), style, text);
    }

    fn paragraph(&mut self, text: &str, style: Style) {
        for line in self.faces.lines(style, text, WIDTH) {
            self.make_room(style.size * LEADING);
            self.text((MARGIN, self.y), style, &line);
            self.y += style.size * LEADING;
        }
    }

    fn facts(&mut self, facts: &[(String, String)]) {
        let mut x = MARGIN;
        for (label, value) in facts {
            let width = self.faces.width(MUTED, label).max(self.faces.width(PLAIN, value)) + 2.0 * GAP;
            self.text((x, self.y), MUTED, label);
            self.text((x, self.y + SMALL * LEADING), PLAIN, value);
            x += width;
        }
        self.y += (SMALL + TEXT) * LEADING + 20.0;
    }

    fn parties(&mut self, parties: &[(String, Vec<String>)]) {
        let (top, mut lowest) = (self.y, self.y);
        let width = WIDTH / 2.0;
        let mut x = MARGIN;
        for (title, lines) in parties {
            let mut y = top;
            self.text((x, y), MUTED, title);
            y += SMALL * LEADING;
            for (place, line) in lines.iter().enumerate() {
                let style = if place == 0 { STRONG } else { PLAIN };
                for line in self.faces.lines(style, line, width - GAP) {
                    self.text((x, y), style, &line);
                    y += TEXT * LEADING;
                }
            }
            lowest = lowest.max(y);
            x += width;
        }
        self.y = lowest + 24.0;
    }

    fn columns(&self, grid: &Grid) -> Vec<Column> {
        let widest = |place: usize| {
            let rows = grid.rows.iter().filter_map(|row| row.cells.get(place));
            let rows = rows.map(|text| self.faces.width(PLAIN, text));
            let total = grid.total.iter().filter_map(|cells| cells.get(place));
            let total = total.map(|text| self.faces.width(STRONG, text));
            let head = grid.heads.get(place).map_or(0.0, |text| self.faces.width(MUTED, text));
            rows.chain(total).fold(head, f32::max) + GAP
        };
        let rest: Vec<f32> = (1..grid.heads.len()).map(widest).collect();
        let first = (WIDTH - rest.iter().sum::<f32>()).max(LEAST_FIRST);
        let mut x = MARGIN;
        let mut columns = Vec::with_capacity(grid.heads.len());
        for (place, width) in std::iter::once(first).chain(rest).enumerate() {
            columns.push(Column { x, width, is_number: place >= grid.words });
            x += width;
        }
        columns
    }

    fn grid(&mut self, grid: &Grid) {
        let columns = self.columns(grid);
        // A heading is not left alone at the end of a page.
        self.make_room(HEADING * LEADING + 5.0 * TEXT * LEADING);
        self.paragraph(&grid.title, style(HEADING, Weight::Bold, false));
        if !grid.note.is_empty() {
            self.paragraph(&grid.note, MUTED);
        }
        self.y += 4.0;
        self.heads(&grid.heads, &columns);
        for row in &grid.rows {
            let first = columns.first().map_or(WIDTH, |column| column.width - GAP);
            let lines = self.faces.lines(PLAIN, row.cells.first().map_or("", String::as_str), first);
            let notes = if row.note.is_empty() { Vec::new() } else { self.faces.lines(MUTED, &row.note, first) };
            let height = height(&lines, &notes);
            if self.make_room(height) {
                self.heads(&grid.heads, &columns);
            }
            self.row(&row.cells, &columns, PLAIN);
            self.first(&lines, &notes);
            self.y += height;
            self.rule(self.y - 3.0);
        }
        if let Some(cells) = &grid.total {
            self.make_room(2.0 * TEXT * LEADING);
            self.row(cells, &columns, STRONG);
            self.text((MARGIN, self.y), STRONG, cells.first().map_or("", String::as_str));
            self.y += TEXT * LEADING;
        }
        self.y += 16.0;
    }

    fn heads(&mut self, heads: &[String], columns: &[Column]) {
        self.row(heads, columns, MUTED);
        self.text((MARGIN, self.y), MUTED, heads.first().map_or("", String::as_str));
        self.y += SMALL * LEADING + 3.0;
        self.rule(self.y - 2.0);
        self.y += 3.0;
    }

    /// All cells but the first.
    fn row(&mut self, cells: &[String], columns: &[Column], style: Style) {
        for (cell, column) in cells.iter().zip(columns).skip(1) {
            match column.is_number {
                true => self.text_until((column.x + column.width, self.y), style, cell),
                false => self.text((column.x, self.y), style, cell),
            }
        }
    }

    /// The first cell, with the small line below it.
    fn first(&mut self, lines: &[String], notes: &[String]) {
        let mut y = self.y;
        for line in lines {
            self.text((MARGIN, y), PLAIN, line);
            y += TEXT * LEADING;
        }
        for note in notes {
            self.text((MARGIN, y), MUTED, note);
            y += SMALL * LEADING;
        }
    }

    fn rule(&mut self, y: f32) {
        self.put(Mark::Rule { from: MARGIN, to: RIGHT, y });
    }

    fn totals(&mut self, totals: &[Total]) {
        // They stand together.
        self.make_room(totals.len() as f32 * (TEXT * LEADING + 2.0));
        for total in totals {
            let style = if total.strong { STRONG } else { PLAIN };
            self.text((MARGIN + WIDTH / 2.0, self.y), style, &total.label);
            self.text_until((RIGHT, self.y), style, &total.value);
            self.y += TEXT * LEADING + 2.0;
        }
        self.y += 20.0;
    }
}

fn height(lines: &[String], notes: &[String]) -> f32 {
    lines.len() as f32 * TEXT * LEADING + notes.len() as f32 * SMALL * LEADING + 7.0
}

fn draw(sheet: &Sheet, pages: &[Vec<Mark>], faces: &Faces) -> Result<Vec<u8>, PdfError> {
    let font = |data: &'static [u8]| Font::new(data.into(), 0).ok_or_else(|| PdfError("a font".to_owned()));
    let fonts = [font(REGULAR)?, font(BOLD)?];
    let mut document = Document::new();
    document.set_metadata(Metadata::new().title(sheet.title.clone()).language("en".to_owned()));
    for (number, marks) in (1..).zip(pages) {
        let size = PageSettings::from_wh(PAGE.0, PAGE.1).ok_or_else(|| PdfError("a page".to_owned()))?;
        let mut page = document.start_page_with(size);
        let mut surface = page.surface();
        for mark in marks {
            match mark {
                Mark::Text { x, y, style, text } => write(&mut surface, &fonts, faces, (*x, *y), *style, text),
                Mark::Rule { from, to, y } => rule(&mut surface, (*from, *to), *y),
            }
        }
        let foot = format!("{}, page {number} of {}", sheet.title, pages.len());
        write(&mut surface, &fonts, faces, (MARGIN, PAGE.1 - MARGIN + 10.0), MUTED, &foot);
        surface.finish();
        page.finish();
    }
    document.finish().map_err(|error| PdfError(format!("{error:?}")))
}

fn ink(muted: bool) -> Fill {
    let shade = if muted { rgb::Color::new(95, 99, 110) } else { rgb::Color::new(20, 22, 28) };
    Fill { paint: shade.into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }
}

fn write(surface: &mut Surface<'_>, fonts: &[Font; 2], faces: &Faces, (x, y): (f32, f32), style: Style, text: &str) {
    let font = match style.weight {
        Weight::Regular => &fonts[0],
        Weight::Bold => &fonts[1],
    };
    surface.set_fill(Some(ink(style.muted)));
    let glyphs = faces.glyphs(style.weight, text);
    surface.draw_glyphs(Point::from_xy(x, y), &glyphs, font.clone(), text, style.size, false);
}

fn rule(surface: &mut Surface<'_>, (from, to): (f32, f32), y: f32) {
    let mut path = PathBuilder::new();
    path.move_to(from, y);
    path.line_to(to, y);
    path.line_to(to, y + 0.5);
    path.line_to(from, y + 0.5);
    path.close();
    if let Some(path) = path.finish() {
        let gray = rgb::Color::new(210, 213, 220);
        surface.set_fill(Some(Fill { paint: gray.into(), opacity: NormalizedF32::ONE, rule: FillRule::default() }));
        surface.draw_path(&path);
    }
}
