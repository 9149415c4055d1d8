//! The law of a divergence where reference and chunk come from one distribution, from the cumulants of its cells.
use super::divergence::Divergence;
use super::gamma::Cumulants;

/// Below so many rows of either side a cell's count is enumerated instead of taken as normal.
const SPARSE: f64 = 30.0;
/// Enumeration stops when all but this share of the probability has passed, or after so many counts.
const NEGLIGIBLE: f64 = 1e-9;
const MOST_COUNTS: usize = 20_000;

/// A cell as the reference knows it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Known {
    /// Rows of the reference.
    pub rows: f64,
    /// Shape of the gamma law of its true share, in rows: `rows` and what a prior adds.
    pub shape: f64,
}

/// Cumulants of the sum of contributions of cells, given the counts of the reference.
///
/// The chunk's count of a cell is predicted: its true share is known up to a gamma law, so the count is
/// negative binomial. That the counts add up takes the part `share` of a cell's variation away.
///
/// * `cells`: those of one count best side by side, as they are enumerated once.
pub(super) fn cumulants(
    divergence: Divergence,
    cells: impl Iterator<Item = Known>,
    rows: (f64, f64),
) -> Cumulants {
    let mut sum = Cumulants::default();
    let mut last: Option<(Known, Cumulants)> = None;
    for cell in cells {
        let found = match last {
            Some((known, found)) if known == cell => found,
            _ => of_cell(divergence, cell, rows),
        };
        last = Some((cell, found));
        let share = (cell.shape / rows.0).min(1.0);
        sum = sum.plus(found, 1.0 - share);
    }
    sum
}

fn of_cell(divergence: Divergence, cell: Known, rows: (f64, f64)) -> Cumulants {
    let expected = cell.shape * rows.1 / rows.0;
    let unit = divergence.curvature(rows) * (1.0 / rows.0 + 1.0 / rows.1);
    let none = cell.shape * -(rows.1 / rows.0).ln_1p();
    if cell.rows.min(expected) >= SPARSE || none < -600.0 {
        return Cumulants::chi_square(unit);
    }
    let ratio = rows.1 / (rows.0 + rows.1);
    let (mut probability, mut passed) = (none.exp(), 0.0);
    let mut moments = [0.0; 3];
    for count in 0..MOST_COUNTS {
        let count = count as f64;
        let value = divergence.contribution((cell.rows, count), rows);
        let mut power = probability;
        for moment in &mut moments {
            power *= value;
            *moment += power;
        }
        passed += probability;
        if 1.0 - passed < NEGLIGIBLE && count > expected {
            break;
        }
        probability *= (cell.shape + count) / (count + 1.0) * ratio;
    }
    let [mean, square, cube] = moments;
    Cumulants {
        mean,
        variance: (square - mean * mean).max(0.0),
        third: (cube - 3.0 * mean * square + 2.0 * mean.powi(3)).max(0.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_and_sparse_cells_meet() {
        let rows = (5_000.0, 1_000.0);
        for divergence in [
            Divergence::JensenShannon,
            Divergence::Hellinger,
            Divergence::Psi { cells: 10 },
            Divergence::Chi2,
        ] {
            let cell = |rows: f64| Known {
                rows,
                shape: rows + 0.5,
            };
            let sparse = of_cell(divergence, cell(149.0), rows);
            let dense = of_cell(divergence, cell(151.0), rows);
            assert!(
                (sparse.mean / dense.mean - 1.0).abs() < 0.05,
                "{divergence:?} {sparse:?} {dense:?}"
            );
            assert!((sparse.variance / dense.variance - 1.0).abs() < 0.25);
        }
    }

    #[test]
    fn an_empty_cell_by_hand() {
        // shape 1, equal sizes: the count is geometric with parameter 1/2; JS contributes q / 2 = count / 2n
        let rows = (100.0, 100.0);
        let cell = Known {
            rows: 0.0,
            shape: 1.0,
        };
        let found = of_cell(Divergence::JensenShannon, cell, rows);
        // mean 1, variance 2, third cumulant 6
        assert!((found.mean - 1.0 / 200.0).abs() < 1e-9);
        assert!((found.variance - 2.0 / 200.0_f64.powi(2)).abs() < 1e-9);
        assert!((found.third - 6.0 / 200.0_f64.powi(3)).abs() < 1e-9);
    }
}
