//! Results for people: columns side by side, as wide as their first rows need.
use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::arrow::util::pretty::pretty_format_batches_with_options;
use unicode_width::UnicodeWidthStr;

use super::failure::Trouble;
use crate::report::printable;

/// Rows that wait until the widths are known; further rows are printed as they come, and a longer cell sticks out.
const FIRST_ROWS: usize = 1000;

/// A table on its way out, of which no more than the first rows are held in memory.
pub struct Table {
    schema: SchemaRef,
    limit: usize,
    shown: usize,
    kept: Vec<RecordBatch>,
    /// Widths of the columns, once the first rows are out.
    widths: Option<Vec<usize>>,
}

impl Table {
    /// A table of at most `limit` rows.
    pub fn new(schema: SchemaRef, limit: usize) -> Self {
        Self {
            schema,
            limit,
            shown: 0,
            kept: vec![],
            widths: None,
        }
    }

    /// Whether a batch of `rows` makes it write.
    pub fn writes(&self, rows: usize) -> bool {
        let room = self.limit.saturating_sub(self.shown).min(rows);
        room > 0 && self.shown + room > FIRST_ROWS
    }

    /// Takes the rows for which there is room, and says how many there were.
    ///
    /// # Errors
    /// When a value cannot be written as text, or the output does not take it.
    pub fn push(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<usize, Trouble> {
        let room = self.limit.saturating_sub(self.shown).min(batch.num_rows());
        let first = FIRST_ROWS.saturating_sub(self.shown).min(room);
        if first > 0 {
            self.kept.push(batch.slice(0, first));
        }
        self.shown += room;
        if room > first && !self.schema.fields().is_empty() {
            let widths = match self.widths.take() {
                Some(widths) => widths,
                None => self.start(out)?,
            };
            write_rows(&batch.slice(first, room - first), &widths, out)?;
            self.widths = Some(widths);
        }
        Ok(room)
    }

    /// Writes what is left, and the last line.
    ///
    /// # Errors
    /// As [`Self::push`].
    pub fn finish(&mut self, out: &mut dyn Write) -> Result<(), Trouble> {
        let last = match &self.widths {
            Some(widths) => rule(widths),
            None => printable(&self.first_rows()?),
        };
        out.write_all(last.as_bytes())?;
        Ok(out.write_all(b"\n")?)
    }

    /// Writes the first rows without the last line, and returns the widths that they need.
    fn start(&mut self, out: &mut dyn Write) -> Result<Vec<usize>, Trouble> {
        let table = self.first_rows()?;
        self.kept = vec![];
        let (rows, last) = table.rsplit_once('\n').unwrap_or_default();
        out.write_all(printable(rows).as_bytes())?;
        out.write_all(b"\n")?;
        let columns = last.split('+').filter(|column| !column.is_empty());
        Ok(columns
            .map(|column| column.len().saturating_sub(2))
            .collect())
    }

    fn first_rows(&self) -> Result<String, ArrowError> {
        if self.kept.is_empty() {
            let header = RecordBatch::new_empty(Arc::clone(&self.schema));
            return Ok(pretty_format_batches_with_options(&[header], &options())?.to_string());
        }
        Ok(pretty_format_batches_with_options(&self.kept, &options())?.to_string())
    }
}

fn options() -> FormatOptions<'static> {
    FormatOptions::default().with_null("NULL")
}

fn rule(widths: &[usize]) -> String {
    let columns: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    format!("+{}+", columns.join("+"))
}

fn write_rows(batch: &RecordBatch, widths: &[usize], out: &mut dyn Write) -> Result<(), Trouble> {
    let options = options();
    let formatters: Vec<_> = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<_, _>>()?;
    for row in 0..batch.num_rows() {
        let cells: Vec<String> = formatters
            .iter()
            .map(|formatter| formatter.value(row).to_string())
            .collect();
        out.write_all(printable(&lines(&cells, widths)).as_bytes())?;
    }
    Ok(())
}

/// A row; a cell of several lines makes it as high.
fn lines(cells: &[String], widths: &[usize]) -> String {
    let cells: Vec<Vec<&str>> = cells
        .iter()
        .map(|cell| cell.split('\n').collect())
        .collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut text = String::new();
    for line in 0..height {
        for (cell, width) in cells.iter().zip(widths) {
            let part = cell.get(line).copied().unwrap_or_default();
            let blanks = width.saturating_sub(part.width());
            text.push_str("| ");
            text.push_str(part);
            text.extend(std::iter::repeat_n(' ', blanks + 1));
        }
        text.push_str("|\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};

    use super::*;

    fn batch(from: i64, rows: i64, texts: &[Option<&str>]) -> RecordBatch {
        let numbers: ArrayRef = Arc::new(Int64Array::from_iter_values(from..from + rows));
        let texts: StringArray = texts.iter().copied().cycle().take(rows as usize).collect();
        let columns = [("n", numbers), ("a text", Arc::new(texts) as ArrayRef)];
        RecordBatch::try_from_iter(columns).unwrap()
    }

    fn printed(batches: &[RecordBatch], limit: usize) -> String {
        let mut table = Table::new(batches[0].schema(), limit);
        let mut out = vec![];
        for batch in batches {
            table.push(batch, &mut out).unwrap();
        }
        table.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    /// What follows the first rows looks as if all rows had been laid out together.
    #[test]
    fn rows_that_come_later_are_laid_out_alike() {
        let texts = [
            Some("x"),
            None,
            Some(""),
            Some("two\nlines"),
            Some("測試 ü"),
            Some("a\tb\u{1b}"),
        ];
        let batches = [
            batch(1000, 700, &texts),
            batch(1700, 700, &texts),
            batch(2400, 10, &texts),
        ];
        let whole = pretty_format_batches_with_options(&batches, &options()).unwrap();
        let whole = printable(&whole.to_string()) + "\n";
        assert_eq!(printed(&batches, usize::MAX), whole);
        let few = [batch(1000, 999, &texts)];
        let whole = pretty_format_batches_with_options(&few, &options()).unwrap();
        assert_eq!(
            printed(&few, usize::MAX),
            printable(&whole.to_string()) + "\n"
        );
    }

    #[test]
    fn a_longer_cell_sticks_out() {
        let text = printed(
            &[
                batch(1, 1000, &[Some("x")]),
                batch(1001, 2, &[Some("far too long")]),
            ],
            1001,
        );
        let end: Vec<&str> = text.lines().rev().take(3).collect();
        assert_eq!(
            end,
            [
                "+------+--------+",
                "| 1001 | far too long |",
                "| 1000 | x      |"
            ]
        );
    }

    #[test]
    fn no_more_than_the_first_rows_are_kept() {
        let mut table = Table::new(batch(0, 1, &[None]).schema(), usize::MAX);
        assert!(!table.writes(1000) && table.writes(1001));
        let mut out = vec![];
        for from in 0..10 {
            table
                .push(&batch(from * 700, 700, &[None]), &mut out)
                .unwrap();
        }
        assert!(table.kept.is_empty());
        assert!(table.writes(1));
    }
}
