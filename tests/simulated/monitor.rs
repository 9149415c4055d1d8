//! Healthy monitors: limits learnt from reference chunks, and how often a chunk leaves them.
use super::population::{Counts, Kind, Population};
use super::simulated::Random;
use super::simulated::tally::Tally;
use modelwatch::kernel::KernelError;
use modelwatch::kernel::bins::ScoreBins;
use modelwatch::kernel::calibrator::CalibrationMode;
use modelwatch::kernel::limits::ChunkPoint;
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::reference::{ReferenceChunk, ReferenceFit};
use modelwatch::kernel::score_profile::ScoreProfile;
use modelwatch::kernel::threshold::{Direction, MetricScale, Threshold};
use modelwatch::kernel::threshold_model::ThresholdModel;

/// Numbers of reference chunks.
pub const REFERENCE_CHUNKS: [usize; 4] = [3, 5, 10, 24];
/// Rows of an analysis chunk over rows of a reference chunk.
pub const RATIOS: [f64; 4] = [0.1, 0.5, 1.0, 10.0];
/// Healthy chunks judged by one monitor at each ratio.
pub const CHUNKS_A_MONITOR: usize = 5;
/// Monitors that share a seed, so that the figures do not depend on the number of threads.
const BLOCK: usize = 250;
/// Shift that the power is measured at, in sampling standard deviations of the chunk.
const SHIFT: f64 = 4.0;

/// One row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    pub kind: Kind,
    pub metric: Metric,
    /// ROC AUC of the population.
    pub roc_auc: f64,
    /// Standard deviation between healthy chunks, in sampling standard deviations of a
    /// reference chunk.
    pub between: f64,
    /// Rows of a reference chunk, and of the chunks that analysis chunks are measured by.
    pub rows: u64,
    /// Whether reference chunks have 0.4 to 1.6 times as many.
    pub unequal: bool,
}

impl Scenario {
    fn reference_rows(&self, index: usize) -> u64 {
        const SIZES: [f64; 5] = [0.4, 1.3, 1.0, 1.6, 0.7];
        let size = if self.unequal {
            SIZES[index % SIZES.len()]
        } else {
            1.0
        };
        (self.rows as f64 * size).round() as u64
    }
}

/// Tallies by number of reference chunks and ratio.
pub type Tallies = [[Tally; RATIOS.len()]; REFERENCE_CHUNKS.len()];

/// Simulates monitors of a scenario on two threads.
pub fn simulate(scenario: Scenario, monitors: usize, seed: u64) -> Result<Tallies, KernelError> {
    let simulation = Simulation::new(scenario)?;
    let blocks = monitors.div_ceil(BLOCK);
    let simulation = &simulation;
    let half = |first: usize| -> Result<Tallies, KernelError> {
        let mut sum = Tallies::default();
        for block in (first..blocks).step_by(2) {
            let mut random = Random(seed.wrapping_mul(0x5851_F42D_4C95_7F2D) + block as u64);
            for _ in 0..BLOCK.min(monitors - block * BLOCK) {
                add(&mut sum, &simulation.monitor(&mut random)?);
            }
        }
        Ok(sum)
    };
    let (even, odd) = std::thread::scope(|threads| {
        let odd = threads.spawn(|| half(1));
        (half(0), odd.join())
    });
    let mut sum = even?;
    add(
        &mut sum,
        &odd.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?,
    );
    Ok(sum)
}

fn add(sum: &mut Tallies, other: &Tallies) {
    for (sum, other) in sum.iter_mut().flatten().zip(other.iter().flatten()) {
        sum.add(other);
    }
}

struct Simulation {
    scenario: Scenario,
    population: Population,
    /// Standard deviation between healthy chunks, in units of the metric.
    between: f64,
    /// Movement of a shifted chunk, by ratio.
    shifts: [f64; RATIOS.len()],
}

impl Simulation {
    fn new(scenario: Scenario) -> Result<Self, KernelError> {
        let population = Population::new(scenario.kind, scenario.metric, scenario.roc_auc)?;
        let sampling = population.row_error / (scenario.rows as f64).sqrt();
        let mut shifts = [0.0; RATIOS.len()];
        for (shift, ratio) in shifts.iter_mut().zip(RATIOS) {
            *shift = population.movement_to_lose(SHIFT * sampling / ratio.sqrt())?;
        }
        Ok(Self {
            scenario,
            between: scenario.between * sampling,
            shifts,
            population,
        })
    }

    fn monitor(&self, random: &mut Random) -> Result<Tallies, KernelError> {
        let most = REFERENCE_CHUNKS.into_iter().max().unwrap_or(0);
        let reference: Vec<Counts> = (0..most)
            .map(|index| self.chunk(self.scenario.reference_rows(index), 0.0, random))
            .collect();
        let judges = self.judges(&reference)?;
        let mut tallies = Tallies::default();
        for (column, (ratio, shift)) in RATIOS.into_iter().zip(self.shifts).enumerate() {
            let rows = (self.scenario.rows as f64 * ratio).round() as u64;
            let mut alarms = [0; REFERENCE_CHUNKS.len()];
            for _ in 0..CHUNKS_A_MONITOR {
                let alerts = self.alerts(&judges, &self.chunk(rows, 0.0, random));
                for (count, alert) in alarms.iter_mut().zip(alerts) {
                    *count += u64::from(alert);
                }
            }
            let found = self.alerts(&judges, &self.chunk(rows, shift, random));
            for ((row, alarms), found) in tallies.iter_mut().zip(alarms).zip(found) {
                row[column] = Tally::of_monitor(alarms, CHUNKS_A_MONITOR, found);
            }
        }
        Ok(tallies)
    }

    fn chunk(&self, rows: u64, shift: f64, random: &mut Random) -> Counts {
        let movement = shift + self.between * random.normal();
        self.population
            .draw(&self.population.moved(movement), rows, random)
    }

    /// What monitors learn from the first chunks of a reference.
    fn judges(&self, reference: &[Counts]) -> Result<Vec<Judge>, KernelError> {
        let bins: Vec<ScoreBins> = reference
            .iter()
            .map(|chunk| self.population.bins(chunk))
            .collect();
        let profiles: Vec<ScoreProfile> = match self.scenario.kind {
            Kind::Realized => vec![],
            Kind::Estimated => reference
                .iter()
                .map(|chunk| self.population.profile(chunk))
                .collect(),
        };
        let judge = |&k: &usize| Judge::new(self, &bins[..k], profiles.get(..k));
        REFERENCE_CHUNKS.iter().map(judge).collect()
    }

    fn alerts(&self, judges: &[Judge], chunk: &Counts) -> Vec<bool> {
        let chunk = self.population.bins(chunk);
        let realized = match self.scenario.kind {
            Kind::Realized => Some(self.population.judge(&chunk, None)),
            Kind::Estimated => None,
        };
        let alert = |judge: &Judge| {
            let calibrator = judge.fit.as_ref().and_then(ReferenceFit::calibrator);
            let point = realized.unwrap_or_else(|| self.population.judge(&chunk, calibrator));
            judge.limits.limits(&point).alert(point.value, true) == Some(true)
        };
        judges.iter().map(alert).collect()
    }
}

/// What one monitor learnt from its reference.
struct Judge {
    /// `None` for realized values.
    fit: Option<ReferenceFit>,
    limits: ThresholdModel,
}

impl Judge {
    /// `profiles`: for estimates. Limits are learnt from them as in the product.
    fn new(
        simulation: &Simulation,
        chunks: &[ScoreBins],
        profiles: Option<&[ScoreProfile]>,
    ) -> Result<Self, KernelError> {
        let fit = match profiles {
            None => None,
            Some(profiles) => {
                let chunk = |(index, profile): (i64, &ScoreProfile)| ReferenceChunk {
                    index: Some(index),
                    profile: profile.clone(),
                };
                let chunks = (0..).zip(profiles).map(chunk).collect();
                Some(ReferenceFit::fit(chunks, CalibrationMode::Auto)?)
            }
        };
        let calibrator = fit.as_ref().and_then(ReferenceFit::calibrator_of_limits);
        let points: Vec<ChunkPoint> = chunks
            .iter()
            .map(|chunk| simulation.population.judge(chunk, calibrator))
            .collect();
        let metric = MetricScale::of(simulation.scenario.metric);
        let limits = ThresholdModel::fit(Threshold::default(), Direction::Both, metric, &points)?;
        Ok(Self { fit, limits })
    }
}
