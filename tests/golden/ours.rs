//! The same figures from this crate, asked for in SQL.
use std::collections::HashMap;

use datafusion::common::ScalarValue;
use datafusion::prelude::SessionContext;
use modelwatch::kernel::bins::ScoreBins;
use modelwatch::kernel::calibrator::{CalibrationMode, Calibrator};
use modelwatch::kernel::estimate::{Corrections, Estimator};
use modelwatch::kernel::metric::Metric;
use modelwatch::kernel::score_profile::ScoreProfile;

use crate::fixture::{Golden, Threshold};
use crate::record::Failure;
use crate::session::{self, MAX_BINS, cell, flag, number, text};

/// What a row of the result says of one metric of one chunk.
#[derive(Debug, Clone, Default)]
pub struct Figures {
    pub value: Option<f64>,
    pub realized: Option<f64>,
    pub lower: Option<f64>,
    pub upper: Option<f64>,
    pub alert: Option<bool>,
}

/// One chunk: its start as text, whether it is full, and its metrics by name.
#[derive(Debug, Default)]
pub struct Chunk {
    pub start: String,
    pub complete: bool,
    pub metrics: HashMap<String, Figures>,
}

/// A session with the tables of one data set.
pub struct Ours<'a> {
    golden: &'a Golden,
    session: SessionContext,
}

impl<'a> Ours<'a> {
    pub async fn open(golden: &'a Golden) -> Result<Self, Failure> {
        let tables = ["reference", "analysis", "targets"];
        let session = session::open(&golden.record.data, &tables).await?;
        Ok(Self { golden, session })
    }

    /// Chunks of `reference` and of `analysis`, where the rows of `judged` are the analysis.
    pub async fn performance(&self, judged: &str) -> Result<(Vec<Chunk>, Vec<Chunk>), Failure> {
        let sql = self.call(judged).await?;
        let (mut reference, mut analysis) = (vec![], vec![]);
        let mut last = None;
        for batch in self.session.sql(&sql).await?.collect().await? {
            for row in 0..batch.num_rows() {
                let dataset = text(&batch, "dataset", row)?;
                let key = (dataset.clone(), text(&batch, "chunk_index", row)?);
                let chunks = if dataset == "reference" {
                    &mut reference
                } else {
                    &mut analysis
                };
                if last.as_ref() != Some(&key) {
                    last = Some(key);
                    let start = text(&batch, "start", row)?;
                    let complete = flag(&batch, "complete", row)?.unwrap_or_default();
                    chunks.push(Chunk {
                        start,
                        complete,
                        ..Chunk::default()
                    });
                }
                let figures = Figures {
                    value: number(&batch, "value", row)?,
                    realized: number(&batch, "realized", row)?,
                    lower: number(&batch, "lower_threshold", row)?,
                    upper: number(&batch, "upper_threshold", row)?,
                    alert: flag(&batch, "alert", row)?,
                };
                let metric = text(&batch, "metric", row)?;
                if let Some(chunk) = chunks.last_mut() {
                    chunk.metrics.insert(metric, figures);
                }
            }
        }
        Ok((reference, analysis))
    }

    async fn call(&self, judged: &str) -> Result<String, Failure> {
        let golden = self.golden;
        let chunking = &golden.record.chunking;
        let metrics: Vec<String> = self.metrics().iter().map(|m| format!("'{m}'")).collect();
        let order = if golden.timed { "" } else { "order_by => id, " };
        Ok(format!(
            "SELECT *, CAST(chunk_start AS VARCHAR) AS start FROM estimate_performance(reference => {}, analysis => {}, score => y_pred_proba, \
             prediction => y_pred, label => \"{}\", {order}chunk => {}, reference_chunk => {}, metrics => [{}], \
             value_matrix => {:?}, calibrate => '{}', thresholds => {}) ORDER BY dataset, chunk_index",
            self.rows("reference"),
            self.rows(judged),
            golden.label,
            session::chunk(&self.session, chunking, judged).await?,
            session::chunk(&self.session, chunking, "reference").await?,
            metrics.join(", "),
            golden.value_matrix,
            if golden.calibrate { "always" } else { "never" },
            self.thresholds(),
        ))
    }

    /// Normalized figures follow from the cells of the confusion matrix.
    fn metrics(&self) -> Vec<String> {
        match self.golden.normalized {
            Some(_) => crate::compare::CELLS.map(str::to_string).into(),
            None => self.golden.metrics.clone(),
        }
    }

    /// The rows of a relation; labels of the analysis come from their own file.
    fn rows(&self, relation: &str) -> String {
        let label = &self.golden.label;
        let time = if self.golden.timed {
            ", r.timestamp"
        } else {
            ""
        };
        let columns = format!("r.id, r.y_pred_proba, r.y_pred{time}");
        match relation {
            "reference" => format!("(SELECT {columns}, r.\"{label}\" FROM reference r)"),
            _ => format!(
                "(SELECT {columns}, t.\"{label}\" FROM analysis r LEFT JOIN targets t ON r.id = t.id)"
            ),
        }
    }

    fn thresholds(&self) -> String {
        let one = |threshold: &Threshold| {
            let side = |x: &Option<f64>| x.map_or("NULL".into(), |x| x.to_string());
            match threshold {
                Threshold::Constant(lower, upper) => {
                    format!("constant({}, {})", side(lower), side(upper))
                }
                Threshold::Deviations(lower, upper) if lower == upper => {
                    format!("stddev({})", side(lower))
                }
                Threshold::Deviations(lower, upper) => {
                    format!("stddev({}, {})", side(lower), side(upper))
                }
            }
        };
        if self.golden.thresholds.is_empty() {
            return "stddev(3)".into();
        }
        let entries = self
            .golden
            .thresholds
            .iter()
            .map(|(metric, t)| format!("'{metric}': {}", one(t)));
        format!("{{{}}}", entries.collect::<Vec<_>>().join(", "))
    }

    /// The calibrator of the whole reference, in the mode that NannyML decided on.
    ///
    /// Fails when `auto` decides otherwise on these data.
    pub async fn calibrator(&self) -> Result<Calibrator, Failure> {
        let all = self.profiles("reference", "0").await?;
        let reference = all.first().ok_or("an empty reference")?;
        let fit = |mode| Calibrator::fit(reference, mode).map_err(|e| e.to_string());
        if fit(CalibrationMode::Auto)?.uses_raw_scores() == self.golden.calibrate {
            return Err("'auto' decides against NannyML".into());
        }
        Ok(fit(match self.golden.calibrate {
            true => CalibrationMode::Always,
            false => CalibrationMode::Never,
        })?)
    }

    /// Estimates of the ranking metrics with this crate's corrections undone, from profiles of chunks that are
    /// cut here in plain SQL.
    pub async fn uncorrected(
        &self,
        relation: &str,
        calibrator: &Calibrator,
    ) -> Result<Vec<HashMap<String, Figures>>, Failure> {
        let key = self.key(relation)?;
        let mut found = vec![];
        for chunk in self.profiles(relation, &key).await? {
            let estimator = Estimator::new(&chunk, calibrator);
            let of = |metric: Metric| {
                let reading = estimator.reading_with(metric, [0.0; 4], 0.95, Corrections::Undone);
                let figures = Figures {
                    value: reading.value,
                    ..Figures::default()
                };
                (metric.name().to_string(), figures)
            };
            found.push([Metric::RocAuc, Metric::AveragePrecision].map(of).into());
        }
        Ok(found)
    }

    fn key(&self, relation: &str) -> Result<String, Failure> {
        let order = if self.golden.timed { "timestamp" } else { "id" };
        session::key(&self.golden.record.chunking, relation, order)
    }

    async fn profiles(&self, relation: &str, key: &str) -> Result<Vec<ScoreBins>, Failure> {
        let sql = format!(
            "SELECT score_profile(\"{}\", y_pred, y_pred_proba, {MAX_BINS}) AS profile \
             FROM (SELECT *, {key} AS key FROM {}) GROUP BY key ORDER BY key",
            self.golden.label,
            self.rows(relation)
        );
        let mut found = vec![];
        for batch in self.session.sql(&sql).await?.collect().await? {
            for row in 0..batch.num_rows() {
                let ScalarValue::BinaryView(Some(bytes)) = cell(&batch, "profile", row)? else {
                    return Err("a chunk without a profile".into());
                };
                let mut profile = ScoreProfile::from_bytes(&bytes).map_err(|e| e.to_string())?;
                found.push(profile.bins());
            }
        }
        Ok(found)
    }
}
