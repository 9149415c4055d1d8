//! What the columns hold of functions of one series at a time.

/// Columns of `diagnose`, `detect_changes`, `trend` and `seasonality` that other results do not have, or have with another meaning.
pub fn meaning(function: &str, name: &str) -> Option<&'static str> {
    let own = match function {
        "diagnose" => of_diagnosis(name),
        "detect_changes" => of_changes(name),
        "trend" => of_trend(name),
        "seasonality" => of_seasonality(name),
        _ => return None,
    };
    own.or_else(|| of_all(name))
}

fn of_all(name: &str) -> Option<&'static str> {
    Some(match name {
        "chunk_count" => "Chunks of the series.",
        "used_count" => "Those that are no gaps.",
        "explanation" => "The same as one sentence.",
        _ => return None,
    })
}

fn of_diagnosis(name: &str) -> Option<&'static str> {
    Some(match name {
        "pattern" => {
            "stable, sudden, gradual, temporary, recurring, recurring_sudden or recurring_gradual."
        }
        "since" => "When the change began.",
        "until" => "When a temporary change was over.",
        "since_chunk" => "The chunk in which the change began.",
        "until_chunk" => "The first chunk after a temporary change.",
        "magnitude" => "How far the level moved; of a cycle, from its lowest place to its highest.",
        "magnitude_error" => "Standard error of the magnitude.",
        "slope" => "Of a gradual change, a chunk.",
        "cycle_length" => "Of a cycle, in chunks.",
        "confidence" => "How much better the pattern explains the series than the others: 0 to 1.",
        "runner_up" => "The pattern that explains it second best.",
        "dispersion" => {
            "How much further chunks scatter than their errors say; 1 where those explain it."
        }
        "status" => "ok, few_chunks (fewer than eight) or insufficient_data (fewer than four).",
        _ => return None,
    })
}

fn of_changes(name: &str) -> Option<&'static str> {
    Some(match name {
        "value" => "The value of the chunk.",
        "expected" => {
            "What was expected: the level of the reference or of the first chunks; with page_hinkley the mean of those before; with \
             pelt the level of the segment."
        }
        "z" => "How far the value is from that, standard normal while nothing changes.",
        "statistic" => {
            "What the chart has summed up, below 0 where values are lower than expected; with pelt how far the level of the segment \
             is from the one before, in standard errors."
        }
        "statistic_limit" => {
            "A statistic further from 0 alerts; with western_electric its first rule alone, with pelt NULL."
        }
        "alert" => {
            "Whether the chart is out of control in the chunk, with pelt whether a segment begins; NULL where it is not judged."
        }
        "since" => "When the change that alerts likely began.",
        "since_chunk" => "The chunk in which it did.",
        "rule" => "With western_electric, the rule that is broken.",
        "segment" => "With pelt, the number of the segment, from 0.",
        "status" => {
            "ok; in_control: shows what is to be expected; gap: no value that can be used; insufficient_data: too few chunks show \
             the level, or none how far they scatter."
        }
        _ => return None,
    })
}

fn of_trend(name: &str) -> Option<&'static str> {
    Some(match name {
        "direction" => "rising, falling, or none as far as can be told at confidence_level.",
        "slope" => "Median slope of all pairs of chunks, a chunk.",
        "slope_lower_bound" => {
            "Lower end of the interval that holds the slope confidence_level of the time."
        }
        "slope_upper_bound" => "Upper end of the interval.",
        "change" => "The slope from the first chunk to the last.",
        "kendall_tau" => "Rank correlation of value and time, from -1 (always down) to 1.",
        "z" => "Statistic of the test, standard normal without a trend.",
        "p_value" => "Of the test, two-sided.",
        "variance_inflation" => {
            "How much larger the variance of the test is for autocorrelation; 1 without."
        }
        "status" => {
            "ok, insufficient_data (fewer than eight chunks) or too_many_chunks (more than 10,000)."
        }
        _ => return None,
    })
}

fn of_seasonality(name: &str) -> Option<&'static str> {
    Some(match name {
        "is_seasonal" => "Whether there is a cycle: p_value is at most alpha.",
        "cycle_length" => {
            "Length in chunks of the likeliest cycle, from 2 to a third of the series."
        }
        "strength" => "Share of the variation around a line that the cycle is: 0 to 1.",
        "amplitude" => "From the lowest place of the cycle to the highest.",
        "autocorrelation" => "Correlation of chunks a cycle apart.",
        "p_value" => {
            "How likely chance gives a cycle as clear, of all lengths that were looked at."
        }
        "highest_chunk" => "The last chunk at the highest place of the cycle.",
        "lowest_chunk" => "The last chunk at the lowest place.",
        "status" => "ok, insufficient_data (fewer than eight chunks) or constant.",
        _ => return None,
    })
}
