//! Reconstruction errors of NannyML's `DataReconstructionDriftCalculator` beside those of `multivariate_drift`.
use std::path::Path;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::prelude::SessionContext;

use crate::record::{self, Failure, Record};
use crate::report::Report;
use crate::session::{self, cell, number};

/// Largest relative difference of a figure.
const BAR: f64 = 1e-9;

/// One run of the calculator on one data set.
pub struct Golden {
    record: Record,
    /// Whether the kept components are as many as there are columns.
    all_components: bool,
}

/// What was compared.
#[derive(Debug, Default)]
struct Outcome {
    /// Figures.
    figures: usize,
    /// Worst relative difference of values, sampling errors, thresholds.
    worst: [f64; 3],
    /// Alerts that differ on chunks that are not full.
    incomplete: usize,
    /// Figures that are rounding errors, for every component is kept: there is nothing to reconstruct.
    all_components: usize,
}

/// Every golden file of the calculator under a folder, sorted.
pub fn find(folder: &Path) -> Result<Vec<Golden>, Failure> {
    let records = record::find(folder, |name| name == "pca")?;
    let of = |record: Record| Golden {
        all_components: {
            let columns = record.words("column_names").len() as u64;
            record.fitted["pca"]["n_components"].as_u64() == Some(columns)
        },
        record,
    };
    Ok(records.into_iter().map(of).collect())
}

impl Golden {
    pub fn name(&self) -> String {
        self.record.name()
    }

    fn number(&self, field: &str, row: usize) -> Result<Option<f64>, Failure> {
        let column = format!("reconstruction_error.{field}");
        self.record.number(&column, row)
    }

    async fn sql(&self, session: &SessionContext) -> Result<String, Failure> {
        let chunking = &self.record.chunking;
        let parameters = &self.record.parameters;
        let names = session::quoted(&self.record.words("column_names"));
        // the generator fills gaps of one data set so, for NannyML's defaults leave None as it is
        let impute = match parameters["imputer_categorical"].is_string() {
            true => "impute_categorical => 'missing', impute_continuous => 'median', ",
            false => "",
        };
        let components = parameters["n_components"].as_f64().unwrap_or(0.65);
        Ok(format!(
            "SELECT * FROM multivariate_drift(reference, analysis, columns => [{names}], \
             n_components => {components}, {impute}timestamp => timestamp, chunk => {}, reference_chunk => {}, \
             thresholds => stddev(3)) ORDER BY dataset DESC, chunk_index",
            session::chunk(session, chunking, "analysis").await?,
            session::chunk(session, chunking, "reference").await?,
        ))
    }

    /// Compares every figure; fails on the first that differs. There are no deviations but that left-over chunks are not
    /// judged.
    pub async fn report(&self) -> Result<Report, Failure> {
        let outcome = self.compare().await?;
        let [value, error, threshold] = outcome.worst;
        let mut report = Report {
            text: format!(
                "{}: {} figures, worst relative error of value {value:.1e}, sampling_error {error:.1e}, \
                 thresholds {threshold:.1e}; {} alerts on left-over chunks not compared, {} values are rounding errors of \
                 all components\n",
                self.name(),
                outcome.figures,
                outcome.incomplete,
                outcome.all_components
            ),
            figures: outcome.figures,
            files: 1,
            ..Report::default()
        };
        report.error("reconstruction errors", value);
        report.error("their sampling errors", error);
        report.error("thresholds", threshold);
        Ok(report)
    }

    async fn compare(&self) -> Result<Outcome, Failure> {
        let session = session::open(&self.record.data, &["reference", "analysis"]).await?;
        let mut outcome = Outcome::default();
        let mut row = 0;
        for batch in session
            .sql(&self.sql(&session).await?)
            .await?
            .collect()
            .await?
        {
            for at in 0..batch.num_rows() {
                if row == self.record.rows {
                    return Err(format!("more than {row} chunks").into());
                }
                self.compare_row(&batch, at, row, &mut outcome)?;
                row += 1;
            }
        }
        match row == self.record.rows {
            true => Ok(outcome),
            false => Err(format!("{row} chunks instead of {}", self.record.rows).into()),
        }
    }

    fn compare_row(
        &self,
        batch: &RecordBatch,
        at: usize,
        row: usize,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let told = format!("chunk {row} ({})", self.record.text("chunk.key", row)?);
        let dataset = cell(batch, "dataset", at)?.to_string();
        if dataset != self.record.text("chunk.period", row)? {
            return Err(format!("{told}: {dataset}").into());
        }
        if self.all_components {
            let compared = self.nothing_to_compare(batch, at, row, outcome);
            return compared.map_err(|e| format!("{told}: {e}").into());
        }
        let fields = [
            ("value", 0),
            ("sampling_error", 1),
            ("lower_threshold", 2),
            ("upper_threshold", 2),
        ];
        for (field, kind) in fields {
            let (theirs, ours) = (self.number(field, row)?, number(batch, field, at)?);
            let difference = match (theirs, ours) {
                (None, None) => continue,
                (Some(theirs), Some(ours)) => (ours - theirs).abs() / theirs.abs(),
                _ => f64::INFINITY,
            };
            outcome.figures += 1;
            outcome.worst[kind] = outcome.worst[kind].max(difference);
            if difference > BAR {
                return Err(format!("{told}: {field} is {ours:?}, NannyML's {theirs:?}").into());
            }
        }
        self.compare_alert(batch, at, row, outcome)
            .map_err(|e| format!("{told}: {e}").into())
    }

    fn nothing_to_compare(
        &self,
        batch: &RecordBatch,
        at: usize,
        row: usize,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let theirs = self.number("value", row)?;
        let status = cell(batch, "status", at)?.to_string();
        if theirs.is_none_or(|theirs| theirs > 1e-13) || status != "all_components" {
            return Err(format!("status {status}, NannyML's value is {theirs:?}").into());
        }
        outcome.all_components += 1;
        Ok(())
    }

    fn compare_alert(
        &self,
        batch: &RecordBatch,
        at: usize,
        row: usize,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let theirs = self.record.text("reconstruction_error.alert", row)? == "True";
        let reference = self.record.text("chunk.period", row)? == "reference";
        match cell(batch, "alert", at)? {
            ScalarValue::Boolean(Some(ours)) if ours == theirs => outcome.figures += 1,
            // not judged here
            ScalarValue::Boolean(None) if reference => (),
            // a left-over chunk by limits made for full ones
            ScalarValue::Boolean(None)
                if cell(batch, "complete", at)? == ScalarValue::from(false) =>
            {
                outcome.incomplete += usize::from(theirs);
            }
            ours => return Err(format!("alert is {ours}, NannyML's {theirs}").into()),
        }
        Ok(())
    }
}
