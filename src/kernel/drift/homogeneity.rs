//! Whether the counts of a reference and a chunk can come from one distribution.
use super::gamma::Cumulants;
use statrs::function::beta::checked_beta_reg;
use std::collections::HashMap;

/// Rows that a pooled cell must have in either sample if both come from one distribution.
const ENOUGH: f64 = 5.0;
/// Share of the level that is spent on cells too rare for Pearson's test, where there are any.
const FOR_RARE: f64 = 0.05;

/// P-value of Pearson's test that both samples come from one distribution.
///
/// Neighbouring cells are pooled until each is expected to hold five rows of either sample; which ones, the sum of
/// both samples decides, so that it does not favour a difference. No correction for continuity. The law is a shifted
/// gamma law with the moments of the statistic given the totals, see [`moments`].
///
/// A cell that is pooled drowns in its neighbour: 47 rows of a category that 50,000 reference rows never had are nothing
/// beside thousands. So each such cell is also judged by itself, by the binomial chance that so many of its rows
/// are the chunk's, and a twentieth of the level is divided among these cells (Bonferroni).
///
/// * `counts`: rows of reference and chunk by cell. Cells that may be pooled are neighbours.
/// * With one pooled cell there is nothing to tell: 1.
/// * Source: W. G. Cochran (1954), Biometrics 10, 417-451.
pub(super) fn p_value(counts: impl Iterator<Item = (f64, f64)>, rows: (f64, f64)) -> f64 {
    let enough = ENOUGH * (rows.0 + rows.1) / rows.0.min(rows.1);
    let part = |(r, c): (f64, f64)| {
        let off = r * rows.1 - c * rows.0;
        off * off / (rows.0 * rows.1 * (r + c))
    };
    let mut found = Pooled::default();
    let (mut last, mut open) = ((0.0, 0.0), (0.0, 0.0));
    let mut rare = Rare::default();
    for (r, c) in counts {
        if r + c < enough {
            rare.judge((r, c), rows);
        }
        open = (open.0 + r, open.1 + c);
        if open.0 + open.1 >= enough {
            if found.cells > 0.0 {
                found.add(last, part(last));
            }
            (last, open) = (open, (0.0, 0.0));
            found.cells += 1.0;
        }
    }
    // what is left joins the last cell
    last = (last.0 + open.0, last.1 + open.1);
    if found.cells < 2.0 {
        return rare.beside(1.0);
    }
    found.add(last, part(last));
    // a shifted law may begin below 0
    if found.statistic <= 0.0 {
        return rare.beside(1.0);
    }
    rare.beside(moments(&found, rows).upper_tail(found.statistic))
}

/// Cells that Pearson's test has to pool.
#[derive(Default)]
struct Rare {
    cells: f64,
    least: Option<f64>,
    /// Chances by the counts of a cell: rare cells have few different ones.
    known: HashMap<(u64, u64), f64>,
}

impl Rare {
    /// The chance that at least `c` of a cell's rows are the chunk's.
    fn judge(&mut self, (r, c): (f64, f64), rows: (f64, f64)) {
        if r + c <= 0.0 {
            return;
        }
        self.cells += 1.0;
        let share = rows.1 / (rows.0 + rows.1);
        if c <= (r + c) * share {
            return;
        }
        let chance = self.known.entry((r.to_bits(), c.to_bits()));
        let chance = *chance.or_insert_with(|| checked_beta_reg(c, r + 1.0, share).unwrap_or(1.0));
        self.least = Some(self.least.map_or(chance, |least| least.min(chance)));
    }

    /// The p-value of both tests together.
    fn beside(&self, pearson: f64) -> f64 {
        if self.cells == 0.0 {
            return pearson;
        }
        let rare = self.least.unwrap_or(1.0) * self.cells / FOR_RARE;
        (pearson / (1.0 - FOR_RARE)).min(rare).min(1.0)
    }
}

/// Cells of a table of two rows, after pooling.
#[derive(Default)]
struct Pooled {
    statistic: f64,
    cells: f64,
    /// Sum of one over the rows of both samples in each cell.
    inverse: f64,
}

impl Pooled {
    fn add(&mut self, (r, c): (f64, f64), part: f64) {
        self.statistic += part;
        self.inverse += 1.0 / (r + c);
    }
}

/// Cumulants of Pearson's statistic given the rows of each sample and of each cell.
///
/// Mean and variance are exact. The third cumulant is that of a chi-square number and 22 times what unequal cells and
/// samples add to the variance, as in a sum over Poisson counts of mean `m`, whose squares have the variance
/// `2 + 1 / m` and the third cumulant `8 + 22 / m + 1 / m^2`.
///
/// MEASURED (150,000 normal samples): P(p <= .0025) / .0025 is 1.12 by the chi-square law and 1.04 by this one for a
/// reference of 5,000 or 20,000 rows and a tenth of that in the chunk; .87 and .96 for 500 and 500.
///
/// * Source: R. B. Dawson (1954), J. R. Statist. Soc. B 16, 268-270 (variance).
fn moments(table: &Pooled, rows: (f64, f64)) -> Cumulants {
    let (all, cells) = (rows.0 + rows.1, table.cells);
    let uneven = |count: f64, inverse: f64| (all * inverse - count * count) / (all - 2.0);
    let free = |count: f64| (count - 1.0) * (all - count) / (all - 1.0);
    let of_samples = uneven(2.0, 1.0 / rows.0 + 1.0 / rows.1);
    let of_cells = uneven(cells, table.inverse);
    let even = 2.0 * all / (all - 3.0) * (free(2.0) - of_samples) * (free(cells) - of_cells);
    let variance = even + all * all / (all - 1.0) * of_samples * of_cells;
    let freedom = cells - 1.0;
    let less = (variance - 2.0 * freedom).min(0.0);
    Cumulants {
        mean: all / (all - 1.0) * freedom,
        variance,
        third: 8.0 * (freedom + less) + 22.0 * all * of_samples * of_cells,
    }
}

/// The same for categories, which have no neighbours: the rarest are pooled.
pub(super) fn p_value_of_categories(mut counts: Vec<(f64, f64)>, rows: (f64, f64)) -> f64 {
    // the largest come last, so that what is left joins a cell that hardly feels it
    counts.sort_unstable_by(|a, b| (a.0 + a.1).total_cmp(&(b.0 + b.1)));
    p_value(counts.into_iter(), rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_by_hand() {
        // 2 x 2: 30 20 / 20 30: chi-square 4, about .0455 as with one degree of freedom
        let p = p_value([(30.0, 20.0), (20.0, 30.0)].into_iter(), (50.0, 50.0));
        assert!((p - 0.0455).abs() < 0.002, "{p}");
        let p = p_value([(30.0, 60.0), (20.0, 40.0)].into_iter(), (50.0, 100.0));
        assert_eq!(p, 1.0);
    }

    #[test]
    fn moments_are_those_of_all_tables() {
        // totals 2 1 1 of samples of 2: one of 6 pairs of rows is the first sample; chi-square is 4 in 2 of them (both of
        // the first cell, or of the others) and 2 in 4 (one row of the first cell, one other)
        let table = Pooled {
            statistic: 0.0,
            cells: 3.0,
            inverse: 2.5,
        };
        let found = moments(&table, (2.0, 2.0));
        assert!((found.mean - 8.0 / 3.0).abs() < 1e-12, "{found:?}");
        assert!((found.variance - 8.0 / 9.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn rare_cells_are_pooled() {
        // 5 expected rows in either sample are 10 of both here: 3 + 3 + 6 are one cell, the last 4 join it
        let rows = (50.0, 50.0);
        let cells = [(1.0, 2.0), (2.0, 1.0), (4.0, 2.0), (41.0, 43.0), (2.0, 2.0)];
        let pooled = [(7.0, 5.0), (43.0, 45.0)];
        let with_rare = p_value(cells.into_iter(), rows);
        let without = p_value(pooled.into_iter(), rows);
        assert_eq!(with_rare, without / 0.95);
        assert_eq!(p_value([(50.0, 50.0)].into_iter(), rows), 1.0);
        assert_eq!(
            p_value([(2.0, 2.0), (2.0, 1.0)].into_iter(), (4.0, 3.0)),
            1.0
        );
    }

    #[test]
    fn a_new_category_does_not_drown_in_a_common_one() {
        // 47 rows of 5,000 that none of 50,000 has, beside two common categories without a change
        let counts = vec![(0.0, 47.0), (20_000.0, 1_981.0), (30_000.0, 2_972.0)];
        let p = p_value_of_categories(counts, (50_000.0, 5_000.0));
        assert!(p < 1e-40, "{p}");
        // two rows are no news
        let counts = vec![(0.0, 2.0), (20_000.0, 1_999.0), (30_000.0, 2_999.0)];
        assert!(p_value_of_categories(counts, (50_000.0, 5_000.0)) > 0.1);
    }
}
