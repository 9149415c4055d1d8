//! A chart of characters: one line a chunk, time downwards, the value to the right.
use std::fmt::Write;

use super::scale::Scale;
use super::series::{Point, Series};
use super::text::label;

/// Longest chunk key that a line has room for.
const LONGEST_LABEL: usize = 24;

/// Narrowest plot that still shows anything.
const NARROWEST_PLOT: usize = 16;

/// Characters that a chart is drawn with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glyphs {
    /// Dots and lines.
    Unicode,
    /// For terminals and mail that know nothing else.
    Ascii,
}

#[derive(Clone, Copy)]
struct Set {
    value: char,
    alert: char,
    realized: char,
    threshold: char,
    lower: char,
    between: char,
    upper: char,
    axis: char,
    tick: char,
}

const UNICODE: Set = Set {
    value: '●',
    alert: '◆',
    realized: '○',
    threshold: '┊',
    lower: '├',
    between: '─',
    upper: '┤',
    axis: '─',
    tick: '┴',
};

const ASCII: Set = Set {
    value: '*',
    alert: '!',
    realized: 'o',
    threshold: ':',
    lower: '[',
    between: '-',
    upper: ']',
    axis: '-',
    tick: '+',
};

/// How charts look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chart {
    /// Characters in a line.
    pub width: usize,
    /// Characters to draw with.
    pub glyphs: Glyphs,
}

impl Chart {
    /// Draws one series: value, band (`lower_bound` to `upper_bound`), thresholds and realized
    /// value of every chunk, the reference apart from the analysis, alerts marked.
    ///
    /// A chunk without a value has a line that says why. A series without any value has no axis.
    pub fn draw(&self, series: &Series) -> String {
        let set = match self.glyphs {
            Glyphs::Unicode => UNICODE,
            Glyphs::Ascii => ASCII,
        };
        let mut text = format!("{}\n", label(&series.title(), self.width));
        let layout = Layout::of(series, self.width);
        layout.axis(set, &mut text);
        let mut dataset = None;
        for point in &series.points {
            if dataset != Some(&point.dataset) && !point.dataset.is_empty() {
                dataset = Some(&point.dataset);
                let _ = writeln!(text, "{}", label(&point.dataset, self.width));
            }
            let _ = writeln!(text, "{}", layout.line(set, point));
        }
        let _ = writeln!(text, "{}", legend(set, series));
        text
    }
}

/// Widths of the columns of a chart, and its scale.
struct Layout {
    chunk: usize,
    number: usize,
    plot: usize,
    scale: Option<Scale>,
}

impl Layout {
    fn of(series: &Series, width: usize) -> Self {
        let scale = Scale::of(&series.points);
        let longest = |texts: &mut dyn Iterator<Item = String>| {
            texts.map(|text| text.chars().count()).max().unwrap_or(0)
        };
        let points = &series.points;
        let chunk = longest(
            &mut points
                .iter()
                .map(|point| label(&point.chunk, LONGEST_LABEL)),
        );
        let number = longest(&mut points.iter().map(|point| written(point, scale.as_ref())));
        let note = longest(&mut points.iter().map(note));
        // two blanks before the chunk, and between each two columns
        let taken = 2 + chunk + 2 + number + 2 + 2 + note;
        let plot = width.saturating_sub(taken).max(NARROWEST_PLOT);
        Self {
            chunk,
            number,
            plot,
            scale,
        }
    }

    fn axis(&self, set: Set, text: &mut String) {
        let Some(scale) = &self.scale else { return };
        let mut numbers = vec![' '; self.plot];
        let mut line = vec![set.axis; self.plot];
        let mut free = 0;
        for tick in scale.ticks() {
            let place = scale.place(tick, self.plot);
            put(&mut line, place, set.tick);
            let number = format!("{tick:.*}", scale.tick_decimals());
            let start = place
                .saturating_sub(number.len() / 2)
                .min(self.plot.saturating_sub(number.len()));
            if start >= free {
                for (i, c) in number.chars().enumerate() {
                    put(&mut numbers, start + i, c);
                }
                free = start + number.len() + 1;
            }
        }
        let indent = 2 + self.chunk + 2 + self.number + 2;
        for cells in [numbers, line] {
            let cells: String = cells.into_iter().collect();
            let _ = writeln!(text, "{:indent$}{}", "", cells.trim_end());
        }
    }

    fn line(&self, set: Set, point: &Point) -> String {
        let chunk = label(&point.chunk, LONGEST_LABEL);
        let number = written(point, self.scale.as_ref());
        let cells: String = self.cells(set, point).into_iter().collect();
        let line = format!(
            "  {chunk:<chunk_width$}  {number:>number_width$}  {cells}  {note}",
            chunk_width = self.chunk,
            number_width = self.number,
            note = note(point),
        );
        line.trim_end().to_owned()
    }

    fn cells(&self, set: Set, point: &Point) -> Vec<char> {
        let mut cells = vec![' '; self.plot];
        let Some(scale) = &self.scale else {
            return cells;
        };
        let place = |value: f64| scale.place(value, self.plot);
        if let (Some(lower), Some(upper)) = point.bounds {
            let (lower, upper) = (place(lower), place(upper));
            for between in lower..=upper {
                put(&mut cells, between, set.between);
            }
            put(&mut cells, lower, set.lower);
            put(&mut cells, upper, set.upper);
        }
        for threshold in [point.thresholds.0, point.thresholds.1]
            .into_iter()
            .flatten()
        {
            put(&mut cells, place(threshold), set.threshold);
        }
        if let Some(realized) = point.realized {
            put(&mut cells, place(realized), set.realized);
        }
        if let Some(value) = point.value {
            put(
                &mut cells,
                place(value),
                if point.alert { set.alert } else { set.value },
            );
        }
        cells
    }
}

fn put(cells: &mut [char], place: usize, glyph: char) {
    if let Some(cell) = cells.get_mut(place) {
        *cell = glyph;
    }
}

fn written(point: &Point, scale: Option<&Scale>) -> String {
    match (point.value, scale) {
        (Some(value), Some(scale)) => format!("{value:.*}", scale.decimals()),
        _ => "NULL".to_owned(),
    }
}

/// What the end of a line says of a chunk.
fn note(point: &Point) -> String {
    let mut notes = vec![];
    if point.alert {
        notes.push("ALERT".to_owned());
    }
    if point.complete == Some(false) {
        notes.push("incomplete".to_owned());
    }
    notes.extend(
        point
            .status
            .iter()
            .filter(|s| s.as_str() != "ok")
            .map(|s| label(s, LONGEST_LABEL)),
    );
    notes.join(", ")
}

fn legend(set: Set, series: &Series) -> String {
    let points = &series.points;
    let any = |has: &dyn Fn(&Point) -> bool| points.iter().any(has);
    let mut parts = vec![format!("{} value", set.value)];
    if any(&|point| point.alert) {
        parts.push(format!("{} alert", set.alert));
    }
    if any(&|point| point.bounds.0.is_some() && point.bounds.1.is_some()) {
        let band: String = [set.lower, set.between, set.upper].iter().collect();
        parts.push(format!("{band} lower_bound to upper_bound"));
    }
    if any(&|point| point.thresholds.0.is_some() || point.thresholds.1.is_some()) {
        parts.push(format!("{} threshold", set.threshold));
    }
    if any(&|point| point.realized.is_some()) {
        parts.push(format!("{} realized", set.realized));
    }
    parts.join("   ")
}
