//! From values to cells of a plot.
use super::series::Point;
use super::text::decimals;

/// From values to columns of the plot.
pub struct Scale {
    lowest: f64,
    highest: f64,
}

impl Scale {
    /// The range of everything that is drawn; `None` when nothing is.
    pub fn of(points: &[Point]) -> Option<Self> {
        let drawn = |point: &Point| {
            let (lower, upper) = point.bounds;
            let (below, above) = point.thresholds;
            [point.value, lower, upper, below, above, point.realized]
        };
        let mut lowest = f64::INFINITY;
        let mut highest = f64::NEG_INFINITY;
        for value in points.iter().flat_map(drawn).flatten() {
            lowest = lowest.min(value);
            highest = highest.max(value);
        }
        if lowest > highest {
            return None;
        }
        if lowest == highest {
            // a flat series stands in the middle
            let margin = if lowest == 0.0 {
                1.0
            } else {
                lowest.abs() / 100.0
            };
            (lowest, highest) = (lowest - margin, highest + margin);
        }
        Some(Self { lowest, highest })
    }

    /// Decimals that tell two values apart.
    pub fn decimals(&self) -> usize {
        decimals(self.highest - self.lowest)
    }

    /// The cell of a plot of that many cells.
    pub fn place(&self, value: f64, plot: usize) -> usize {
        let last = plot.saturating_sub(1) as f64;
        let share = (value - self.lowest) / (self.highest - self.lowest);
        (share * last).round().clamp(0.0, last) as usize
    }

    /// 1, 2 or 5 times a power of ten, so that the scale has three to eight ticks.
    fn step(&self) -> f64 {
        let range = self.highest - self.lowest;
        let mut power = 1.0_f64;
        while power * 10.0 <= range && power < 1e300 {
            power *= 10.0;
        }
        while power > range && power > 1e-300 {
            power /= 10.0;
        }
        let fits = |step: &f64| range / step >= 3.0;
        [power, power / 2.0, power / 5.0]
            .into_iter()
            .find(fits)
            .unwrap_or(power / 5.0)
    }

    /// Round numbers inside the range.
    pub fn ticks(&self) -> impl Iterator<Item = f64> {
        let step = self.step();
        let first = (self.lowest / step).ceil();
        let last = (self.highest / step).floor();
        let count = if (last - first).is_finite() {
            (last - first).clamp(0.0, 20.0)
        } else {
            0.0
        };
        (0..=count as usize).map(move |i| (first + i as f64) * step)
    }

    /// Decimals that tell two ticks apart.
    pub fn tick_decimals(&self) -> usize {
        let mut step = self.step();
        let mut decimals = 0;
        while step < 0.999_999 && decimals < 12 {
            step *= 10.0;
            decimals += 1;
        }
        decimals
    }
}
