//! Whether the counts of a reference and a chunk can come from one distribution.
use super::gamma::upper_tail;
use statrs::function::beta::checked_beta_reg;

/// Rows that a pooled cell must have in either sample if both come from one distribution.
const ENOUGH: f64 = 5.0;
/// Share of the level that is spent on cells too rare for Pearson's test, where there are any.
const FOR_RARE: f64 = 0.05;

/// P-value of Pearson's test that both samples come from one distribution.
///
/// Neighbouring cells are pooled until each is expected to hold five rows of either sample; which ones, the sum of
/// both samples decides, so that it does not favour a difference. No correction for continuity.
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
    let (mut statistic, mut cells) = (0.0, 0_u32);
    let (mut last, mut open) = ((0.0, 0.0), (0.0, 0.0));
    let mut rare = Rare::default();
    for (r, c) in counts {
        if r + c < enough {
            rare.judge((r, c), rows);
        }
        open = (open.0 + r, open.1 + c);
        if open.0 + open.1 >= enough {
            if cells > 0 {
                statistic += part(last);
            }
            (last, open) = (open, (0.0, 0.0));
            cells += 1;
        }
    }
    // what is left joins the last cell
    last = (last.0 + open.0, last.1 + open.1);
    if cells < 2 {
        return rare.beside(1.0);
    }
    statistic += part(last);
    rare.beside(upper_tail(f64::from(cells - 1) / 2.0, statistic / 2.0))
}

/// Cells that Pearson's test has to pool.
#[derive(Default)]
struct Rare {
    cells: f64,
    least: Option<f64>,
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
        let chance = checked_beta_reg(c, r + 1.0, share).unwrap_or(1.0);
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
        // 2 x 2: 30 20 / 20 30: chi-square 4 with one degree of freedom
        let p = p_value([(30.0, 20.0), (20.0, 30.0)].into_iter(), (50.0, 50.0));
        assert!((p - 0.045_500_264).abs() < 1e-8, "{p}");
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
