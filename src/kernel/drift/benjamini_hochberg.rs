//! The share of false discoveries among columns that are tested together.

/// Benjamini and Hochberg's adjusted p-values, in the order of the p-values.
///
/// * Shape: one family of tests: all columns of one chunk and metric.
/// * NULL: a test without a p-value is not part of the family; its result is `None`.
/// * Alerting where the result is below a rate keeps the expected share of false alerts below that rate.
/// * Source: Y. Benjamini, Y. Hochberg (1995), J. R. Statist. Soc. B 57, 289-300.
///
/// ```
/// use modelwatch::kernel::drift::benjamini_hochberg;
/// // 3 tests: .01 * 3 / 1, .04 * 3 / 2, .05 * 3 / 3, none above a later one
/// let q = benjamini_hochberg(&[Some(0.04), None, Some(0.01), Some(0.05)]);
/// assert_eq!(q, [Some(0.05), None, Some(0.03), Some(0.05)]);
/// ```
pub fn benjamini_hochberg(p_values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(usize, f64)> = p_values
        .iter()
        .enumerate()
        .filter_map(|(i, p)| Some((i, p.filter(|p| !p.is_nan())?)))
        .collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let tests = order.len() as f64;
    let mut adjusted = vec![None; p_values.len()];
    let mut least = 1.0_f64;
    for (rank, (i, p)) in order.iter().enumerate().rev() {
        least = least.min(p * (tests / (rank + 1) as f64));
        if let Some(slot) = adjusted.get_mut(*i) {
            *slot = Some(least);
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_values_never_fall_below_the_p_value_or_exceed_1() {
        let q = benjamini_hochberg(&[Some(0.9), Some(1.0), Some(0.2), Some(f64::NAN)]);
        // .2 * 3, .9 * 3 / 2 is above 1
        let expected = [Some(1.0), Some(1.0), Some(0.6), None];
        for (q, expected) in q.iter().zip(expected) {
            assert_eq!(q.is_some(), expected.is_some());
            assert!((q.unwrap_or(0.0) - expected.unwrap_or(0.0)).abs() < 1e-12);
        }
        assert!(benjamini_hochberg(&[]).is_empty());
    }
}
