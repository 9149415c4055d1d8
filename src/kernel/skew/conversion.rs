//! What numbers become when someone measures them in another unit or scale.
use super::super::values::{ValueBin, ValueBins};

/// A monotone map of numbers, and what it is called.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Conversion {
    pub name: String,
    map: Map,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Map {
    /// `factor x + shift`.
    Affine { factor: f64, shift: f64 },
    /// `ln(x + shift) / unit`; its inverse is read by exchanging the sides.
    Log { shift: f64, unit: f64 },
    /// The square root.
    Root,
}

/// Factors beside powers of ten, with what they convert.
const FACTORS: [(f64, &str); 21] = [
    (60.0, "minutes and seconds, or hours and minutes"),
    (3600.0, "hours and seconds"),
    (24.0, "days and hours"),
    (86_400.0, "days and seconds"),
    (7.0, "weeks and days"),
    (12.0, "years and months, feet and inches, or dozens"),
    (365.25, "years and days"),
    (2.54, "inches and centimetres"),
    (25.4, "inches and millimetres"),
    (0.3048, "feet and metres"),
    (30.48, "feet and centimetres"),
    (1.609_344, "miles and kilometres"),
    (1609.344, "miles and metres"),
    (0.453_592_37, "pounds and kilograms"),
    (453.592_37, "pounds and grams"),
    (28.349_523, "ounces and grams"),
    (3.6, "metres a second and kilometres an hour"),
    (3.785_411_8, "gallons and litres"),
    (4.184, "calories and joules"),
    (57.295_779_513, "radians and degrees"),
    (1024.0, "units of 1024 bytes"),
];

/// Powers of ten from a thousand millionth to a thousand million.
const MOST_POWER: i32 = 9;

impl Conversion {
    /// Every conversion of numbers with this mean, deviation and range, in the order in which equals are preferred.
    pub fn all(numbers: &Moments) -> Vec<Self> {
        let affine = |factor: f64, shift: f64, name: String| Self {
            name,
            map: Map::Affine { factor, shift },
        };
        let mut all = vec![];
        for power in (-MOST_POWER..=MOST_POWER).filter(|power| *power != 0) {
            let name = match power {
                2 | -2 => "shares and percent, or cents and units".to_owned(),
                3 | -3 => "a thousand of a unit".to_owned(),
                _ => format!("10^{power}"),
            };
            all.push(affine(10f64.powi(power), 0.0, name));
        }
        for (factor, name) in FACTORS {
            all.push(affine(factor, 0.0, name.to_owned()));
            all.push(affine(1.0 / factor, 0.0, name.to_owned()));
        }
        let (celsius, kelvin) = ("Celsius and Fahrenheit", "Celsius and Kelvin");
        all.push(affine(1.8, 32.0, celsius.to_owned()));
        all.push(affine(1.0 / 1.8, -32.0 / 1.8, celsius.to_owned()));
        all.push(affine(1.0, 273.15, kelvin.to_owned()));
        all.push(affine(1.0, -273.15, kelvin.to_owned()));
        all.push(affine(-1.0, 0.0, "numbers and their negatives".to_owned()));
        all.extend(Self::of_shape(numbers));
        all
    }

    /// Scalings by what the numbers themselves are, and maps that are not linear.
    fn of_shape(numbers: &Moments) -> Vec<Self> {
        let affine = |factor: f64, shift: f64, name: String| Self {
            name,
            map: Map::Affine { factor, shift },
        };
        let mut all = vec![];
        if let Some(deviation) = numbers.deviation {
            let name = "values and values standardized by mean and deviation".to_owned();
            all.push(affine(1.0 / deviation, -numbers.mean / deviation, name));
        }
        let range = numbers.greatest - numbers.least;
        if range > 0.0 {
            let name = "values and values scaled to 0 to 1".to_owned();
            all.push(affine(1.0 / range, -numbers.least / range, name));
        }
        let ten = std::f64::consts::LN_10;
        for (shift, unit, name) in [
            (0.0, 1.0, "values and their logarithm"),
            (1.0, 1.0, "values and the logarithm of 1 + value"),
            (0.0, ten, "values and their decimal logarithm"),
        ] {
            all.push(Self {
                name: name.to_owned(),
                map: Map::Log { shift, unit },
            });
        }
        all.push(Self {
            name: "values and their square root".to_owned(),
            map: Map::Root,
        });
        all
    }

    /// The number on the other side; `None` where there is none.
    fn of(&self, x: f64) -> Option<f64> {
        let y = match self.map {
            Map::Affine { factor, shift } => factor * x + shift,
            Map::Log { shift, unit } => (x + shift).ln() / unit,
            Map::Root => x.sqrt(),
        };
        y.is_finite().then_some(y)
    }

    /// The numbers in ascending order with their rows; `None` where one has no counterpart.
    pub fn apply(&self, numbers: &[(f64, u64)]) -> Option<Vec<(f64, u64)>> {
        let converted = numbers.iter().map(|&(x, rows)| Some((self.of(x)?, rows)));
        let mut converted: Vec<(f64, u64)> = converted.collect::<Option<_>>()?;
        if matches!(self.map, Map::Affine { factor, .. } if factor < 0.0) {
            converted.reverse();
        }
        Some(converted)
    }

    /// Whether it is a change of unit by a factor, which tells how the medians go together.
    pub fn factor(&self) -> Option<f64> {
        match self.map {
            Map::Affine { factor, shift: 0.0 } => Some(factor),
            _ => None,
        }
    }
}

/// Mean, deviation and range of numbers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Moments {
    pub mean: f64,
    /// `None` of numbers that are all equal.
    pub deviation: Option<f64>,
    pub least: f64,
    pub greatest: f64,
}

impl Moments {
    /// `None` without numbers.
    pub fn of(numbers: &[(f64, u64)]) -> Option<Self> {
        let (least, greatest) = (numbers.first()?.0, numbers.last()?.0);
        let rows: f64 = numbers.iter().map(|(_, rows)| *rows as f64).sum();
        let mean = numbers.iter().map(|(x, n)| x / rows * *n as f64).sum();
        let squares = numbers
            .iter()
            .map(|(x, n)| (x - mean) * (x - mean) / rows * *n as f64);
        let deviation = squares.sum::<f64>().sqrt();
        Some(Self {
            mean,
            deviation: (deviation > 0.0 && deviation.is_finite()).then_some(deviation),
            least,
            greatest,
        })
    }
}

/// The finite numbers of a profile, each bin by its middle.
pub(super) fn numbers_of(values: &ValueBins) -> Vec<(f64, u64)> {
    let middle = |bin: &ValueBin| bin.lower + (bin.upper - bin.lower) / 2.0;
    values
        .bins
        .iter()
        .map(|bin| (middle(bin), bin.count))
        .collect()
}
