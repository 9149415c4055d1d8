//! Numbers in units of what the reference shows.

/// No standardized number is further from 0: its square would not be told from what is left of others.
const FURTHEST: f64 = 1e6;

/// Mean and standard deviation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scaling {
    /// Mean.
    pub mean: f64,
    /// Standard deviation; 1 where that is 0.
    pub unit: f64,
    /// Whether all numbers are the same.
    pub is_constant: bool,
}

impl Scaling {
    /// Of finite numbers, in their order.
    pub fn of(numbers: &[f64]) -> Self {
        let count = (numbers.len() as f64).max(1.0);
        // squares of large numbers overflow
        let largest = numbers.iter().fold(0.0_f64, |far, x| far.max(x.abs()));
        let whole = if largest > 0.0 { largest } else { 1.0 };
        let mean = numbers.iter().map(|x| x / whole).sum::<f64>() / count;
        let square = |x: &f64| (x / whole - mean).powi(2);
        let deviation = (numbers.iter().map(square).sum::<f64>() / count).sqrt();
        // what a sum of equal numbers leaves
        let is_constant = deviation < 1e-12;
        Self {
            mean: mean * whole,
            unit: if is_constant {
                whole
            } else {
                deviation * whole
            },
            is_constant,
        }
    }

    /// A number in these units.
    pub fn apply(&self, x: f64) -> f64 {
        let moved = x / self.unit - self.mean / self.unit;
        moved.clamp(-FURTHEST, FURTHEST)
    }

    /// A number from these units; `None` where it is out of range.
    pub fn undo(&self, x: f64) -> Option<f64> {
        Some(self.mean + self.unit * x).filter(|x| x.is_finite())
    }
}
