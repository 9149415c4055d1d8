//! Who must be told: the alerts among the rows of a monitoring function.
use std::fmt;

use super::series::{Point, Series};
use super::text::{decimals, label};

/// Longest cell of the list.
const LONGEST_CELL: usize = 48;

/// The alerts of some series, in order of time.
#[derive(Debug, Clone, PartialEq)]
pub struct Alerts<'a> {
    found: Vec<(&'a Series, &'a Point)>,
    watched: usize,
}

/// Collects the alerts of `series`.
pub fn alerts(series: &[Series]) -> Alerts<'_> {
    let points = series
        .iter()
        .flat_map(|one| one.points.iter().map(move |point| (one, point)));
    let mut found: Vec<_> = points.filter(|(_, point)| point.alert).collect();
    found.sort_by_key(|(_, point)| (point.chunk_index, point.chunk.clone()));
    let judged = |point: &&Point| point.dataset != "reference" && point.value.is_some();
    let watched = series
        .iter()
        .flat_map(|one| &one.points)
        .filter(judged)
        .count();
    Alerts { found, watched }
}

impl Alerts<'_> {
    /// Number of alerts.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether nobody needs to be told.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }
}

/// One line an alert: chunk, metric, value, the threshold that it broke, and its interval.
impl fmt::Display for Alerts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let (alerts, watched) = (self.found.len(), self.watched);
        writeln!(
            f,
            "{alerts} alert{} in {watched} value{}",
            plural(alerts),
            plural(watched)
        )?;
        let rows: Vec<_> = self
            .found
            .iter()
            .map(|(series, point)| cells(series, point))
            .collect();
        let width = |column: usize| {
            rows.iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.chars().count())
                .max()
        };
        let widths = [0, 1, 2].map(|column| width(column).unwrap_or(0));
        for [chunk, title, value, reason] in &rows {
            let [first, second, third] = widths;
            writeln!(
                f,
                "  {chunk:<first$}  {title:<second$}  {value:>third$}  {reason}"
            )?;
        }
        Ok(())
    }
}

fn cells(series: &Series, point: &Point) -> [String; 4] {
    let value = point.value.unwrap_or_default();
    let (lower, upper) = point.thresholds;
    let broken = match (lower, upper) {
        (Some(lower), _) if value < lower => Some(("below", lower)),
        (_, Some(upper)) if value > upper => Some(("above", upper)),
        _ => None,
    };
    let limit = broken.map_or(value, |(_, limit)| limit);
    // four digits, and as many more as it takes to tell the value from what it broke
    let apart = if limit == value {
        1.0
    } else {
        (limit - value).abs() * 100.0
    };
    let digits = decimals(value.abs().max(limit.abs())).max(decimals(apart));
    let mut reason = match broken {
        Some((side, limit)) => format!("{side} {limit:.digits$}"),
        None => "outside its thresholds".to_owned(),
    };
    if let (Some(lower), Some(upper)) = point.bounds {
        reason.push_str(&format!(", interval {lower:.digits$} to {upper:.digits$}"));
    }
    if let Some(realized) = point.realized {
        reason.push_str(&format!(", realized {realized:.digits$}"));
    }
    [
        label(&point.chunk, LONGEST_CELL),
        label(&series.title(), LONGEST_CELL),
        format!("{value:.digits$}"),
        reason,
    ]
}
