//! What values are to be expected of chunks while nothing changes.
use statrs::distribution::{ContinuousCDF, Normal};

use super::super::diagnosis::Observation;
use super::super::student::Student;

/// Fewest chunks that show a level and a scatter of their own.
const FEWEST: usize = 4;
/// Fewest chunks that show a level where the error of each is known.
const FEWEST_WITH_ERRORS: usize = 2;
/// Beyond this a standard normal number says no more.
const MOST: f64 = 37.0;

/// The level of a series and how far chunks lie from it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InControl {
    /// The level, from the chunks weighted by inverse variance.
    pub mean: f64,
    /// Variance of that mean.
    mean_variance: f64,
    /// Variance between chunks, beside that of their errors.
    between: f64,
    /// Degrees of freedom of the variance; none where it is known from the errors.
    freedom: Option<f64>,
}

impl InControl {
    /// From chunks that are in control. `None` where they are too few, or where nothing tells how far chunks scatter.
    ///
    /// With errors, the variance between chunks is the estimate of R. DerSimonian and N. Laird (1986), Controlled Clinical Trials
    /// 7, 177-188; without, it is that of the values.
    pub fn of(chunks: &[Observation], has_errors: bool) -> Option<Self> {
        if !Self::is_shown_by(chunks, has_errors) {
            return None;
        }
        let count = chunks.len() as f64;
        let squares = |mean: f64, weight: &dyn Fn(&Observation) -> f64| -> f64 {
            let of = |chunk: &Observation| weight(chunk) * (chunk.value - mean).powi(2);
            chunks.iter().map(of).sum()
        };
        if !has_errors {
            let mean = chunks.iter().map(|chunk| chunk.value).sum::<f64>() / count;
            let between = squares(mean, &|_| 1.0) / (count - 1.0);
            // values that differ in their last digits do not scatter
            let rounding = (f64::EPSILON * mean.abs() * count).powi(2);
            return (between > rounding).then_some(Self {
                mean,
                mean_variance: between / count,
                between,
                freedom: Some(count - 1.0),
            });
        }
        let weight = |chunk: &Observation| chunk.error.powi(-2);
        let (mean, all) = mean_of(chunks, weight);
        let all_squared: f64 = chunks.iter().map(|chunk| weight(chunk).powi(2)).sum();
        let excess = squares(mean, &weight) - (count - 1.0);
        let between = (excess / (all - all_squared / all)).max(0.0);
        let (mean, all) = mean_of(chunks, |chunk| (chunk.error.powi(2) + between).recip());
        Some(Self {
            mean,
            mean_variance: all.recip(),
            between,
            freedom: None,
        })
    }

    /// Whether there are chunks enough to show a level.
    pub fn is_shown_by(chunks: &[Observation], has_errors: bool) -> bool {
        let fewest = if has_errors {
            FEWEST_WITH_ERRORS
        } else {
            FEWEST
        };
        chunks.len() >= fewest
    }

    /// Variance of a chunk around the true level.
    pub fn variance(&self, chunk: &Observation) -> f64 {
        match self.freedom {
            Some(_) => self.between,
            None => chunk.error.powi(2) + self.between,
        }
    }

    /// How far a chunk is from the level: standard normal while nothing changes.
    pub fn z(&self, chunk: &Observation) -> f64 {
        let far = chunk.value - self.mean;
        self.standardized(far / (self.variance(chunk) + self.mean_variance).sqrt())
    }

    /// A difference over its standard deviation as a standard normal number: of Student's law where that is an estimate.
    pub fn standardized(&self, t: f64) -> f64 {
        let law = self.freedom.and_then(Student::new);
        let z = match law {
            None => t.abs(),
            Some(law) => -Normal::standard().inverse_cdf(law.upper_tail(t.abs())),
        };
        z.min(MOST).copysign(t)
    }
}

fn mean_of(chunks: &[Observation], weight: impl Fn(&Observation) -> f64) -> (f64, f64) {
    let sums = chunks.iter().map(|chunk| (weight(chunk), chunk.value));
    let (all, sum) = sums.fold((0.0, 0.0), |(all, sum), (weight, value)| {
        (all + weight, sum + weight * value)
    });
    (sum / all, all)
}
