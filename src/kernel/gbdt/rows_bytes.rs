//! Canonical bytes of rows.
use super::options::Objective;
use super::rows::{MISSING, Rows, bits};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::pca::columns::Kind;

const MAGIC: [u8; 4] = *b"MWGR";
const WHAT: &str = "state of fit_gbdt";
/// A weight of 1, which most rows have, takes one byte when its halves change places.
const HALF: u32 = 64;

impl Rows {
    /// The state; equal rows in any order give equal bytes.
    pub fn to_bytes(&mut self) -> Vec<u8> {
        self.order();
        let mut w = Writer::new(MAGIC, 1);
        w.reserve(self.len() * (8 * self.width() + 2));
        w.uint(self.seen);
        w.uint(self.columns.len() as u64);
        for column in &self.columns {
            w.bytes(column.name.as_bytes());
            w.uint(u64::from(column.kind == Kind::Text));
            w.uint(column.texts.len() as u64);
            for (text, _) in column.texts.sorted() {
                w.bytes(text.as_bytes());
            }
        }
        w.uint(self.len() as u64);
        let kept = self.weights.iter().zip(&self.counts);
        for (row, (weight, count)) in self.cells.chunks(self.width()).zip(kept) {
            let kinds = self.columns.iter().map(|column| column.kind);
            for (word, kind) in row.iter().zip([Kind::Number].into_iter().chain(kinds)) {
                match kind {
                    Kind::Number => w.float(f64::from_bits(*word)),
                    Kind::Text => w.uint(word.wrapping_add(1)),
                }
            }
            w.wide(weight.rotate_left(HALF));
            w.uint(*count);
        }
        w.finish()
    }

    /// Reads what [`Self::to_bytes`] wrote.
    pub fn from_bytes(
        bytes: &[u8],
        objective: Objective,
        max_rows: usize,
    ) -> Result<Self, KernelError> {
        let mut r = Reader::new(bytes, MAGIC, 1, WHAT)?;
        let mut found = Self::new(objective, max_rows);
        found.seen = r.uint()?;
        let mut columns = Vec::new();
        let mut texts = Vec::new();
        for _ in 0..r.length(3)? {
            let name = utf8(r.bytes()?)?;
            let kind = if r.uint()? == 0 {
                Kind::Number
            } else {
                Kind::Text
            };
            let listed: Result<Vec<&str>, KernelError> =
                (0..r.length(1)?).map(|_| utf8(r.bytes()?)).collect();
            texts.push(listed?);
            columns.push((name.to_string(), kind));
        }
        found.require(&columns)?;
        for (column, texts) in found.columns.iter_mut().zip(&texts) {
            texts.iter().for_each(|text| {
                column.texts.code(text);
            });
        }
        let rows = r.length(2 + found.width())?;
        found
            .cells
            .reserve_exact(rows.saturating_mul(found.width()));
        for _ in 0..rows {
            found.read_row(&mut r)?;
        }
        r.finish()?;
        Ok(found)
    }

    /// Adds a state.
    pub fn merge_bytes(&mut self, bytes: &[u8]) -> Result<(), KernelError> {
        let other = Self::from_bytes(bytes, self.objective, self.max_rows)?;
        match self.columns.is_empty() {
            true => *self = other,
            false => self.merge(&other)?,
        }
        Ok(())
    }

    fn read_row(&mut self, r: &mut Reader) -> Result<(), KernelError> {
        let start = self.cells.len();
        let target = r.float()?;
        if !target.is_finite() {
            return Err(KernelError::Unreadable("a target is not finite".into()));
        }
        self.cells.push(bits(target));
        for column in &self.columns {
            let word = match column.kind {
                Kind::Number => match r.float()? {
                    x if x.is_nan() => MISSING,
                    x => bits(x),
                },
                Kind::Text => match r.uint()? {
                    0 => MISSING,
                    code if code <= column.texts.len() as u64 => code - 1,
                    code => {
                        return Err(KernelError::Unreadable(format!("there is no text {code}")));
                    }
                },
            };
            self.cells.push(word);
        }
        let weight = r.wide()?.rotate_left(HALF);
        let count = r.uint()?;
        let hash = self.hash(self.cells.get(start..).unwrap_or_default());
        self.push(hash, weight, count);
        Ok(())
    }
}

/// A text of a state or model.
pub(super) fn utf8(bytes: &[u8]) -> Result<&str, KernelError> {
    std::str::from_utf8(bytes).map_err(|_| KernelError::Unreadable("a name is not UTF-8".into()))
}
