//! A diagnosis as one sentence.
use super::super::digits::short;
use super::fit::Diagnosis;
use super::pattern::Pattern;
use super::series::Series;

/// What happened to what is called so, with sizes to three digits; without a name the sentence begins with its verb.
pub fn sentence(found: &Diagnosis, series: &Series, name: &str) -> String {
    let what = predicate(found, series);
    match name {
        "" => what,
        name => [name, " ", &what].concat(),
    }
}

fn predicate(found: &Diagnosis, series: &Series) -> String {
    let Some(pattern) = found.pattern else {
        return "has too few chunks to have a shape.".into();
    };
    let chunk = |point: Option<usize>| {
        let point = point.and_then(|point| series.points().get(point));
        let name = point.and_then(|point| point.chunk.clone());
        name.unwrap_or_else(|| "an unnamed chunk".into())
    };
    let magnitude = found.magnitude.unwrap_or(0.0);
    let size = short(magnitude.abs());
    let error = short(found.magnitude_error.unwrap_or(0.0));
    let moved = if magnitude < 0.0 { "fell" } else { "rose" };
    let cycle = match found.cycle_length {
        Some(length) => format!(", around a cycle of {length} chunks"),
        None => String::new(),
    };
    let since = chunk(found.since);
    match pattern {
        Pattern::Stable => format!("is stable over {} chunks.", found.used_count),
        Pattern::Sudden | Pattern::RecurringSudden => {
            format!(
                "{moved} suddenly by {size} (error {error}) in {since} and stayed there{cycle}."
            )
        }
        Pattern::Gradual | Pattern::RecurringGradual => {
            let slope = short(found.slope.unwrap_or(0.0).abs());
            format!(
                "{moved} gradually after {since}, by {slope} a chunk, {size} (error {error}) to the last one{cycle}."
            )
        }
        Pattern::Temporary => {
            let until = chunk(found.until);
            format!("{moved} by {size} (error {error}) in {since} and was back in {until}.")
        }
        Pattern::Recurring => {
            let length = found.cycle_length.unwrap_or(0);
            format!(
                "goes in cycles of {length} chunks, by {size} (error {error}) from the lowest to the highest."
            )
        }
    }
}
