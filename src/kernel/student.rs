//! Student's law with a whole number of degrees of freedom, which a mixture asks for thousands of times.
use statrs::distribution::{ContinuousCDF, StudentsT};

/// Tails below this are left to the incomplete beta function: one less a number next to it has lost its digits.
const SMALL: f64 = 1e-9;
/// Degrees of freedom from which on the sum is the longer way.
const MANY: f64 = 1000.0;

/// Student's law.
#[derive(Debug)]
pub struct Student {
    freedom: f64,
    law: StudentsT,
}

impl Student {
    /// With at least one degree of freedom, a whole number.
    pub fn new(freedom: f64) -> Option<Self> {
        let law = StudentsT::new(0.0, 1.0, freedom).ok()?;
        Some(Self { freedom, law })
    }

    /// The chance of a number above `t`, which is not negative.
    ///
    /// * Source: the finite sums of M. Abramowitz and I. A. Stegun (1964), 26.7.3 and 26.7.4.
    pub fn upper_tail(&self, t: f64) -> f64 {
        if self.freedom > MANY {
            return self.law.sf(t);
        }
        let angle = (t / self.freedom.sqrt()).atan();
        let (sine, cosine) = angle.sin_cos();
        let is_even = self.freedom % 2.0 == 0.0;
        let mut term = if is_even { 1.0 } else { cosine };
        let mut below = if is_even { 2.0 } else { 3.0 };
        let mut sum = if self.freedom > 1.0 { term } else { 0.0 };
        while below < self.freedom {
            term *= (below - 1.0) / below * cosine * cosine;
            sum += term;
            below += 2.0;
        }
        let within = match is_even {
            true => sine * sum,
            false => (angle + sine * sum) * std::f64::consts::FRAC_2_PI,
        };
        let tail = 0.5 * (1.0 - within);
        if tail > SMALL { tail } else { self.law.sf(t) }
    }

    /// The number that is exceeded with this chance.
    pub fn upper_quantile(&self, tail: f64) -> f64 {
        -self.law.inverse_cdf(tail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_those_of_the_incomplete_beta_function() {
        for freedom in [1.0, 2.0, 3.0, 12.0, 37.0, 58.0, 501.0, 1000.0, 2000.0] {
            let student = Student::new(freedom).unwrap();
            for step in 0..60 {
                let t = f64::from(step) * 0.15;
                let (tail, known) = (student.upper_tail(t), student.law.sf(t));
                let off = (tail - known).abs();
                assert!(off <= 1e-6 * known, "{freedom} {t}: {tail} is not {known}");
            }
        }
    }
}
