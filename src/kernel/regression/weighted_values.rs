//! Numbers that count unequally: their sum and their median.
use super::super::column::moments::Bounded;
use super::super::key::{MANTISSA_BITS, Scale};
use super::super::weight::WeightSums;

/// Rows whose numbers share a bin.
#[derive(Debug, Clone, Copy)]
pub(super) struct WeightedValue {
    lower: f64,
    upper: f64,
    /// Mean of the numbers.
    mean: f64,
    /// Whether it is known up to rounding.
    mean_known: bool,
    weight: f64,
    square: f64,
}

impl WeightedValue {
    pub fn new(scale: Scale, bin: u64, level: u8, sums: &WeightSums) -> Self {
        let ends = scale.bin_range(bin, level);
        let mean = sums.mean_dropped().filter(|_| level <= MANTISSA_BITS);
        let middle = ends.lower + (ends.upper - ends.lower) / 2.0;
        Self {
            lower: ends.lower,
            upper: ends.upper,
            mean: mean.map_or(middle, |dropped| scale.mean_of_values(bin, level, dropped)),
            mean_known: mean.is_some(),
            weight: sums.weight(),
            square: sums.square(),
        }
    }
}

/// Bins of numbers, ascending.
#[derive(Debug, Clone, Default)]
pub(super) struct WeightedValues(Vec<WeightedValue>);

impl WeightedValues {
    pub fn new(ascending: Vec<WeightedValue>) -> Self {
        Self(ascending)
    }

    /// Sum of weights.
    fn weight(&self) -> f64 {
        self.0.iter().map(|bin| bin.weight).sum()
    }

    /// Sum of numbers times weights.
    pub fn sum(&self) -> Bounded {
        let error = |bin: &WeightedValue| match bin.mean_known {
            true => 0.0,
            false => bin.weight * (bin.upper - bin.lower),
        };
        Bounded {
            value: self.0.iter().map(|bin| bin.weight * bin.mean).sum(),
            error: self.0.iter().map(error).sum(),
        }
    }

    /// Numbers with what they weigh.
    pub fn each(&self) -> impl Iterator<Item = (f64, f64)> + '_ {
        self.0.iter().map(|bin| (bin.mean, bin.weight))
    }

    /// Sum of numbers times squared weights.
    pub fn sum_by_squares(&self) -> f64 {
        self.0.iter().map(|bin| bin.square * bin.mean).sum()
    }

    /// The number below which and above which lies half of the weight at most; between two such numbers their middle.
    pub fn median(&self) -> Option<Bounded> {
        let half = self.weight() / 2.0;
        let (low, high) = (self.at(half, true)?, self.at(half, false)?);
        Some(Bounded {
            value: low.value / 2.0 + high.value / 2.0,
            error: (low.error + high.error) / 2.0,
        })
    }

    /// The numbers that have the median's rank less and plus `reach` in weight (R. S. Woodruff, 1952, JASA 47, 635-646).
    pub fn around_median(&self, reach: f64) -> (Option<f64>, Option<f64>) {
        let (half, all) = (self.weight() / 2.0, self.weight());
        let at = |rank: f64| self.at(rank.clamp(0.0, all), true).map(|found| found.value);
        (at(half - reach), at(half + reach))
    }

    /// The first number up to which there is this weight, or more than it where not `or_equal`.
    fn at(&self, rank: f64, or_equal: bool) -> Option<Bounded> {
        let mut passed = 0.0;
        let found = self.0.iter().find(|bin| {
            passed += bin.weight;
            passed > rank || (or_equal && passed == rank)
        });
        let bin = found.or_else(|| self.0.last())?;
        let half = (bin.upper - bin.lower) / 2.0;
        Some(Bounded {
            value: bin.lower + half,
            error: half,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::key_table::CellSum;
    use super::super::super::weight::Weight;
    use super::*;

    fn values(rows: &[(f64, f64)]) -> WeightedValues {
        let of = |(x, w): &(f64, f64)| {
            let mut sums = WeightSums::default();
            sums.add(&WeightSums::of(Weight::new(*w).unwrap().unwrap()));
            WeightedValue::new(Scale::Number, Scale::Number.key(*x), 0, &sums)
        };
        WeightedValues::new(rows.iter().map(of).collect())
    }

    #[test]
    fn weights_are_repeated_rows() {
        // 1, 2, 2, 4, 4, 4
        let values = values(&[(1.0, 1.0), (2.0, 2.0), (4.0, 3.0)]);
        assert_eq!(values.sum().value, 17.0);
        assert_eq!(values.median().unwrap().value, 3.0);
        assert_eq!(values.sum_by_squares(), 1.0 + 8.0 + 36.0);
    }

    #[test]
    fn nothing_has_no_median() {
        assert_eq!(values(&[]).median(), None);
    }
}
