//! Rows of two models for tests: draws that are the same in every run.
use crate::kernel::splitmix::{STEP, splitmix64};

pub(in crate::kernel) struct Draws(pub u64);

impl Draws {
    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(STEP);
        ((splitmix64(self.0) >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Standard normal (G. E. P. Box, M. E. Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// A label, and scores of two models that see the same signal, the second more clearly; `gain` 0 makes them as good.
    pub fn scored(&mut self, gain: f64) -> (bool, [f64; 2]) {
        let (signal, seen) = (self.normal(), self.normal());
        let label = self.uniform() < logistic(1.5 * signal - 0.7);
        let score = |noise: f64, own: f64| logistic(1.2 * signal + 0.5 * seen + noise * own - 0.6);
        let own = [self.normal(), self.normal()];
        (label, [score(0.9, own[0]), score(0.9 - gain, own[1])])
    }

    /// A label and predictions of two models with errors in common.
    pub fn predicted(&mut self, gain: f64) -> (f64, [f64; 2]) {
        let label = 20.0 + 8.0 * self.uniform() + self.normal().abs();
        let common = self.normal();
        let error = |noise: f64, own: f64| 0.2 + 0.8 * common + noise * own;
        let own = [self.normal(), self.normal()];
        let errors = [error(1.0, own[0]), error(1.0 - gain, own[1])];
        (label, errors.map(|error| label + error))
    }
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Standard error of a value by dropping each row once.
pub(in crate::kernel) fn jackknife<R: Clone>(rows: &[R], value: impl Fn(&[R]) -> f64) -> f64 {
    let without = |out: usize| {
        let mut kept = rows.to_vec();
        kept.remove(out);
        value(&kept)
    };
    let values: Vec<f64> = (0..rows.len()).map(without).collect();
    let n = rows.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
    ((n - 1.0) / n * squares).sqrt()
}

/// Share of the intervals that hold `truth`.
pub(in crate::kernel) fn coverage(
    truth: f64,
    intervals: impl Iterator<Item = (Option<f64>, Option<f64>)>,
) -> f64 {
    let (mut held, mut all) = (0.0, 0.0);
    for (lower, upper) in intervals {
        let holds = lower.unwrap() <= truth && truth <= upper.unwrap();
        held += f64::from(u8::from(holds));
        all += 1.0;
    }
    held / all
}
