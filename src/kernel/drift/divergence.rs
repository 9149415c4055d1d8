//! Distances that add up over the cells of a table, with certified bounds.
use super::cells::{Cell, Table};
use std::f64::consts::LN_2;

/// A sum over cells of a function of the two shares.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Divergence {
    /// Square of the Jensen-Shannon distance.
    JensenShannon,
    /// Square of the Hellinger distance.
    Hellinger,
    /// Population stability index of shares that are smoothed as if each of so many cells had half a row more.
    Psi { cells: usize },
    /// Pearson's statistic; every category on its own.
    Chi2,
}

/// A number and the range in which the one from all rows lies.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bounded {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl Bounded {
    pub fn exactly(value: f64) -> Self {
        Self {
            value,
            low: value,
            high: value,
        }
    }

    pub fn error(&self) -> f64 {
        (self.value - self.low).max(self.high - self.value).max(0.0)
    }

    /// Carried over by an increasing function.
    pub fn map(self, function: impl Fn(f64) -> f64) -> Self {
        Self {
            value: function(self.value),
            low: function(self.low),
            high: function(self.high),
        }
    }

    fn add(&mut self, other: Self) {
        self.value += other.value;
        self.low += other.low;
        self.high += other.high;
    }
}

impl Divergence {
    /// Contribution of a cell with these counts, of `rows` of the reference and of the chunk.
    ///
    /// Convex in the chunk's count, and 0 at its least, where the shares agree.
    pub fn contribution(self, (reference, chunk): (f64, f64), rows: (f64, f64)) -> f64 {
        let (p, q) = (reference / rows.0, chunk / rows.1);
        match self {
            Self::JensenShannon => jensen_shannon(p, q),
            Self::Hellinger => (p.sqrt() - q.sqrt()).powi(2) / 2.0,
            Self::Psi { cells } => {
                let more = cells as f64 / 2.0;
                let p = (reference + 0.5) / (rows.0 + more);
                let q = (chunk + 0.5) / (rows.1 + more);
                (p - q) * (p / q).ln()
            }
            Self::Chi2 if reference + chunk == 0.0 => 0.0,
            Self::Chi2 => {
                // (O - E)^2 / E of both sides, together
                rows.0 * rows.1 * (p - q).powi(2) / (reference + chunk)
            }
        }
    }

    /// Most that a cell of several categories contributes: no category occurs on both sides.
    fn disjoint(self, counts: (f64, f64), rows: (f64, f64)) -> f64 {
        self.contribution((counts.0, 0.0), rows) + self.contribution((0.0, counts.1), rows)
    }

    /// The sum over the cells, and its bounds.
    pub fn of(self, table: &Table) -> Bounded {
        let rows = (table.reference as f64, table.chunk as f64);
        let mut sum = Bounded::default();
        for cell in &table.cells {
            sum.add(self.of_cell(cell, rows));
        }
        let distance = sum.map(|x| self.value(x));
        match (self, table.doubtful) {
            (Self::JensenShannon | Self::Hellinger, doubtful) if doubtful > 0 => {
                // the distance is a metric, at most the root of the total variation between two guesses
                let most = (table.doubtful as f64 / rows.1).sqrt();
                Bounded {
                    low: distance.low.max(distance.value - most),
                    high: distance.high.min((distance.value + most).min(1.0)),
                    ..distance
                }
            }
            _ => distance,
        }
    }

    /// The distance of a sum.
    pub fn value(self, sum: f64) -> f64 {
        match self {
            Self::JensenShannon | Self::Hellinger => sum.max(0.0).sqrt().min(1.0),
            Self::Psi { .. } | Self::Chi2 => sum,
        }
    }

    /// The sum of a distance.
    pub fn score(self, value: f64) -> f64 {
        match self {
            Self::JensenShannon | Self::Hellinger => value * value,
            Self::Psi { .. } | Self::Chi2 => value,
        }
    }

    /// `a` in the expansion `a (p - q)^2 / p` of a contribution around equal shares.
    pub fn curvature(self, rows: (f64, f64)) -> f64 {
        match self {
            Self::JensenShannon => 1.0 / (8.0 * LN_2),
            Self::Hellinger => 1.0 / 8.0,
            Self::Psi { .. } => 1.0,
            Self::Chi2 => 1.0 / (1.0 / rows.0 + 1.0 / rows.1),
        }
    }

    fn of_cell(self, cell: &Cell, rows: (f64, f64)) -> Bounded {
        let reference = cell.reference as f64;
        let at = |chunk: f64| self.contribution((reference, chunk), rows);
        let value = at(cell.chunk.likely);
        if cell.mixed {
            let high = self.disjoint((reference, cell.chunk.likely), rows);
            return Bounded {
                value,
                low: value,
                high: high.max(value),
            };
        }
        if cell.chunk.maybe == 0 {
            return Bounded::exactly(value);
        }
        let least = cell.chunk.sure as f64;
        let most = (cell.chunk.sure + cell.chunk.maybe) as f64;
        let (first, last) = (at(least), at(most));
        let even = self.even(reference, rows).clamp(least, most);
        Bounded {
            value,
            low: at(even).min(first).min(last),
            high: first.max(last),
        }
    }

    /// Rows of the chunk at which the shares of a cell agree.
    fn even(self, reference: f64, rows: (f64, f64)) -> f64 {
        match self {
            Self::Psi { cells } => {
                let more = cells as f64 / 2.0;
                (reference + 0.5) * (rows.1 + more) / (rows.0 + more) - 0.5
            }
            _ => reference * rows.1 / rows.0,
        }
    }
}

/// `(p ln(p / m) + q ln(q / m)) / (2 ln 2)` with `m = (p + q) / 2`, without cancellation for close shares.
fn jensen_shannon(p: f64, q: f64) -> f64 {
    let m = (p + q) / 2.0;
    if p == 0.0 || q == 0.0 {
        return m;
    }
    // p = m (1 + d), q = m (1 - d)
    let d = (p - q) / (p + q);
    if d.abs() > 0.5 {
        return (p * (p / m).ln() + q * (q / m).ln()) / (2.0 * LN_2);
    }
    m * ((-d * d).ln_1p() + 2.0 * d * d.atanh()) / (2.0 * LN_2)
}

#[cfg(test)]
mod tests {
    use super::super::partition::Tally;
    use super::*;

    fn table(cells: &[(u64, u64)]) -> Table {
        Table {
            cells: cells
                .iter()
                .map(|&(reference, chunk)| Cell {
                    reference,
                    chunk: Tally::exactly(chunk),
                    mixed: false,
                })
                .collect(),
            reference: cells.iter().map(|c| c.0).sum(),
            chunk: cells.iter().map(|c| c.1).sum(),
            doubtful: 0,
        }
    }

    fn close(x: f64, expected: f64) {
        assert!((x - expected).abs() < 1e-12, "{x} is not {expected}");
    }

    #[test]
    fn two_cells_by_hand() {
        // p = (1/2, 1/2), q = (1/4, 3/4), m = (3/8, 5/8)
        let table = table(&[(10, 1), (10, 3)]);
        let sum = 0.5 * (4.0_f64 / 3.0).ln()
            + 0.5 * 0.8_f64.ln()
            + 0.25 * (2.0_f64 / 3.0).ln()
            + 0.75 * 1.2_f64.ln();
        close(
            Divergence::JensenShannon.of(&table).value,
            (sum / 2.0 / LN_2).sqrt(),
        );
        // (sqrt(1/2) - 1/2)^2 + (sqrt(1/2) - sqrt(3/4))^2 = 2 - sqrt(1/2) - sqrt(3/2)
        let hellinger = ((2.0 - 0.5_f64.sqrt() - 1.5_f64.sqrt()) / 2.0).sqrt();
        close(Divergence::Hellinger.of(&table).value, hellinger);
        // smoothed: 10.5/21 = 1/2 twice; 1.5/5 and 3.5/5
        let psi = (0.5 - 0.3) * (0.5_f64 / 0.3).ln() + (0.5 - 0.7) * (0.5_f64 / 0.7).ln();
        close(Divergence::Psi { cells: 2 }.of(&table).value, psi);
        // expected 11/24 * (20, 4) and 13/24 * (20, 4): (5/6)^2 (1/9.1667 + 1/1.8333 + 1/10.8333 + 1/2.1667)
        let off = 10.0 - 20.0 * 11.0 / 24.0;
        let expected = [220.0 / 24.0, 44.0 / 24.0, 260.0 / 24.0, 52.0 / 24.0];
        let chi2: f64 = expected.iter().map(|e| off * off / e).sum();
        close(Divergence::Chi2.of(&table).value, chi2);
    }

    #[test]
    fn equal_shares_are_exactly_0_and_disjoint_ones_1() {
        let same = table(&[(1, 3), (2, 6), (7, 21)]);
        let apart = table(&[(5, 0), (0, 3)]);
        for divergence in [Divergence::JensenShannon, Divergence::Hellinger] {
            assert_eq!(divergence.of(&same).value, 0.0);
            assert_eq!(divergence.of(&apart).value, 1.0);
        }
        // a share too small to change the sum
        close(jensen_shannon(0.3, 1e-18), 0.15);
        // both forms meet at d = 1/2: (3 ln 1.5 + ln .5) / 8 ln 2 of p + q = 1
        let met = (3.0 * 1.5_f64.ln() + 0.5_f64.ln()) / 8.0 / LN_2;
        close(jensen_shannon(0.75, 0.25), met);
        close(jensen_shannon(0.75 + 1e-15, 0.25), met);
        close(jensen_shannon(0.3, 0.3 + 1e-9), 1e-18 / 0.6 / 4.0 / LN_2);
    }

    #[test]
    fn a_parted_bin_leaves_an_interval() {
        let mut parted = table(&[(10, 2), (10, 2)]);
        parted.cells[0].chunk = Tally {
            sure: 1,
            maybe: 2,
            likely: 2.0,
        };
        parted.cells[1].chunk = Tally {
            sure: 1,
            maybe: 2,
            likely: 2.0,
        };
        parted.doubtful = 2;
        let found = Divergence::Hellinger.of(&parted);
        let worst = Divergence::Hellinger.of(&table(&[(10, 1), (10, 3)])).value;
        assert_eq!((found.value, found.low), (0.0, 0.0));
        assert!(found.high >= worst && found.error() < 0.3, "{found:?}");
    }
}
