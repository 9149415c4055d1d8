//! What help says of table functions besides their specs: metrics, result columns, and words of arguments.
use super::RelationSpec;
use super::chunked::CHUNK_COLUMNS;
use super::compare_performance;
use super::detect_changes;
use super::diagnose;
use super::kpi_divergence;
use super::result::RESULT_COLUMNS;
use super::series_help;
use super::skew;
use super::trend;
use crate::kernel::metric::Metric;
use crate::kernel::reading::Status;

impl RelationSpec {
    /// Name and meaning of each argument, with the names that it takes.
    pub fn argument_help(&self) -> Vec<(String, String)> {
        let meaning = |name: &str, meaning: &str| match (self.name, name) {
            ("estimate_performance", "metrics") => {
                let names = Metric::ALL.map(Metric::name).join(", ");
                format!("{meaning} Names: {names}.")
            }
            _ => meaning.to_owned(),
        };
        let arguments = self.arguments.iter();
        arguments
            .map(|(name, text)| ((*name).to_owned(), meaning(name, text)))
            .collect()
    }

    /// Name and meaning of each column of the result; the `by` columns come after the first.
    pub fn column_help(&self) -> Vec<(String, String)> {
        let names: Vec<&str> = match self.name {
            "profiles" => [&["dataset"], CHUNK_COLUMNS.as_slice()].concat(),
            "compare_performance" => compare_performance::COLUMNS.to_vec(),
            "diagnose" => diagnose::COLUMNS.to_vec(),
            "detect_changes" => detect_changes::columns(),
            "trend" => trend::trend_columns(),
            "seasonality" => trend::seasonality_columns(),
            "kpi_divergence" => kpi_divergence::columns(),
            "training_serving_skew" => skew::COLUMNS.to_vec(),
            _ => RESULT_COLUMNS.to_vec(),
        };
        let meaning = |name: &str| match self.name {
            "compare_performance" => compare_performance::meaning(name).map(str::to_owned),
            "kpi_divergence" => kpi_divergence::meaning(name).map(str::to_owned),
            "training_serving_skew" => skew::meaning(name).map(str::to_owned),
            function => series_help::meaning(function, name).map(str::to_owned),
        };
        names
            .into_iter()
            .map(|name| {
                let meaning = meaning(name).unwrap_or_else(|| meaning_of_column(name));
                (name.to_owned(), meaning)
            })
            .collect()
    }
}

/// What a column of a result holds, in a line.
fn meaning_of_column(name: &str) -> String {
    let meaning = match name {
        "monitor" => "The argument name.",
        "dataset" => "'reference' or 'analysis'.",
        "chunk" => "Name of the chunk, such as 2024-06.",
        "chunk_index" => "Its number, by which chunks are in order.",
        "chunk_start" => "Start of a calendar chunk, or its first timestamp.",
        "chunk_end" => {
            "End of a calendar chunk, which does not belong to it, or its last timestamp."
        }
        "complete" => "Whether the chunk is full, or its end is past; others do not alert.",
        "row_count" => "Rows of the chunk.",
        "dealt" => "Whether rows were dealt to the chunk without an order.",
        "profile" => "The profile of its rows, for merge_profiles and monitoring functions.",
        "used_count" => "Rows that entered the value.",
        "labelled_count" => "Rows with a label.",
        "column_name" => "Column that the metric is of; NULL for metrics of the model.",
        "metric" => "Name of the metric.",
        "value" => "The metric of the chunk; NULL where status says why.",
        "sampling_error" => {
            "Standard error of value, for the population that the chunk was drawn from."
        }
        "lower_bound" => {
            "Lower end of the interval that holds the realized value confidence_level of the time."
        }
        "upper_bound" => "Upper end of the interval.",
        "realized" => "The metric from labels, where they are known.",
        "p_value" => "Of a test; NULL where the metric has none.",
        "q_value" => "The same, adjusted for the number of tests; NULL where the metric has none.",
        "lower_threshold" => "A value below it alerts; NULL where there is no limit.",
        "upper_threshold" => "A value above it alerts; NULL where there is no limit.",
        "alert" => {
            "Whether value is strictly outside its thresholds; NULL where nothing is judged."
        }
        "approx_error" => {
            "Bound on the distance of value to that of all rows one by one; 0 where the profile is exact."
        }
        "status" => {
            let names = Status::ALL.map(Status::name).join(", ");
            return format!("The gravest reserve on value and thresholds: {names}.");
        }
        _ => "",
    };
    meaning.to_owned()
}

/// A word that looks like a function and has a meaning in an argument only.
#[derive(Debug)]
pub struct ArgumentWord {
    /// The word.
    pub name: &'static str,
    /// How it is written.
    pub syntax: &'static str,
    /// What it asks for.
    pub description: &'static str,
    /// A query that shows it.
    pub example: &'static str,
}

/// Every word of arguments.
pub static ARGUMENT_WORDS: [ArgumentWord; 5] = [
    ArgumentWord {
        name: "rows",
        syntax: "chunk => rows(n)",
        description: "Chunks of n rows each, by order_by or timestamp. The last may have fewer; see incomplete.",
        example: "SELECT chunk, value FROM estimate_performance(reference, analysis, chunk => rows(5000))",
    },
    ArgumentWord {
        name: "parts",
        syntax: "chunk => parts(n)",
        description: "n chunks of as many rows each, by order_by or timestamp.",
        example: "SELECT chunk, value FROM estimate_performance(reference, analysis, chunk => parts(12))",
    },
    ArgumentWord {
        name: "false_alarm_rate",
        syntax: "thresholds => false_alarm_rate(rate), or false_alarm_rate(rate, season => 'day_of_week')",
        description: "Limits that a healthy chunk is outside of at most this share of the time. \
                      The default, with monitor.false_alarm_rate. A season (hour_of_day, day_of_week, hour_of_week, day_of_month or \
                      month) has its own level, learnt from at least three reference chunks.",
        example: "SELECT chunk, alert FROM estimate_performance(reference, analysis, thresholds => false_alarm_rate(0.01))",
    },
    ArgumentWord {
        name: "stddev",
        syntax: "thresholds => stddev(k), or stddev(lower_k, upper_k)",
        description: "Limits k standard deviations of the reference chunks' values from their mean; NULL for no limit on a side.",
        example: "SELECT chunk, alert FROM estimate_performance(reference, analysis, thresholds => stddev(3))",
    },
    ArgumentWord {
        name: "constant",
        syntax: "thresholds => constant(lower, upper)",
        description: "These limits; NULL for no limit on a side.",
        example: "SELECT chunk, alert FROM estimate_performance(reference, analysis, metrics => ['roc_auc', 'f1'],\n\
                  \x20 thresholds => {'roc_auc': constant(0.8, NULL), 'f1': stddev(3)})",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::relation::all;

    #[test]
    fn every_result_column_has_a_meaning() {
        for spec in all() {
            for (name, meaning) in spec.column_help() {
                assert!(meaning.ends_with('.'), "{}: {name}", spec.name);
            }
        }
    }

    #[test]
    fn metrics_are_those_of_the_registry() {
        let spec = all()
            .iter()
            .find(|spec| spec.name == "estimate_performance")
            .unwrap();
        let arguments = spec.argument_help();
        let (_, metrics) = arguments
            .iter()
            .find(|(name, _)| name == "metrics")
            .unwrap();
        assert!(
            Metric::ALL
                .iter()
                .all(|metric| metrics.contains(metric.name())),
            "{metrics}"
        );
    }
}
