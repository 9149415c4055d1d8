//! A diagnosis as one sentence.
use super::super::digits::short;
use super::super::trend::median;
use super::fit::Diagnosis;
use super::pattern::Pattern;
use super::series::{Observation, Series};

/// A shape of less confidence is told with the one that comes next.
const UNSURE: f64 = 0.6;
/// From this part of the confidence on, the next shape is nearly as likely.
const NEARLY: f64 = 2.0 / 3.0;
/// Standard deviations of a normal number for each of its median deviations.
const NORMAL_DEVIATION: f64 = 1.4826;
/// A chunk is an outlier from so many standard deviations on.
const OUTLIER: f64 = 8.0;
/// Without errors so many chunks tell how far they scatter: one of 4,000 healthy series has an outlier then (a test repeats it), and one
/// of 150 with ten chunks.
const FEWEST_FOR_OUTLIERS: usize = 24;

/// What happened to what is called so, with sizes to three digits; without a name the sentence begins with its verb, or with
/// how likely that is.
pub fn sentence(found: &Diagnosis, series: &Series, name: &str) -> String {
    let what = match found.pattern {
        None => "has too few chunks to have a shape".into(),
        Some(pattern) => match rival(found, pattern) {
            None => claim(found, pattern, series),
            Some(rival) => {
                let claim = claim(found, pattern, series);
                match claim.strip_prefix("is ") {
                    Some(state) => format!("is most likely {state}; {rival}"),
                    None => format!("most likely {claim}; {rival}"),
                }
            }
        },
    };
    match name {
        "" => format!("{what}."),
        name => format!("{name} {what}."),
    }
}

/// The shape that comes next, where the first is hardly likelier than not.
fn rival(found: &Diagnosis, pattern: Pattern) -> Option<String> {
    let confidence = found.confidence.filter(|x| *x < UNSURE)?;
    let rival = match found.runner_up? {
        Pattern::Stable => "a stable level",
        Pattern::Sudden => "a sudden change",
        Pattern::Gradual => "a gradual change",
        Pattern::Temporary => "a temporary change",
        Pattern::Recurring if pattern.is_cyclic() => "a cycle alone",
        Pattern::Recurring => "a cycle",
        Pattern::RecurringSudden => "a sudden change around a cycle",
        Pattern::RecurringGradual => "a gradual change around a cycle",
    };
    let its_confidence = found.runner_up_confidence.unwrap_or(0.0);
    Some(match its_confidence >= NEARLY * confidence {
        true => format!("{rival} is nearly as likely"),
        false => format!("next likeliest is {rival}"),
    })
}

fn claim(found: &Diagnosis, pattern: Pattern, series: &Series) -> String {
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
        Pattern::Stable => {
            let state = format!("is stable over {} chunks", found.used_count);
            let far = outliers(series);
            match far.as_slice() {
                [] => state,
                [first] => format!("{state}, but for {}", chunk(Some(*first))),
                [first, .., last] => format!(
                    "{state}, but for {} of them from {} to {}",
                    far.len(),
                    chunk(Some(*first)),
                    chunk(Some(*last))
                ),
            }
        }
        Pattern::Sudden | Pattern::RecurringSudden => {
            let is_last = found.since.map(|at| at + 1) == Some(series.points().len());
            let then = if is_last {
                ", the last chunk"
            } else {
                " and stayed there"
            };
            format!("{moved} suddenly by {size} (error {error}) in {since}{then}{cycle}")
        }
        Pattern::Gradual | Pattern::RecurringGradual => {
            let slope = short(found.slope.unwrap_or(0.0).abs());
            format!(
                "{moved} gradually after {since}, by {slope} a chunk, {size} (error {error}) to the last one{cycle}"
            )
        }
        Pattern::Temporary => {
            let until = chunk(found.until);
            format!("{moved} by {size} (error {error}) in {since} and was back in {until}")
        }
        Pattern::Recurring => {
            let length = found.cycle_length.unwrap_or(0);
            format!(
                "goes in cycles of {length} chunks, by {size} (error {error}) from the lowest to the highest"
            )
        }
    }
}

/// Points so far from the middle of the series that chance hardly brings them there, by the median and the median deviation from it,
/// or their errors where those are larger.
fn outliers(series: &Series) -> Vec<usize> {
    let seen = series.observations();
    if !series.has_errors() && seen.len() < FEWEST_FOR_OUTLIERS {
        return vec![];
    }
    let of = |number: &dyn Fn(&Observation) -> f64| {
        let mut numbers: Vec<f64> = seen.iter().map(number).collect();
        median(&mut numbers)
    };
    let middle = of(&|chunk| chunk.value);
    let apart = |chunk: &Observation| (chunk.value - middle).abs();
    let scatter = NORMAL_DEVIATION * of(&apart);
    let far = seen.iter().filter(|chunk| {
        let error = if series.has_errors() {
            chunk.error
        } else {
            0.0
        };
        apart(chunk) > OUTLIER * scatter.max(error)
    });
    match scatter > 0.0 || series.has_errors() {
        true => far.map(|chunk| chunk.point).collect(),
        false => vec![],
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::testing::normal_numbers;
    use super::super::series::SeriesPoint;
    use super::*;

    fn told(pattern: Pattern, confidence: f64, (next, its_confidence): (Pattern, f64)) -> String {
        let point = |i: i64| SeriesPoint {
            index: Some(i),
            chunk: Some(format!("week {i}")),
            ..SeriesPoint::default()
        };
        let series = Series::new((0..9).map(point).collect()).unwrap();
        let found = Diagnosis {
            pattern: Some(pattern),
            since: Some(3),
            until: Some(5),
            magnitude: Some(-0.1),
            magnitude_error: Some(0.01),
            slope: Some(-0.02),
            cycle_length: pattern.is_cyclic().then_some(7),
            confidence: Some(confidence),
            runner_up: Some(next),
            runner_up_confidence: Some(its_confidence),
            used_count: 9,
            ..Diagnosis::default()
        };
        sentence(&found, &series, "")
    }

    #[test]
    fn what_is_sure_is_said_plainly() {
        let sure = |pattern| told(pattern, 0.6, (Pattern::Temporary, 0.4));
        assert_eq!(sure(Pattern::Stable), "is stable over 9 chunks.");
        assert_eq!(
            sure(Pattern::RecurringSudden),
            "fell suddenly by 0.100 (error 0.0100) in week 3 and stayed there, around a cycle of 7 chunks."
        );
    }

    fn series(values: &[f64]) -> Series {
        let point = |(i, value): (i64, &f64)| SeriesPoint {
            index: Some(i),
            chunk: Some(format!("week {i}")),
            value: Some(*value),
            is_usable: true,
            ..SeriesPoint::default()
        };
        Series::new((0..).zip(values).map(point).collect()).unwrap()
    }

    #[test]
    fn single_chunks_far_from_a_stable_level_are_told() {
        let of = |chunks: i64, far: &[i64]| {
            let fall = |i: i64| if far.contains(&i) { 0.2 } else { 0.0 };
            let value = |i: i64| 0.8 + 0.001 * (i % 3) as f64 - fall(i);
            let values: Vec<f64> = (0..chunks).map(value).collect();
            let found = Diagnosis {
                pattern: Some(Pattern::Stable),
                confidence: Some(0.9),
                used_count: values.len(),
                ..Diagnosis::default()
            };
            sentence(&found, &series(&values), "")
        };
        assert_eq!(of(30, &[]), "is stable over 30 chunks.");
        assert_eq!(of(30, &[4]), "is stable over 30 chunks, but for week 4.");
        assert_eq!(
            of(30, &[4, 7, 9]),
            "is stable over 30 chunks, but for 3 of them from week 4 to week 9."
        );
        // too few to tell how far chunks scatter
        assert_eq!(of(12, &[4]), "is stable over 12 chunks.");
    }

    #[test]
    fn healthy_series_hardly_ever_have_outliers() {
        let noise = normal_numbers(4_000 * FEWEST_FOR_OUTLIERS, 1);
        let healthy = noise.chunks(FEWEST_FOR_OUTLIERS);
        let with_outliers = healthy.filter(|values| !outliers(&series(values)).is_empty());
        // one is expected
        assert!(with_outliers.count() <= 5);
    }

    fn assert_unsure(cases: &[(Pattern, Pattern, &str)]) {
        for (pattern, next, expected) in cases {
            assert_eq!(told(*pattern, 0.45, (*next, 0.3)), *expected);
        }
    }

    #[test]
    fn what_is_unsure_is_said_with_what_comes_next() {
        assert_unsure(&[
            (
                Pattern::Stable,
                Pattern::Gradual,
                "is most likely stable over 9 chunks; a gradual change is nearly as likely.",
            ),
            (
                Pattern::Sudden,
                Pattern::Temporary,
                "most likely fell suddenly by 0.100 (error 0.0100) in week 3 and stayed there; a temporary change is nearly as \
                 likely.",
            ),
            (
                Pattern::Gradual,
                Pattern::Sudden,
                "most likely fell gradually after week 3, by 0.0200 a chunk, 0.100 (error 0.0100) to the last one; a sudden change \
                 is nearly as likely.",
            ),
            (
                Pattern::Temporary,
                Pattern::Stable,
                "most likely fell by 0.100 (error 0.0100) in week 3 and was back in week 5; a stable level is nearly as likely.",
            ),
        ]);
        assert_eq!(
            told(Pattern::Stable, 0.5, (Pattern::Recurring, 0.2)),
            "is most likely stable over 9 chunks; next likeliest is a cycle."
        );
    }

    #[test]
    fn so_are_cycles_that_are_unsure() {
        assert_unsure(&[
            (
                Pattern::Recurring,
                Pattern::RecurringSudden,
                "most likely goes in cycles of 7 chunks, by 0.100 (error 0.0100) from the lowest to the highest; a sudden change \
                 around a cycle is nearly as likely.",
            ),
            (
                Pattern::RecurringSudden,
                Pattern::RecurringGradual,
                "most likely fell suddenly by 0.100 (error 0.0100) in week 3 and stayed there, around a cycle of 7 chunks; a \
                 gradual change around a cycle is nearly as likely.",
            ),
            (
                Pattern::RecurringGradual,
                Pattern::Recurring,
                "most likely fell gradually after week 3, by 0.0200 a chunk, 0.100 (error 0.0100) to the last one, around a cycle \
                 of 7 chunks; a cycle alone is nearly as likely.",
            ),
        ]);
    }
}
