//! What the comparisons of golden files showed, one by one and together.
use std::collections::BTreeMap;

use crate::columns;
use crate::compare;
use crate::deviations::OF_COLUMNS;
use crate::fixture::Golden;

/// What golden files showed.
#[derive(Debug, Default)]
pub struct Report {
    /// What is printed.
    pub text: String,
    pub files: usize,
    pub figures: usize,
    /// Worst relative error of each kind of figure.
    pub worst: BTreeMap<&'static str, f64>,
    /// How many figures differ as an entry of the table of deviations says.
    pub explained: BTreeMap<&'static str, usize>,
    pub failures: Vec<String>,
}

impl Report {
    pub fn error(&mut self, kind: &'static str, error: f64) {
        let worst = self.worst.entry(kind).or_default();
        *worst = worst.max(error);
    }

    pub fn print(&self) {
        println!(
            "{} golden files, {} figures compared",
            self.files, self.figures
        );
        for (kind, error) in &self.worst {
            println!("  worst relative error of {kind}: {error:.1e}");
        }
    }

    /// How many figures an entry of the table of deviations explains.
    pub fn explained(&self, item: &str) -> usize {
        self.explained.get(item).copied().unwrap_or_default()
    }

    /// Of a binary classifier.
    pub fn of_classifier(golden: &Golden, outcome: compare::Outcome) -> Self {
        let mut report = Self {
            text: outcome.report(&golden.record.name()),
            files: 1,
            figures: outcome.compared,
            explained: outcome.explained,
            failures: outcome.failures,
            ..Self::default()
        };
        let estimated = golden.record.calculator == "cbpe";
        for (field, metrics) in &outcome.worst {
            for (metric, error) in metrics {
                let kind = match (*field, compare::RANKING.contains(&metric.as_str())) {
                    ("value", true) if estimated => "estimates of the ranking metrics",
                    ("value", false) if estimated => "estimates of the other metrics",
                    ("lower_threshold" | "upper_threshold", _) => "thresholds",
                    ("alert", _) => "alerts",
                    ("calibrator", _) => "calibrated probabilities",
                    _ => "realized values",
                };
                report.error(kind, *error);
            }
        }
        report.some_figures()
    }

    /// Of a calculator of columns, whose values are of this kind.
    pub fn of_columns(name: &str, kind: &'static str, outcome: &columns::Outcome) -> Self {
        let mut report = Self {
            files: 1,
            figures: outcome.figures,
            ..Self::default()
        };
        for (field, metrics) in &outcome.worst {
            for error in metrics.values() {
                let kind = match *field {
                    "value" => kind,
                    "alert" => "alerts",
                    _ => "thresholds",
                };
                report.error(kind, *error);
            }
        }
        for difference in &outcome.differences {
            match OF_COLUMNS.iter().find(|d| (d.explains)(difference)) {
                Some(deviation) => *report.explained.entry(deviation.item).or_default() += 1,
                None => report.failures.push(format!("{difference:?}")),
            }
        }
        let errors = format_worst(&outcome.worst);
        report.text = format!(
            "{name}: {} figures, worst relative errors\n{errors}",
            outcome.figures
        );
        report.text += &format_explained(&report.explained);
        report.some_figures()
    }

    /// Adds what another file showed.
    pub fn add(&mut self, other: Self) {
        self.text += &other.text;
        self.files += other.files;
        self.figures += other.figures;
        for (kind, error) in other.worst {
            self.error(kind, error);
        }
        for (item, count) in other.explained {
            *self.explained.entry(item).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    /// A file of which nothing is compared is a mistake in the harness.
    fn some_figures(mut self) -> Self {
        if self.figures == 0 {
            self.failures.push("nothing was compared".into());
        }
        self
    }
}

/// A line for each field.
pub fn format_worst(worst: &BTreeMap<&'static str, BTreeMap<String, f64>>) -> String {
    let line = |(field, metrics): (&&str, &BTreeMap<String, f64>)| {
        let errors = metrics
            .iter()
            .map(|(metric, error)| format!("{metric} {error:.1e}"));
        let errors: Vec<String> = errors.collect();
        format!("    {field}: {}\n", errors.join(", "))
    };
    worst.iter().map(line).collect()
}

/// A line for each deviation.
pub fn format_explained(explained: &BTreeMap<&'static str, usize>) -> String {
    let line =
        |(item, count): (&&str, &usize)| format!("    {count} figures differ as {item} says\n");
    explained.iter().map(line).collect()
}
