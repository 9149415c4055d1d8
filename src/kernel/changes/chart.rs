//! Control charts: what each says of a chunk, from it and those before.
use super::super::side::Side;
use super::method::{ChangeOptions, Method};
use super::run_length::{cusum_limit, ewma_limit};

/// What a chart says of a chunk.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Signal {
    /// The statistic of the chart, below 0 where values are lower than expected.
    pub statistic: f64,
    /// How far from 0 it may be.
    pub limit: f64,
    /// Whether it, or another rule, is out on a side that counts.
    pub is_out: bool,
    /// How many chunks before this one lies the first that breaks the rule.
    pub ago: usize,
    /// The rule that is broken, of charts that have several.
    pub rule: Option<&'static str>,
}

/// A chart, which goes on chunk by chunk.
#[derive(Debug, Clone)]
pub enum Chart {
    /// Sums of what lies below and above.
    Sums(SumsChart),
    /// A moving mean.
    Mean(MeanChart),
    /// Rules over the last eight chunks.
    Rules(RulesChart),
}

impl Chart {
    /// The chart of a method, at its beginning; `None` for segments, which are no chart.
    pub fn new(options: &ChangeOptions) -> Option<Self> {
        let length = options.average_run_length;
        // either side has its alarms half as often as both
        let of_side = length * options.side.count();
        Some(match options.method {
            Method::Cusum | Method::PageHinkley => Self::Sums(SumsChart {
                allowance: options.allowance,
                limit: cusum_limit(of_side, options.allowance),
                side: options.side,
                sums: [0.0; 2],
            }),
            Method::Ewma => Self::Mean(MeanChart {
                weight: options.weight,
                limit: ewma_limit(length, options.weight, options.side == Side::Both)
                    * (options.weight / (2.0 - options.weight)).sqrt(),
                side: options.side,
                mean: 0.0,
            }),
            Method::WesternElectric => Self::Rules(RulesChart {
                side: options.side,
                last: vec![],
            }),
            Method::Pelt => return None,
        })
    }

    /// Adds the next chunk, standard normal while nothing changes.
    pub fn judge(&mut self, z: f64) -> Signal {
        match self {
            Self::Sums(chart) => chart.judge(z),
            Self::Mean(chart) => chart.judge(z),
            Self::Rules(chart) => chart.judge(z),
        }
    }
}

/// The two one-sided sums of Page.
#[derive(Debug, Clone)]
pub struct SumsChart {
    allowance: f64,
    limit: f64,
    side: Side,
    sums: [f64; 2],
}

impl SumsChart {
    /// Sums stay below twice their limit, so that an alarm does not outlast a long change by as long again.
    fn judge(&mut self, z: f64) -> Signal {
        let Self {
            allowance, limit, ..
        } = *self;
        let [down, up] = self.sums;
        let next = [down - z, up + z].map(|sum| (sum - allowance).clamp(0.0, 2.0 * limit));
        self.sums = next;
        let [down, up] = next;
        let is_lower = match self.side {
            Side::Both => down > up,
            side => side == Side::Lower,
        };
        Signal {
            statistic: if is_lower { -down } else { up },
            limit,
            is_out: self.side.counts(down > limit, up > limit),
            ..Signal::default()
        }
    }
}

/// An exponentially weighted mean.
#[derive(Debug, Clone)]
pub struct MeanChart {
    weight: f64,
    limit: f64,
    side: Side,
    mean: f64,
}

impl MeanChart {
    fn judge(&mut self, z: f64) -> Signal {
        let mean = (1.0 - self.weight) * self.mean + self.weight * z;
        self.mean = mean;
        Signal {
            statistic: mean,
            limit: self.limit,
            is_out: self.side.counts(mean < -self.limit, mean > self.limit),
            ..Signal::default()
        }
    }
}

/// A rule: so many of the last ones lie beyond so many standard deviations on one side.
const RULES: [(usize, usize, f64, &str); 4] = [
    (1, 1, 3.0, "1 beyond 3 sd"),
    (2, 3, 2.0, "2 of 3 beyond 2 sd"),
    (4, 5, 1.0, "4 of 5 beyond 1 sd"),
    (8, 8, 0.0, "8 on one side"),
];

/// The rules of Western Electric over the last eight chunks, the newest one last.
#[derive(Debug, Clone)]
pub struct RulesChart {
    side: Side,
    last: Vec<f64>,
}

impl RulesChart {
    fn judge(&mut self, z: f64) -> Signal {
        if self.last.len() == 8 {
            self.last.remove(0);
        }
        self.last.push(z);
        let sides = [(Side::Lower, -1.0), (Side::Higher, 1.0)];
        let counted = sides
            .into_iter()
            .filter(|(side, _)| matches!(self.side, Side::Both) || *side == self.side);
        let broken = RULES.into_iter().find_map(|rule| {
            let mut signs = counted.clone().map(|(_, sign)| sign);
            signs.find_map(|sign| Some((rule.3, self.began(rule, sign)?)))
        });
        Signal {
            statistic: z,
            limit: 3.0,
            is_out: broken.is_some(),
            ago: broken.map_or(0, |(_, ago)| ago),
            rule: broken.map(|(rule, _)| rule),
        }
    }

    /// How many chunks ago the earliest of those lies that break a rule. A rule is broken by the newest chunk only.
    fn began(&self, (least, of, beyond, _): (usize, usize, f64, &str), sign: f64) -> Option<usize> {
        let newest_first = self.last.iter().rev().take(of).enumerate();
        let out: Vec<usize> = newest_first
            .filter(|(_, z)| **z * sign > beyond)
            .map(|(ago, _)| ago)
            .collect();
        let is_broken = out.len() >= least && out.first() == Some(&0);
        out.last().copied().filter(|_| is_broken)
    }
}
