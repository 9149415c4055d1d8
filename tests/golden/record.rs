//! Reads a golden file: the figures as CSV, and how they were made as JSON.
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// How the rows were cut into chunks.
#[derive(Debug, Clone, PartialEq)]
pub enum Chunking {
    Size(u64),
    Number(u64),
    Period(String),
}

/// One run of a calculator of NannyML on one data set.
#[derive(Debug)]
pub struct Record {
    pub dataset: String,
    pub calculator: String,
    pub variant: String,
    /// The folder of the rows.
    pub data: PathBuf,
    pub parameters: Value,
    pub fitted: Value,
    pub chunking: Chunking,
    pub rows: usize,
    columns: Columns,
}

impl Record {
    /// Reads `<folder>/golden/<dataset>/<calculator>__<variant>.{csv,json}`.
    fn read(folder: &Path, json: &Path, stem: (&str, &str)) -> Result<Self, Failure> {
        let mut record: Value = serde_json::from_str(&std::fs::read_to_string(json)?)?;
        let dataset = record["dataset"]
            .as_str()
            .ok_or("a record without its data set")?
            .to_string();
        let (columns, rows) = read_csv(&json.with_extension("csv"))?;
        let parameters = record["parameters"].take();
        Ok(Self {
            data: folder.join("data").join(&dataset),
            dataset,
            calculator: stem.0.into(),
            variant: stem.1.into(),
            chunking: chunking(&parameters),
            parameters,
            fitted: record["fitted"].take(),
            rows,
            columns,
        })
    }

    pub fn name(&self) -> String {
        format!("{}::{}__{}", self.dataset, self.calculator, self.variant)
    }

    /// Names of the columns of the file.
    pub fn header(&self) -> Vec<&str> {
        self.columns.keys().map(String::as_str).collect()
    }

    /// Words of a list among the parameters.
    pub fn words(&self, parameter: &str) -> Vec<&str> {
        let list = self.parameters[parameter].as_array();
        let words = list.into_iter().flatten();
        words.filter_map(Value::as_str).collect()
    }

    pub fn cell(&self, column: &str, row: usize) -> Option<&str> {
        self.columns.get(column)?.get(row).map(String::as_str)
    }

    pub fn text(&self, column: &str, row: usize) -> Result<&str, Failure> {
        let cell = self.cell(column, row);
        Ok(cell.ok_or_else(|| format!("no {column} in row {row}"))?)
    }

    /// `None` where the figure is NaN.
    pub fn number(&self, column: &str, row: usize) -> Result<Option<f64>, Failure> {
        let text = self.text(column, row)?;
        Ok(text.parse().ok().filter(|x: &f64| !x.is_nan()))
    }

    /// A property of the chunk of a row.
    pub fn chunk(&self, field: &str, row: usize) -> Result<&str, Failure> {
        // files with a level of methods repeat the level of chunks
        let deep = self.cell(&format!("chunk.chunk.{field}"), row);
        match deep {
            Some(text) => Ok(text),
            None => self.text(&format!("chunk.{field}"), row),
        }
    }
}

/// The golden files under a folder whose calculator is wanted, sorted.
pub fn find(folder: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Record>, Failure> {
    let mut found = vec![];
    for (json, calculator, variant) in stems(folder)? {
        if wanted(&calculator) {
            found.push(Record::read(folder, &json, (&calculator, &variant))?);
        }
    }
    found.sort_by_key(Record::name);
    Ok(found)
}

/// Path, calculator and variant of every record under a folder.
pub fn stems(folder: &Path) -> Result<Vec<(PathBuf, String, String)>, Failure> {
    let mut found = vec![];
    for dataset in std::fs::read_dir(folder.join("golden"))? {
        let dataset = dataset?.path();
        if !dataset.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(dataset)? {
            let json = file?.path();
            let stem = json.file_stem().unwrap_or_default().to_string_lossy();
            let stem = stem
                .split_once("__")
                .map(|(calculator, variant)| (calculator.to_string(), variant.to_string()));
            if let Some((calculator, variant)) = stem
                && json.extension().is_some_and(|e| e == "json")
            {
                found.push((json, calculator, variant));
            }
        }
    }
    Ok(found)
}

pub type Columns = HashMap<String, Vec<String>>;

/// No cell of a golden file holds a comma or a quote.
pub fn read_csv(path: &Path) -> Result<(Columns, usize), Failure> {
    let text = std::fs::read_to_string(path)?;
    let mut lines = text.lines();
    let header: Vec<&str> = lines
        .next()
        .ok_or("an empty golden file")?
        .split(',')
        .collect();
    let mut columns: Columns = header
        .iter()
        .map(|name| (name.to_string(), vec![]))
        .collect();
    let mut rows = 0;
    for line in lines {
        let cells: Vec<&str> = line.split(',').collect();
        if cells.len() != header.len() {
            return Err(format!("{}: a row of {} cells", path.display(), cells.len()).into());
        }
        for (name, cell) in header.iter().zip(cells) {
            columns
                .entry(name.to_string())
                .or_default()
                .push(cell.to_string());
        }
        rows += 1;
    }
    Ok((columns, rows))
}

fn chunking(parameters: &Value) -> Chunking {
    let count = |name: &str| parameters[name].as_u64();
    if let Some(size) = count("chunk_size") {
        return Chunking::Size(size);
    }
    match parameters["chunk_period"].as_str() {
        Some(alias) => Chunking::Period(alias.into()),
        None => Chunking::Number(count("chunk_number").unwrap_or(10)),
    }
}
