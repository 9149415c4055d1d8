//! What the chunks before say of the next KPI, over all lags and autocorrelations that the reference leaves possible.
//!
//! Neither is known, and a choice of the likeliest would be taken for knowledge: residuals would be too large where the choice
//! was a search, and correlated where the autocorrelation was estimated too low, as it is in short series (M. G. Kendall 1954,
//! Biometrika 41, 403-404). So each possible pair has a weight, its likelihood on the reference with coefficients and variance
//! integrated out times Jeffreys' prior of the autocorrelation, and the KPI is predicted by the mixture of their Student laws.
use statrs::distribution::{ContinuousCDF, Normal};

use super::super::student::Student;
use super::member::{Member, Row};

/// Autocorrelations that are tried, evenly spaced.
const AUTOCORRELATIONS: u32 = 16;
/// Their range.
const LOWEST: f64 = -0.5;
const HIGHEST: f64 = 0.95;
/// Members of less weight than this are left out.
const LEAST_WEIGHT: f64 = 1e-3;
/// A residual is at most this far from 0.
pub const FURTHEST: f64 = 8.0;

/// Members with their weights.
#[derive(Debug, Clone)]
pub struct Predictor {
    members: Vec<(f64, Member)>,
    /// The likeliest lag.
    pub lag: Option<u32>,
}

/// The law of the next KPI: Student laws of one number of degrees of freedom.
#[derive(Debug)]
pub struct Prediction {
    /// Weight, mean and standard deviation of each.
    parts: Vec<(f64, f64, f64)>,
    law: Student,
}

impl Predictor {
    /// Of the rows of the reference: a series of rows for each lag, of the same chunks.
    pub fn of(series: &[(Option<u32>, Vec<Row>)]) -> Option<Self> {
        let mut members = vec![];
        for (lag, rows) in series {
            let size = rows.first()?.regressors.len();
            for step in 0..AUTOCORRELATIONS {
                let place = (f64::from(step) + 0.5) / f64::from(AUTOCORRELATIONS);
                let mut member = Member::new(*lag, LOWEST + (HIGHEST - LOWEST) * place, size);
                for row in rows {
                    member.learn(row);
                    member.pass(row);
                }
                member.refit();
                members.push(member);
            }
        }
        let members = weighted(members)?;
        let likeliest = |of: Option<u32>| -> f64 {
            let mine = members.iter().filter(|(_, member)| member.lag == of);
            mine.map(|(weight, _)| weight).sum()
        };
        let lags = series.iter().map(|(lag, _)| *lag);
        let lag = lags.max_by(|a, b| likeliest(*a).total_cmp(&likeliest(*b)))?;
        Some(Self { members, lag })
    }

    /// The likeliest member of the likeliest lag.
    pub fn likeliest(&self) -> Option<&Member> {
        let of_lag = self.members.iter().filter(|(_, of)| of.lag == self.lag);
        of_lag
            .max_by(|(a, _), (b, _)| a.total_cmp(b))
            .map(|(_, member)| member)
    }

    /// Lags that are possible.
    pub fn lags(&self) -> Vec<Option<u32>> {
        let mut lags: Vec<Option<u32>> = self.members.iter().map(|(_, of)| of.lag).collect();
        lags.dedup();
        lags
    }

    /// The law of a chunk's KPI; `row` gives what the chunk is under each lag.
    pub fn predict<'a>(&self, row: impl Fn(Option<u32>) -> Option<&'a Row>) -> Option<Prediction> {
        let mut parts = Vec::with_capacity(self.members.len());
        let mut freedom = None;
        for (weight, member) in &self.members {
            let (mean, deviation) = member.predict(row(member.lag)?)?;
            parts.push((*weight, mean, deviation));
            freedom = member.fit.as_ref().map(|fit| fit.freedom);
        }
        let law = Student::new(freedom?)?;
        Some(Prediction { parts, law })
    }

    /// Goes on to the next chunk; only what is in control teaches.
    pub fn pass<'a>(&mut self, row: impl Fn(Option<u32>) -> Option<&'a Row>, teaches: bool) {
        for (_, member) in &mut self.members {
            let Some(row) = row(member.lag) else {
                continue;
            };
            if teaches {
                member.learn(row);
                member.refit();
            }
            member.pass(row);
        }
    }
}

/// Weights that add up to 1, without members that are hardly possible.
fn weighted(members: Vec<Member>) -> Option<Vec<(f64, Member)>> {
    let posterior = |member: &Member| member.log_likelihood() + member.log_prior();
    let likelihoods: Vec<f64> = members.iter().map(posterior).collect();
    let greatest = likelihoods.iter().copied().max_by(f64::total_cmp)?;
    if !greatest.is_finite() {
        return None;
    }
    let relative = |likelihood: &f64| (likelihood - greatest).exp();
    let all: f64 = likelihoods.iter().map(relative).sum();
    let shares = likelihoods.iter().map(|of| relative(of) / all);
    let kept: Vec<(f64, Member)> = shares
        .zip(members)
        .filter(|(share, _)| *share >= LEAST_WEIGHT)
        .collect();
    let all: f64 = kept.iter().map(|(share, _)| share).sum();
    let kept = kept.into_iter().map(|(share, of)| (share / all, of));
    Some(kept.collect())
}

impl Prediction {
    /// The normal number that is as far in its law as this KPI is in the mixture, at most 8.
    pub fn z(&self, response: f64) -> f64 {
        let (mut below, mut above) = (0.0, 0.0);
        for (weight, mean, deviation) in &self.parts {
            let t = ((response - mean) / deviation).clamp(-1e6, 1e6);
            let tail = self.law.upper_tail(t.abs());
            let (less, more) = if t < 0.0 {
                (tail, 1.0 - tail)
            } else {
                (1.0 - tail, tail)
            };
            below += weight * less;
            above += weight * more;
        }
        // the smaller tail has all its digits
        let z = match below < above {
            true => Normal::standard().inverse_cdf(below.max(f64::MIN_POSITIVE)),
            false => -Normal::standard().inverse_cdf(above.max(f64::MIN_POSITIVE)),
        };
        z.clamp(-FURTHEST, FURTHEST)
    }

    /// The KPI with this `z`, by the secant where that stays between the ends that are known and by halving where not.
    pub fn quantile(&self, z: f64) -> f64 {
        let reach = z.signum() * self.law.upper_quantile(Normal::standard().sf(z.abs()));
        let each = self
            .parts
            .iter()
            .map(|(_, mean, deviation)| mean + reach * deviation);
        let (mut low, mut high) = each.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| {
            (a.min(x), b.max(x))
        });
        let (mut of_low, mut of_high) = (self.z(low) - z, self.z(high) - z);
        for _ in 0..60 {
            let step = (high - low) * of_low / (of_low - of_high);
            let guess = low + step;
            let middle = match guess > low && guess < high {
                true => guess,
                false => 0.5 * (low + high),
            };
            let off = self.z(middle) - z;
            if off.abs() < 1e-6 || high - low < 1e-12 * (1.0 + low.abs()) {
                return middle;
            }
            // the other end's weight is halved, so that it is not kept for ever (the Illinois rule)
            if off < 0.0 {
                (low, of_low, of_high) = (middle, off, of_high * 0.5);
            } else {
                (high, of_high, of_low) = (middle, off, of_low * 0.5);
            }
        }
        0.5 * (low + high)
    }
}
