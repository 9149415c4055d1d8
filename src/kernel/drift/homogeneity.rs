//! Whether the counts of a reference and a chunk can come from one distribution.
use super::gamma::upper_tail;

/// Rows that a pooled cell must have in either sample if both come from one distribution.
const ENOUGH: f64 = 5.0;

/// P-value of Pearson's test that both samples come from one distribution.
///
/// Neighbouring cells are pooled until each is expected to hold five rows of either sample; which ones, the sum of
/// both samples decides, so that it does not favour a difference. No correction for continuity.
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
    for (r, c) in counts {
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
        return 1.0;
    }
    statistic += part(last);
    upper_tail(f64::from(cells - 1) / 2.0, statistic / 2.0)
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
        assert_eq!(
            p_value(cells.into_iter(), rows),
            p_value(pooled.into_iter(), rows)
        );
        assert_eq!(p_value([(50.0, 50.0)].into_iter(), rows), 1.0);
        assert_eq!(
            p_value([(2.0, 2.0), (2.0, 1.0)].into_iter(), (4.0, 3.0)),
            1.0
        );
    }
}
