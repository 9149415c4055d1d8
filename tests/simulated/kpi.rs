//! Series of performance and a KPI whose link, errors and failures are known, and what is told of them.
use modelwatch::kernel::kpi::{
    KpiChunk, KpiOptions, TimedPoint, TimedSeries, Verdict, kpi_divergence, match_chunks,
};

use super::simulated::Random;

const WEEK: i64 = 7 * 86_400_000_000;

/// The largest share of series with an alarm that nothing is the reason of.
pub const HIGHEST_ALARMS: f64 = 0.075;

/// The smallest share of losses found that begin with the analysis.
pub fn lowest_power(drawn: &Drawn) -> f64 {
    match drawn.autocorrelation {
        0.0 => 0.9,
        0.3 => 0.75,
        _ => 0.0,
    }
}

/// What happens in the analysis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event {
    /// Nothing.
    Healthy,
    /// Performance falls by so many of its standard deviations, and the KPI with it by the link.
    Explained(f64),
    /// The KPI falls by so many standard deviations of its errors, and performance does not.
    Unexplained(f64),
}

/// How series are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Drawn {
    pub reference: usize,
    pub analysis: usize,
    /// Autocorrelation of the errors of the KPI, whose standard deviation is 1.
    pub autocorrelation: f64,
    /// What a standard deviation of performance moves the KPI by.
    pub link: f64,
    /// The share of the variance of performance that is sampling error.
    pub noise: f64,
    /// Whether the KPI is made of the rows that performance is measured on, so that it has its sampling error; without lag only.
    pub is_shared: bool,
    /// Chunks by which the KPI comes later.
    pub lag: usize,
    pub event: Event,
    /// Chunks of the analysis before the event.
    pub after: usize,
}

impl Drawn {
    /// 40 + 20 chunks, a link of 1 without lag, performance without sampling error.
    pub fn usual(autocorrelation: f64, event: Event) -> Self {
        Self {
            reference: 40,
            analysis: 20,
            autocorrelation,
            link: 1.0,
            noise: 0.0,
            is_shared: false,
            lag: 0,
            event,
            after: 0,
        }
    }

    /// A series from `random`.
    pub fn chunks(&self, random: &mut Random) -> Vec<KpiChunk> {
        let (count, begin) = (self.reference + self.analysis, self.reference + self.after);
        let from = |at: usize, size: f64| if at >= begin { size } else { 0.0 };
        let (drop, loss) = match self.event {
            Event::Healthy => (0.0, 0.0),
            Event::Explained(drop) => (drop, 0.0),
            Event::Unexplained(loss) => (0.0, loss),
        };
        let truth = (1.0 - self.noise).sqrt();
        // performance before the first chunk matters where there is a lag
        let performance: Vec<f64> = (0..count + self.lag)
            .map(|at| truth * random.normal() - from(at, drop))
            .collect();
        let mut error = random.normal();
        let mut points = (vec![], vec![]);
        for at in 0..count {
            if at > 0 {
                let rho = self.autocorrelation;
                error = rho * error + (1.0 - rho * rho).sqrt() * random.normal();
            }
            let seen = performance[at + self.lag] + self.noise.sqrt() * random.normal();
            let explaining = if self.is_shared {
                seen
            } else {
                performance[at]
            };
            let kpi = self.link * explaining + error - from(at, loss);
            let time = Some(at as i64 * WEEK);
            points.0.push(TimedPoint {
                time,
                value: Some(0.8 + 0.02 * seen),
                sampling_error: Some(0.02 * self.noise.sqrt()),
                is_reference: at < self.reference,
                ..TimedPoint::default()
            });
            points.1.push(TimedPoint {
                time,
                value: Some(1000.0 + 30.0 * kpi),
                ..TimedPoint::default()
            });
        }
        let [performance, kpis] = [points.0, points.1].map(TimedSeries::new);
        match_chunks(performance, kpis, None).expect("one grid")
    }

    /// What is told of `runs` series.
    pub fn tell(&self, options: &KpiOptions, runs: u64, seed: u64) -> Told {
        let mut random = Random(seed);
        let mut told = Told {
            runs,
            ..Told::default()
        };
        for _ in 0..runs {
            let chunks = self.chunks(&mut random);
            let rows = kpi_divergence(&chunks, options);
            let has = |verdict| rows.iter().any(|row| row.verdict == Some(verdict));
            let alarmed = rows.iter().any(|row| row.alert == Some(true));
            told.alarms += u64::from(alarmed);
            told.downstream += u64::from(has(Verdict::DownstreamFailure));
            told.degradation += u64::from(has(Verdict::ModelDegradation));
            told.right_lag += u64::from(rows.iter().any(|row| row.lag == Some(self.lag as u32)));
        }
        told
    }
}

/// Numbers of series.
#[derive(Debug, Default)]
pub struct Told {
    pub runs: u64,
    /// With any alert.
    pub alarms: u64,
    /// With a chunk that is called a downstream failure.
    pub downstream: u64,
    /// With a chunk that is called a degradation of the model.
    pub degradation: u64,
    /// Whose lag is that of the draw.
    pub right_lag: u64,
}

impl Told {
    /// A count as a share of the series.
    pub fn share(&self, count: u64) -> f64 {
        count as f64 / self.runs as f64
    }
}
