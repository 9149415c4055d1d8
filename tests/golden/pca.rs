//! Reconstruction errors of NannyML's `DataReconstructionDriftCalculator` beside those of `multivariate_drift`.
use std::path::{Path, PathBuf};

use datafusion::arrow::array::RecordBatch;
use datafusion::common::ScalarValue;
use datafusion::prelude::{ParquetReadOptions, SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;
use serde_json::Value;

use crate::fixture::{Chunking, Columns, Failure, chunking, read_csv};
use crate::ours::{cell, number, unit};

/// Largest relative difference of a figure.
const BAR: f64 = 1e-9;

/// One run of the calculator on one data set.
pub struct Golden {
    name: String,
    data: PathBuf,
    parameters: Value,
    chunking: Chunking,
    /// Whether the kept components are as many as there are columns.
    all_components: bool,
    columns: Columns,
    rows: usize,
}

/// What was compared.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Figures.
    pub figures: usize,
    /// Worst relative difference of values, sampling errors, thresholds.
    pub worst: [f64; 3],
    /// Alerts that differ on chunks that are not full.
    pub incomplete: usize,
    /// Figures that are rounding errors, for every component is kept: there is nothing to reconstruct.
    pub all_components: usize,
}

/// Every golden file of the calculator under a folder, sorted.
pub fn find(folder: &Path) -> Result<Vec<Golden>, Failure> {
    let mut found = vec![];
    for dataset in std::fs::read_dir(folder.join("golden"))? {
        let dataset = dataset?.path();
        if !dataset.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(dataset)? {
            let json = file?.path();
            let stem = json
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            if stem.starts_with("pca__") && json.extension().is_some_and(|e| e == "json") {
                found.push(read(folder, &json, &stem)?);
            }
        }
    }
    found.sort_by(|a: &Golden, b| a.name.cmp(&b.name));
    Ok(found)
}

fn read(folder: &Path, json: &Path, stem: &str) -> Result<Golden, Failure> {
    let record: Value = serde_json::from_str(&std::fs::read_to_string(json)?)?;
    let dataset = record["dataset"]
        .as_str()
        .ok_or("a record without its data set")?;
    let (columns, rows) = read_csv(&json.with_extension("csv"))?;
    Ok(Golden {
        name: format!("{dataset}::{stem}"),
        data: folder.join("data").join(dataset),
        chunking: chunking(&record["parameters"]),
        all_components: {
            let columns = record["parameters"]["column_names"]
                .as_array()
                .map(Vec::len);
            record["fitted"]["pca"]["n_components"].as_u64() == columns.map(|n| n as u64)
        },
        parameters: record["parameters"].clone(),
        columns,
        rows,
    })
}

impl Golden {
    pub fn name(&self) -> String {
        self.name.clone()
    }

    fn text(&self, column: &str, row: usize) -> Result<&str, Failure> {
        let cells = self.columns.get(column).and_then(|column| column.get(row));
        Ok(cells.ok_or_else(|| format!("no {column} in row {row}"))?)
    }

    fn number(&self, field: &str, row: usize) -> Result<Option<f64>, Failure> {
        let text = self.text(&format!("reconstruction_error.{field}"), row)?;
        Ok(text.parse().ok().filter(|x: &f64| !x.is_nan()))
    }

    async fn chunk(&self, session: &SessionContext, relation: &str) -> Result<String, Failure> {
        Ok(match &self.chunking {
            Chunking::Size(size) => format!("rows({size})"),
            Chunking::Number(parts) => {
                let count = format!("SELECT count(*) AS n FROM {relation}");
                let batches = session.sql(&count).await?.collect().await?;
                let rows = number(&batches[0], "n", 0)?.unwrap_or_default() as u64;
                match rows % parts {
                    0 => format!("parts({parts})"),
                    // known issue A21: NannyML adds a chunk for the remainder
                    _ => format!("rows({})", rows / parts),
                }
            }
            Chunking::Period(alias) => format!("INTERVAL '{}'", unit(alias)?.0),
        })
    }

    async fn sql(&self, session: &SessionContext) -> Result<String, Failure> {
        let names = self.parameters["column_names"]
            .as_array()
            .ok_or("no columns")?;
        let names: Vec<String> = names
            .iter()
            .filter_map(Value::as_str)
            .map(|name| format!("'{name}'"))
            .collect();
        // the generator fills gaps of one data set so, for NannyML's defaults leave None as it is
        let impute = match self.parameters["imputer_categorical"].is_string() {
            true => "impute_categorical => 'missing', impute_continuous => 'median', ",
            false => "",
        };
        let components = self.parameters["n_components"].as_f64().unwrap_or(0.65);
        Ok(format!(
            "SELECT * FROM multivariate_drift(reference, analysis, columns => [{}], \
             n_components => {components}, {impute}timestamp => timestamp, chunk => {}, reference_chunk => {}, \
             thresholds => stddev(3)) ORDER BY dataset DESC, chunk_index",
            names.join(", "),
            self.chunk(session, "analysis").await?,
            self.chunk(session, "reference").await?,
        ))
    }

    /// Compares every figure; fails on the first that differs.
    pub async fn compare(&self) -> Result<Outcome, Failure> {
        let config = SessionConfig::new()
            .with_target_partitions(2)
            .with_option_extension(MonitorOptions::default());
        let session = SessionContext::new_with_config(config);
        modelwatch::register_all(&session)?;
        for table in ["reference", "analysis"] {
            let path = self.data.join(format!("{table}.parquet"));
            let path = path.to_str().ok_or("a path that is not UTF-8")?;
            session
                .register_parquet(table, path, ParquetReadOptions::default())
                .await?;
        }
        session
            .sql("SET monitor.reference_max_bins = 1048576")
            .await?;
        let mut outcome = Outcome::default();
        let mut row = 0;
        for batch in session
            .sql(&self.sql(&session).await?)
            .await?
            .collect()
            .await?
        {
            for at in 0..batch.num_rows() {
                if row == self.rows {
                    return Err(format!("more than {row} chunks").into());
                }
                self.compare_row(&batch, at, row, &mut outcome)?;
                row += 1;
            }
        }
        match row == self.rows {
            true => Ok(outcome),
            false => Err(format!("{row} chunks instead of {}", self.rows).into()),
        }
    }

    fn compare_row(
        &self,
        batch: &RecordBatch,
        at: usize,
        row: usize,
        outcome: &mut Outcome,
    ) -> Result<(), Failure> {
        let told = format!("chunk {row} ({})", self.text("chunk.key", row)?);
        let dataset = cell(batch, "dataset", at)?.to_string();
        if dataset != self.text("chunk.period", row)? {
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
        let theirs = self.text("reconstruction_error.alert", row)? == "True";
        let reference = self.text("chunk.period", row)? == "reference";
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
