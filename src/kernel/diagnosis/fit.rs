//! The shape of a series by the fit that costs least.
use super::basis::Basis;
use super::pattern::{DiagnosisStatus, Pattern};
use super::search::{Found, Sums, bend, excursion, step};
use super::sentence::sentence;
use super::series::{Observation, Series};

/// Fewer observations than this have no shape that can be told from noise.
const FEWEST: usize = 4;
/// Below this many the promise of few false alarms is not kept.
const FEW: usize = 8;
/// Most waves of a cycle.
const MOST_HARMONICS: u32 = 3;
/// Longest cycle: days of a leap year.
const LONGEST_CYCLE: u32 = 366;
/// Cycles that must have been seen.
const CYCLES: u32 = 3;
/// Parameters that a change costs: its size, and two for searching its place.
const OF_CHANGE: f64 = 3.0;
/// The same of the bend where a line begins: neighbouring places give nearly the same line, so there are fewer to be searched.
const OF_BEND: f64 = 2.3;
/// The same of two places.
const OF_EXCURSION: f64 = 5.0;

/// How many parameters a searched place or period is worth; more: fewer false alarms, less power.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sensitivity {
    /// Price of a search, 2 by default.
    pub search: f64,
}

impl Default for Sensitivity {
    fn default() -> Self {
        Self { search: 2.0 }
    }
}

/// What shape a series has.
///
/// Places are points of the series. Numbers that a shape does not have are `None`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Diagnosis {
    /// The shape; `None` where there are too few chunks.
    pub pattern: Option<Pattern>,
    /// Where the change begins: the first chunk that is changed, of a gradual change the last that is not.
    pub since: Option<usize>,
    /// The first chunk after a temporary change.
    pub until: Option<usize>,
    /// The change: from one level to the other, of a gradual one to the last chunk, of a cycle alone from its lowest to its
    /// highest.
    pub magnitude: Option<f64>,
    /// Standard error of the magnitude, its place taken as known.
    pub magnitude_error: Option<f64>,
    /// Of a gradual change, by chunk.
    pub slope: Option<f64>,
    /// Chunks of a cycle.
    pub cycle_length: Option<u32>,
    /// Weight of the shape among all, as far as they explain the series (0 to 1).
    pub confidence: Option<f64>,
    /// The shape that comes next.
    pub runner_up: Option<Pattern>,
    /// The weight of that one.
    pub runner_up_confidence: Option<f64>,
    /// How many times the errors of the chunks the values scatter, at least 1; `None` where there are no errors.
    pub dispersion: Option<f64>,
    /// Chunks that were used.
    pub used_count: usize,
    /// Whether the shape can be trusted.
    pub status: DiagnosisStatus,
    /// The same for a person.
    pub explanation: String,
}

/// Mean square of what is left of values of the size of 1 that is rounding.
const ROUNDING: f64 = 1e-24;

/// A fit of a shape.
#[derive(Debug, Clone)]
struct Candidate {
    pattern: Pattern,
    change: Option<Found>,
    /// Length of the cycle, and waves.
    cycle: Option<(u32, u32)>,
    parameters: f64,
    /// Columns that were fitted.
    columns: usize,
    chi_squared: f64,
}

/// How fits are compared.
#[derive(Debug, Clone, Copy)]
struct Costs {
    /// Chunks.
    n: f64,
    /// Over-dispersion, by which `chi^2` is divided; `None` where errors are not known and follow from the fit.
    dispersion: Option<f64>,
    /// What a parameter costs.
    price: f64,
}

impl Costs {
    fn of(&self, candidate: &Candidate) -> f64 {
        let misfit = match self.dispersion {
            Some(dispersion) => candidate.chi_squared / dispersion,
            None => self.n * (candidate.chi_squared / self.n).max(ROUNDING).ln(),
        };
        misfit + self.price * candidate.parameters
    }
}

impl Diagnosis {
    /// The shape of a series.
    ///
    /// * Noise: the errors of the chunks, enlarged by `sqrt(chi^2 / (T - parameters))` of the best fit where that is more than 1;
    ///   without errors it is that of the fit. Where the residuals go together (correlation of neighbours beyond `2 / sqrt(T)`)
    ///   parameters cost `(1 + r) / (1 - r)` times as much.
    /// * `name`: of what the values are, for the explanation.
    pub fn of(series: &Series, sensitivity: Sensitivity, name: &str) -> Self {
        let observations = series.observations();
        if observations.len() < FEWEST {
            let mut few = Self {
                used_count: observations.len(),
                status: DiagnosisStatus::InsufficientData,
                ..Self::default()
            };
            few.explanation = sentence(&few, series, name);
            return few;
        }
        let unit = unit(&observations, series.has_errors());
        let observations = in_units(&observations, unit, series.has_errors());
        let found = candidates(&observations, sensitivity);
        let n = observations.len() as f64;
        let mut costs = Costs {
            n,
            dispersion: series.has_errors().then_some(1.0),
            price: n.ln(),
        };
        if let Some(best) = cheapest(&found, &costs) {
            costs = adjusted(costs, best, &observations);
        }
        let Some(best) = cheapest(&found, &costs) else {
            return Self::default();
        };
        let mut diagnosis = told(best, &observations, &costs).times(unit);
        among(&found, best, &costs, &mut diagnosis);
        diagnosis.used_count = observations.len();
        if observations.len() < FEW {
            diagnosis.status = DiagnosisStatus::FewChunks;
        }
        diagnosis.explanation = sentence(&diagnosis, series, name);
        diagnosis
    }
}

/// What values and errors are divided by, so that their squares are floats.
fn unit(series: &[Observation], has_errors: bool) -> f64 {
    let size = |seen: &Observation| match has_errors {
        true => seen.error,
        false => seen.value.abs(),
    };
    let largest = series.iter().map(size).fold(0.0, f64::max);
    if largest > 0.0 { largest } else { 1.0 }
}

fn in_units(series: &[Observation], unit: f64, has_errors: bool) -> Vec<Observation> {
    let scaled = |seen: &Observation| Observation {
        value: seen.value / unit,
        error: if has_errors { seen.error / unit } else { 1.0 },
        ..*seen
    };
    series.iter().map(scaled).collect()
}

impl Diagnosis {
    /// Numbers back in the unit of the values; those that are no floats are none.
    fn times(mut self, unit: f64) -> Self {
        let numbers = [
            &mut self.magnitude,
            &mut self.magnitude_error,
            &mut self.slope,
        ];
        for number in numbers {
            *number = number.map(|x| x * unit).filter(|x| x.is_finite());
        }
        self.dispersion = self.dispersion.filter(|x| x.is_finite());
        self
    }
}

/// The best fit of each shape and cycle.
fn candidates(series: &[Observation], sensitivity: Sensitivity) -> Vec<Candidate> {
    let extra = sensitivity.search - Sensitivity::default().search;
    let [change, line] = [OF_CHANGE, OF_BEND].map(|price| price + extra);
    let level = Basis::level(series);
    let sums = Sums::new(&level, series);
    let mut all = vec![Candidate::new(Pattern::Stable, &level, None, None, 1.0)];
    let mut found = |pattern, change: Option<Found>, price: f64| {
        if change.is_some() {
            all.push(Candidate::new(pattern, &level, change, None, 1.0 + price));
        }
    };
    found(Pattern::Sudden, step(&sums), change);
    found(Pattern::Gradual, bend(&sums, series), line);
    let twice = OF_EXCURSION + 2.0 * extra;
    found(Pattern::Temporary, excursion(&sums), twice);
    for period in periods(series) {
        let mut basis = level.clone();
        for harmonics in 1..=MOST_HARMONICS.min(period / 2) {
            basis.wave(series, period, harmonics);
            // of a level and waves, and of the change, something must be left
            if basis.len() <= level.len() || basis.len() + 2 > series.len() {
                continue;
            }
            let cycle = Some((period, harmonics));
            let parameters = basis.len() as f64 + 2.0 + extra;
            let recurring = Pattern::Recurring;
            all.push(Candidate::new(recurring, &basis, None, cycle, parameters));
            let sums = Sums::new(&basis, series);
            let changes = [
                (Pattern::RecurringSudden, step(&sums), change),
                (Pattern::RecurringGradual, bend(&sums, series), line),
            ];
            for (pattern, found, price) in changes.into_iter().filter(|(_, of, _)| of.is_some()) {
                let parameters = parameters + price;
                all.push(Candidate::new(pattern, &basis, found, cycle, parameters));
            }
        }
    }
    all
}

/// Lengths of cycles that were seen three times.
fn periods(series: &[Observation]) -> std::ops::RangeInclusive<u32> {
    let ends = series.first().zip(series.last());
    let places = ends.map_or(0, |(a, b)| (b.position - a.position).saturating_add(1));
    2..=(places / CYCLES).min(LONGEST_CYCLE)
}

impl Candidate {
    fn new(
        pattern: Pattern,
        basis: &Basis,
        change: Option<Found>,
        cycle: Option<(u32, u32)>,
        parameters: f64,
    ) -> Self {
        let gain = change.map_or(0.0, |found| found.gain.gain);
        Self {
            pattern,
            change,
            cycle,
            parameters,
            columns: basis.len() + usize::from(change.is_some()),
            chi_squared: (basis.chi_squared() - gain).max(0.0),
        }
    }

    /// What was fitted besides the change; made again, for there are hundreds of candidates.
    fn basis(&self, series: &[Observation]) -> Basis {
        let level = Basis::level(series);
        match self.cycle {
            Some(cycle) => level.cycle(series, cycle),
            None => level,
        }
    }
}

fn cheapest<'a>(candidates: &'a [Candidate], costs: &Costs) -> Option<&'a Candidate> {
    let by_cost = |a: &&Candidate, b: &&Candidate| costs.of(a).total_cmp(&costs.of(b));
    candidates.iter().min_by(by_cost)
}

/// Costs where the best fit leaves more than the errors, or residuals that go together.
fn adjusted(mut costs: Costs, best: &Candidate, series: &[Observation]) -> Costs {
    let free = costs.n - best.columns as f64;
    if let Some(dispersion) = &mut costs.dispersion
        && free > 0.0
    {
        *dispersion = (best.chi_squared / free).max(1.0);
    }
    let rest = residuals(best, series);
    let squares: f64 = rest.iter().map(|x| x * x).sum();
    let together = rest
        .windows(2)
        .zip(series.windows(2))
        .filter_map(|pair| match pair {
            // neighbours with a gap between them tell nothing
            ([x, y], [a, b]) if b.position == a.position + 1 => Some(x * y),
            _ => None,
        });
    let correlation = together.sum::<f64>() / squares;
    if correlation > 2.0 / costs.n.sqrt() {
        let correlation = correlation.min(0.9);
        costs.price *= (1.0 + correlation) / (1.0 - correlation);
    }
    costs
}

fn residuals(of: &Candidate, series: &[Observation]) -> Vec<f64> {
    let basis = of.basis(series);
    let Some(found) = of.change else {
        return basis.rest().to_vec();
    };
    let at = |i: usize| series.get(i).map_or(0.0, |seen| f64::from(seen.position));
    let begin = at(found.from);
    basis.rest_beside(|i| match of.pattern {
        Pattern::Gradual | Pattern::RecurringGradual => (at(i) - begin).max(0.0),
        _ => f64::from(u8::from((found.from..found.until).contains(&i))),
    })
}

/// Tells the weight of the best shape among the best fits of each, and the next.
fn among(candidates: &[Candidate], best: &Candidate, costs: &Costs, told: &mut Diagnosis) {
    let least = costs.of(best);
    let of_pattern = |pattern: Pattern| {
        let mine = candidates.iter().filter(|one| one.pattern == pattern);
        let cost = mine.map(|one| costs.of(one)).min_by(f64::total_cmp)?;
        Some((pattern, (0.5 * (least - cost)).exp()))
    };
    let weights: Vec<(Pattern, f64)> = Pattern::ALL.into_iter().filter_map(of_pattern).collect();
    let all: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let others = weights
        .iter()
        .filter(|(pattern, _)| *pattern != best.pattern);
    let next = others.max_by(|a, b| a.1.total_cmp(&b.1));
    let share = |weight: f64| Some(weight / all).filter(|x| x.is_finite());
    told.confidence = share(1.0);
    told.runner_up = next.map(|(pattern, _)| *pattern);
    told.runner_up_confidence = next.and_then(|(_, weight)| share(*weight));
}

fn told(best: &Candidate, series: &[Observation], costs: &Costs) -> Diagnosis {
    let free = (costs.n - best.columns as f64).max(1.0);
    let dispersion = costs.dispersion.unwrap_or(best.chi_squared / free);
    let mut told = Diagnosis {
        pattern: Some(best.pattern),
        cycle_length: best.cycle.map(|(period, _)| period),
        dispersion: costs.dispersion.map(f64::sqrt),
        ..Diagnosis::default()
    };
    let point = |i: usize| series.get(i).map(|seen| seen.point);
    let (magnitude, variance) = match (best.change, best.pattern) {
        (None, Pattern::Recurring) => best.basis(series).swing(series),
        (None, _) => return told,
        (Some(found), pattern) => {
            told.since = point(found.from);
            let (slope, variance) = (found.gain.slope, found.gain.variance);
            match pattern {
                Pattern::Gradual | Pattern::RecurringGradual => {
                    let ends = series.get(found.from).zip(series.last());
                    let places = ends.map_or(0.0, |(a, b)| f64::from(b.position - a.position));
                    told.slope = Some(slope);
                    (slope * places, variance * places * places)
                }
                Pattern::Temporary => {
                    told.until = point(found.until);
                    (slope, variance)
                }
                _ => (slope, variance),
            }
        }
    };
    told.magnitude = Some(magnitude);
    told.magnitude_error = Some((dispersion * variance).sqrt());
    told
}
