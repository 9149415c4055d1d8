//! How much healthy chunks differ beyond the sampling of their rows.
//!
//! A reference chunk's value is `x_i = centre + between_i + sampling_i` with known sampling
//! variances `s_i^2` and an unknown variance `tau^2` between chunks. A handful of chunks says
//! little about `tau^2`, and what is said badly is paid in false alarms or in blindness.
use super::KernelError;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// One reference chunk: its value and the sampling variance of that value, above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampled {
    pub value: f64,
    pub variance: f64,
}

/// Level of the upper limit of `tau^2`, which [`presumed_variance`] never exceeds.
const UPPER_LEVEL: f64 = 0.95;
/// Level of the lower limit of `tau^2` at which the chunks contradict the presumption.
const LOWER_LEVEL: f64 = 0.85;
/// Presumed `tau^2`, as a multiple of the sampling variance of a reference chunk.
const PRESUMED: f64 = 0.75;
/// How fast `tau^2` leaves the presumption once it is contradicted.
const SLOPE: f64 = 20.0;
/// Halvings of an interval of doubles until nothing is left to halve.
const MAX_HALVINGS: usize = 200;

/// Between-chunk variance to allow for.
///
/// `min(upper, p + 10 max(0, lower - p))`, `p` = 0.8 times the (harmonic mean) sampling variance,
/// `upper` and `lower` the 95 % and 80 % one-sided limits of `tau^2` ([`variance_limit`]).
/// One chunk says nothing: `p`.
///
/// Reason: with five chunks the upper limit alone is so wide that a shift of 4 sampling standard
/// deviations is found in one chunk of six, and the point estimate alone gives five times the
/// promised false alarms. Healthy chunks of a stable process rarely differ by more than their
/// sampling error, so that much is granted and no more, until the reference contradicts it.
/// The constants come from integrating the normal model over `tau`: at a rate of 0.0027, chunks
/// of equal size, `tau` = 0, 1 and 2 sampling standard deviations, rate kept / power:
///
/// | chunks | limit at 80 % alone | point estimate alone | this rule |
/// |---|---|---|---|
/// | 5 | .26/.33 1.45/.16 2.98 | .68/.63 4.98/.41 11.9 | .19/.38 1.49/.32 8.5 |
/// | 10 | .31/.50 1.06/.21 1.37 | .69/.71 3.60/.42 5.4 | .2/.5 1.5/.3 3.0 |
pub(super) fn presumed_variance(chunks: &[Sampled]) -> Result<f64, KernelError> {
    let precision: f64 = chunks.iter().map(|c| 1.0 / c.variance).sum();
    let presumed = PRESUMED * chunks.len() as f64 / precision;
    if chunks.len() < 2 {
        return Ok(presumed);
    }
    let upper = variance_limit(chunks, 1.0 - UPPER_LEVEL)?;
    let lower = variance_limit(chunks, LOWER_LEVEL)?;
    Ok(upper.min(presumed + SLOPE * (lower - presumed).max(0.0)))
}

/// The `tau^2` at which `Q(tau^2)`, chi-square with `k - 1` degrees of freedom, sits at its
/// `quantile`; 0 where even `tau^2 = 0` puts it below. For equal sampling variances this is
/// `(k - 1) s^2 / chi2_quantile - s_i^2`.
///
/// Source: W. Viechtbauer (2007), Statistics in Medicine 26, 37-52 ("Q-profile").
fn variance_limit(chunks: &[Sampled], quantile: f64) -> Result<f64, KernelError> {
    let target = ChiSquared::new((chunks.len() - 1) as f64)
        .map_err(|e| KernelError::Undefined(e.to_string()))?
        .inverse_cdf(quantile);
    if dispersion(chunks, 0.0) <= target {
        return Ok(0.0);
    }
    // dispersion(t) < scatter / t, so it is at most the target here
    let mean = chunks.iter().map(|c| c.value).sum::<f64>() / chunks.len() as f64;
    let scatter: f64 = chunks.iter().map(|c| (c.value - mean).powi(2)).sum();
    let (mut low, mut high) = (0.0, scatter / target);
    for _ in 0..MAX_HALVINGS {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if dispersion(chunks, middle) > target {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

/// `Q(tau^2)`: squared deviations from the weighted centre in units of their variances.
fn dispersion(chunks: &[Sampled], tau2: f64) -> f64 {
    let (centre, _) = weighted_centre(chunks, tau2);
    chunks
        .iter()
        .map(|c| (c.value - centre).powi(2) / (c.variance + tau2))
        .sum()
}

/// Mean weighted by inverse variance, and its variance.
///
/// Without variation between chunks that is the mean over all rows; the more there is, the
/// more equally the chunks count.
pub(super) fn weighted_centre(chunks: &[Sampled], tau2: f64) -> (f64, f64) {
    let (mut weights, mut sum) = (0.0, 0.0);
    for chunk in chunks {
        let weight = 1.0 / (chunk.variance + tau2);
        weights += weight;
        sum += weight * chunk.value;
    }
    (sum / weights, 1.0 / weights)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(values: &[f64], variance: f64) -> Vec<Sampled> {
        values
            .iter()
            .map(|&value| Sampled { value, variance })
            .collect()
    }

    #[test]
    fn equal_chunks_give_the_closed_form() {
        // s^2 = 10, k = 5: tau^2 = 4 * 10 / chi2 - 1
        let five = chunks(&[-4.0, -2.0, 0.0, 2.0, 4.0], 1.0);
        for quantile in [0.05, 0.2, 0.5, 0.8] {
            let chi2 = ChiSquared::new(4.0).unwrap().inverse_cdf(quantile);
            let limit = variance_limit(&five, quantile).unwrap();
            assert!(
                (limit - (40.0 / chi2 - 1.0)).abs() < 1e-12 * limit,
                "{quantile}: {limit}"
            );
        }
    }

    #[test]
    fn no_scatter_is_no_variance() {
        assert_eq!(presumed_variance(&chunks(&[3.0; 4], 1.0)), Ok(0.0));
    }

    #[test]
    fn little_scatter_is_presumed_and_much_is_believed() {
        // s^2 = 2: the upper limit 8 / 0.711 - 1 = 10.3, the lower limit 8 / 5.99 - 1 = 0.34
        let scatter = |s: f64| chunks(&[-2.0 * s, -s, 0.0, s, 2.0 * s], 1.0);
        let little = presumed_variance(&scatter(0.8_f64.sqrt())).unwrap();
        assert!((little - 0.8).abs() < 1e-12, "{little}");
        // s^2 = 250: the upper limit 1000 / 0.711 - 1
        let much = presumed_variance(&scatter(10.0)).unwrap();
        let upper = 1000.0 / ChiSquared::new(4.0).unwrap().inverse_cdf(0.05) - 1.0;
        assert!((much - upper).abs() < 1e-9 * upper, "{much} is not {upper}");
    }

    #[test]
    fn one_chunk_is_presumed() {
        assert_eq!(presumed_variance(&chunks(&[7.0], 0.5)), Ok(0.4));
    }

    #[test]
    fn weights_turn_equal_as_chunks_differ_more() {
        let two = [
            Sampled {
                value: 0.0,
                variance: 1.0,
            },
            Sampled {
                value: 1.0,
                variance: 3.0,
            },
        ];
        // weights 1 and 1/3
        let (centre, variance) = weighted_centre(&two, 0.0);
        assert!((centre - 0.25).abs() < 1e-15 && (variance - 0.75).abs() < 1e-15);
        let (centre, _) = weighted_centre(&two, 1e12);
        assert!((centre - 0.5).abs() < 1e-9);
    }
}
