//! Residuals in the order of time, their CUSUM, and whether they are out of control.
use super::control_limits::{ALLOWANCE, ControlLimits};
use super::member::Row;
use super::predictor::{Prediction, Predictor};

/// A control chart of a KPI.
#[derive(Debug, Clone)]
pub struct Chart {
    predictor: Predictor,
    limits: ControlLimits,
    /// Sums of the losses and of the gains.
    sums: [f64; 2],
}

/// What the chart says of a chunk.
#[derive(Debug)]
pub struct Judged {
    /// What was expected before its KPI was seen.
    pub prediction: Prediction,
    /// The residual, standard normal where nothing is wrong.
    pub z: f64,
    /// The larger sum: below 0 of losses, above 0 of gains.
    pub cusum: f64,
    /// Whether the residual or its sum is out.
    pub is_out: bool,
}

impl Chart {
    /// That goes on where the reference ended.
    pub fn new(predictor: Predictor, limits: ControlLimits) -> Self {
        Self {
            predictor,
            limits,
            sums: [0.0; 2],
        }
    }

    /// Judges the next chunk. `row` gives what it is under each lag; `None` where a lag that is possible has none.
    ///
    /// What is out of control does not teach what to expect, so that a failure that lasts does not become what is normal; that
    /// changes nothing in how often a healthy series has an alarm. Sums stay below twice their limit, so that an alarm does not
    /// outlast a long failure by as long again.
    pub fn judge<'a>(&mut self, row: impl Fn(Option<u32>) -> Option<&'a Row>) -> Option<Judged> {
        let prediction = self.predictor.predict(&row)?;
        let response = row(self.predictor.lag)?.response;
        let z = prediction.z(response);
        let most = 2.0 * self.limits.cusum;
        let [down, up] = self.sums;
        self.sums = [down - z, up + z].map(|sum| (sum - ALLOWANCE).clamp(0.0, most));
        let is_out = self.limits.is_out(z, self.sums);
        self.predictor.pass(row, !is_out);
        let [down, up] = self.sums;
        Some(Judged {
            prediction,
            z,
            cusum: if down > up { -down } else { up },
            is_out,
        })
    }

    /// Lags under which a chunk must be known.
    pub fn lags(&self) -> Vec<Option<u32>> {
        self.predictor.lags()
    }
}
