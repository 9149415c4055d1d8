//! How much healthy chunks differ beyond the sampling of their rows.
//!
//! A reference chunk's value is `x_i = centre + between_i + sampling_i` with known sampling
//! variances `s_i^2` and an unknown variance `tau^2` between chunks. A handful of chunks says
//! little about `tau^2`, and what is said badly is paid in false alarms or in blindness.
use super::KernelError;
use statrs::distribution::{ChiSquared, ContinuousCDF, Normal, StudentsT};

/// One reference chunk: its value and the sampling variance of that value, above 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sampled {
    pub value: f64,
    pub variance: f64,
}

/// Presumed `tau^2`, as a multiple of the sampling variance of a reference chunk.
const PRESUMED: f64 = 0.85;
/// Level of the lower limit of `tau^2` at which the chunks contradict the presumption.
const LOWER_LEVEL: f64 = 0.90;
/// How fast `tau^2` leaves the presumption once it is contradicted.
const SLOPE: f64 = 20.0;
/// Beyond this a t limit is no limit; two chunks reach it at tails below a millionth.
const MOST_STRETCH: f64 = 1e10;
/// Halvings of an interval of doubles until nothing is left to halve.
const MAX_HALVINGS: usize = 200;

/// Between-chunk variance to allow for where limits lie at the normal quantile of a `tail`.
///
/// `min(most, p + 20 max(0, lower - p))`, where `p` is 0.85 times the (harmonic mean) sampling
/// variance, `lower` the 90 % one-sided lower limit of `tau^2`, and `most` makes the limits of a
/// chunk as large as those of the reference the t limits of their scatter, which are exact
/// where nothing but `tau` matters. One chunk says nothing: `p`.
///
/// Reason: five chunks do not tell `tau`. Its upper 80 % limit finds a shift of 4 sampling
/// standard deviations in one chunk of six; its point estimate gives five times the promised
/// false alarms. So healthy chunks are granted differences of about their sampling error, not
/// more, until the reference contradicts that. False alarms over the promised rate of 0.0027
/// / power, from integrating the normal model, analysis chunk as large as a reference chunk, by
/// true `tau` in sampling standard deviations:
///
/// | chunks | `tau` | upper limit | point estimate | this rule |
/// |---|---|---|---|---|
/// | 5 | 0 | .26 / .33 | .68 / .63 | .10 / .38 |
/// | 5 | 1 | 1.45 / .16 | 4.98 / .41 | 1.60 / .35 |
/// | 5 | 2 | 2.98 / .06 | 11.9 / .20 | 11.2 / .19 |
/// | 5 | 10 | 3.51 / .01 | | 1.53 / .00 |
/// | 10 | 0 | .31 / .50 | .69 / .71 | .25 / .53 |
/// | 10 | 1 | 1.06 / .21 | 3.60 / .42 | 1.73 / .39 |
/// | 10 | 2 | 1.37 / .06 | 5.41 / .16 | 5.61 / .11 |
/// | 10 | 10 | 1.38 / .01 | | 1.00 / .00 |
/// | 24 | 0 | .39 / .66 | .73 / .77 | .47 / .69 |
/// | 24 | 1 | .75 / .28 | 2.24 / .43 | 1.64 / .42 |
/// | 24 | 2 | .77 / .07 | 2.37 / .13 | 1.47 / .08 |
/// | 24 | 10 | .77 / .00 | | 1.00 / .00 |
///
/// So with ten chunks or fewer the promise is not kept where healthy chunks differ by 1.5 to
/// about 5 times their sampling error: there the presumption is wrong and not yet contradicted.
pub(super) fn presumed_variance(chunks: &[Sampled], tail: f64) -> Result<f64, KernelError> {
    let presumed = unseen_variance(chunks);
    if chunks.len() < 2 {
        return Ok(presumed);
    }
    let freedom = (chunks.len() - 1) as f64;
    let chi_square = ChiSquared::new(freedom).map_err(impossible)?;
    let lower = variance_limit(chunks, chi_square.inverse_cdf(LOWER_LEVEL));
    let most = scatter_variance(chunks, tail)?;
    Ok(most.min(presumed + SLOPE * (lower - presumed).max(0.0)))
}

/// The between-chunk variance that makes the limits of a chunk as large as those of the reference the t limits of their
/// scatter; 0 for fewer than two chunks.
pub(super) fn scatter_variance(chunks: &[Sampled], tail: f64) -> Result<f64, KernelError> {
    if chunks.len() < 2 {
        return Ok(0.0);
    }
    let freedom = (chunks.len() - 1) as f64;
    Ok(variance_limit(chunks, freedom / stretch(freedom, tail)?))
}

/// Between-chunk variance where the chunks' scatter says nothing: 0.85 times their sampling variance.
pub(super) fn unseen_variance(chunks: &[Sampled]) -> f64 {
    let precision: f64 = chunks.iter().map(|c| 1.0 / c.variance).sum();
    PRESUMED * chunks.len() as f64 / precision
}

/// Square of the t quantile over the normal quantile of a tail, at most [`MOST_STRETCH`]; 1 for
/// a tail of one half or more.
///
/// By bisection: the inverse of statrs 0.19 panics or does not return for tails below 1e-100.
pub(super) fn stretch(freedom: f64, tail: f64) -> Result<f64, KernelError> {
    let normal = -Normal::standard().inverse_cdf(tail);
    if normal <= 0.0 {
        return Ok(1.0);
    }
    let student = StudentsT::new(0.0, 1.0, freedom).map_err(impossible)?;
    let (mut low, mut high) = (1.0, MOST_STRETCH);
    for _ in 0..MAX_HALVINGS {
        let middle = f64::sqrt(low * high);
        if middle <= low || middle >= high {
            break;
        }
        if student.cdf(-normal * middle.sqrt()) > tail {
            low = middle;
        } else {
            high = middle;
        }
    }
    Ok(high)
}

fn impossible(error: impl std::fmt::Display) -> KernelError {
    KernelError::Undefined(error.to_string())
}

/// The `tau^2` at which [`dispersion`], chi-square with `k - 1` degrees of freedom, equals
/// `target`; 0 where even `tau^2 = 0` puts it below. For equal sampling variances this is
/// `(k - 1) s^2 / target - s_i^2`.
///
/// Source: W. Viechtbauer (2007), Statistics in Medicine 26, 37-52 ("Q-profile").
fn variance_limit(chunks: &[Sampled], target: f64) -> f64 {
    if dispersion(chunks, 0.0) <= target {
        return 0.0;
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
    high
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
        // k = 5, s^2 = 10: tau^2 = 4 * 10 / target - 1
        let five = chunks(&[-4.0, -2.0, 0.0, 2.0, 4.0], 1.0);
        for target in [0.1, 1.0, 4.0, 25.0] {
            let limit = variance_limit(&five, target);
            assert!(
                (limit - (40.0 / target - 1.0)).abs() < 1e-12 * limit,
                "{target}: {limit}"
            );
        }
        assert_eq!(variance_limit(&five, 40.0), 0.0);
    }

    #[test]
    fn unequal_chunks_meet_the_target() {
        let unequal: Vec<Sampled> = [(0.1, 1.0), (2.5, 0.2), (-1.0, 3.0), (0.9, 0.5)]
            .map(|(value, variance)| Sampled { value, variance })
            .to_vec();
        let limit = variance_limit(&unequal, 2.0);
        assert!(limit > 0.0 && (dispersion(&unequal, limit) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn no_scatter_is_no_variance() {
        assert_eq!(presumed_variance(&chunks(&[3.0; 4], 1.0), 0.00135), Ok(0.0));
    }

    #[test]
    fn little_scatter_is_presumed_and_much_is_believed() {
        // ten chunks, s^2 = 1.111: the lower limit 10 / 14.7 - 1 is none
        let scatter = |s: f64| chunks(&[-s, s, -s, s, -s, s, -s, s, -s, s], 1.0);
        let little = presumed_variance(&scatter(1.0), 0.00135).unwrap();
        assert!((little - 0.85).abs() < 1e-12, "{little}");
        // s^2 = 111.1: the t limit, 111.1 (4.0942 / 3)^2 - 1, tables: t_9(.99865) = 4.094
        let much = presumed_variance(&scatter(10.0), 0.00135).unwrap();
        assert!((much - 205.9).abs() < 0.1, "{much}");
    }

    #[test]
    fn one_chunk_is_presumed() {
        assert_eq!(presumed_variance(&chunks(&[7.0], 0.5), 0.00135), Ok(0.425));
    }

    #[test]
    fn stretch_is_the_ratio_of_tabled_quantiles() {
        // t_4(.975) = 2.776445, t_9(.99) = 2.821438; normal 1.959964, 2.326348
        for (freedom, tail, ratio) in [
            (4.0, 0.025, 2.776445 / 1.959964),
            (9.0, 0.01, 2.821438 / 2.326348),
        ] {
            let stretch = stretch(freedom, tail).unwrap();
            assert!(
                (stretch - ratio * ratio).abs() < 1e-5,
                "{freedom}: {stretch}"
            );
        }
        assert!(stretch(1e5, 0.001).unwrap() < 1.001);
        assert_eq!(stretch(3.0, 0.5), Ok(1.0));
    }

    #[test]
    fn any_tail_gives_a_finite_variance() {
        for tail in [1e-300, 1e-12, 0.3, 0.5, 0.7, 1.0 - 1e-12] {
            for count in [2, 3, 10] {
                let values: Vec<f64> = (0..count).map(f64::from).collect();
                let variance = presumed_variance(&chunks(&values, 1e-9), tail).unwrap();
                assert!(
                    variance.is_finite() && variance > 0.0,
                    "{tail} {count} {variance}"
                );
            }
        }
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
