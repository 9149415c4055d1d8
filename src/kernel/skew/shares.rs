//! Shares of rows on two sides: whether chance explains their difference.
use statrs::function::gamma::ln_gamma;

use super::super::digits::percent;
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;

/// Terms that are added at most; beyond as many, they are far below the first.
const MOST_TERMS: u64 = 1_000_000;
/// A term below this part of the sum ends it.
const NEGLIGIBLE: f64 = 1e-17;

/// `count` of `rows` rows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counted {
    /// Rows that are counted, at most `rows`.
    pub count: u64,
    /// All rows.
    pub rows: u64,
}

impl Counted {
    /// The share; 0 without rows.
    pub fn share(self) -> f64 {
        match self.rows {
            0 => 0.0,
            rows => self.count as f64 / rows as f64,
        }
    }

    pub(super) fn told(self) -> String {
        percent(self.share())
    }
}

/// Probability that the shares of two samples of one population differ as they do or more: twice the smaller tail of the
/// hypergeometric law, at most 1. 1 where a sample is empty.
///
/// * Source: R. A. Fisher (1935), J. R. Statist. Soc. 98, 39-54. The law holds for any population, so the probability of a
///   p-value of at most `a` never exceeds `a`.
///
/// ```
/// use modelwatch::kernel::skew::{Counted, fisher_two_sided};
/// // 3 of 4 against 0 of 4: 2 C(5,1) / C(8,4) = 10 / 70
/// let p = fisher_two_sided(Counted { count: 3, rows: 4 }, Counted { count: 0, rows: 4 });
/// assert!((p - 1.0 / 7.0).abs() < 1e-12);
/// ```
pub fn fisher_two_sided(a: Counted, b: Counted) -> f64 {
    let up = upper_tail(a, b);
    let down = upper_tail(b, a);
    (2.0 * up.min(down)).min(1.0)
}

/// Probability that `a` holds as many or more of the rows that are counted on both sides.
pub(super) fn upper_tail(a: Counted, b: Counted) -> f64 {
    let (count, rows) = (a.count.min(a.rows), a.rows);
    let counted = count + b.count.min(b.rows);
    let all = rows + b.rows;
    // all that can be are in it, or there is nothing to be in
    if count <= (counted + rows).saturating_sub(all) {
        return 1.0;
    }
    let (counted_f, rows_f, all_f) = (counted as f64, rows as f64, all as f64);
    let mut term = log_term(count as f64, counted_f, rows_f, all_f).exp();
    let mut sum = term;
    let most = counted.min(rows);
    for k in (count..most).take(MOST_TERMS as usize) {
        let k = k as f64;
        let others = all_f - counted_f - rows_f + k + 1.0;
        term *= (counted_f - k) * (rows_f - k) / ((k + 1.0) * others);
        sum += term;
        if term < sum * NEGLIGIBLE {
            break;
        }
    }
    sum.clamp(0.0, 1.0)
}

fn log_choose(n: f64, k: f64) -> f64 {
    ln_gamma(n + 1.0) - ln_gamma(k + 1.0) - ln_gamma(n - k + 1.0)
}

/// Logarithm of the probability that exactly `k` of `rows` rows are among the `counted` of `all`.
fn log_term(k: f64, counted: f64, rows: f64, all: f64) -> f64 {
    log_choose(counted, k) + log_choose(all - counted, rows - k) - log_choose(all, rows)
}

/// A check of counts: a share of `first` above that of `second`, which is what chance gives.
///
/// * `row_overlap`: test rows that are training rows, and training rows that are another one.
///
/// `example` goes into the evidence. NULL: not run where a side has no rows.
pub fn compare_counts(
    check: SkewCheck,
    first: Counted,
    second: Counted,
    effects: &Effects,
) -> SkewReading {
    if first.rows == 0 || second.rows == 0 {
        return SkewReading::not_run(check, effects, "A relation has no rows.");
    }
    let excess = first.share() - second.share();
    let p = upper_tail(first, second);
    let evidence = format!(
        "{} of the {} test rows stand in training too; {} of the training rows stand there twice, which is what chance gives.",
        first.told(),
        first.rows,
        second.told()
    );
    SkewReading::new(check, effects, excess, Some(p)).told(
        "excess_share",
        evidence,
        "Split before rows are copied or sampled, by key or by time, and measure the model again without these rows.",
    )
}

/// A check whose single rows contradict what should be, so that chance has no part: a share of rows, with an example.
///
/// * `future_timestamp`, `key_parity`, `duplicate_key`; `missing_column` and `column_type`, whose evidence is the example.
///
/// NULL: not run without rows.
pub fn stated(check: SkewCheck, counted: Counted, example: &str, effects: &Effects) -> SkewReading {
    if counted.rows == 0 {
        let why = match check {
            SkewCheck::KeyParity => "No key stands exactly once on both sides.",
            SkewCheck::FutureTimestamp => "No row has both times.",
            _ => "There are no rows.",
        };
        return SkewReading::without_data(check, effects, why);
    }
    let (statistic, evidence, suggestion) = sentences(check, counted, example);
    let value = match check {
        SkewCheck::MissingColumn | SkewCheck::ColumnType => counted.count as f64,
        _ => counted.share(),
    };
    SkewReading::new(check, effects, value, None).told(statistic, evidence, suggestion)
}

/// What the value is, the evidence and the suggestion.
fn sentences(
    check: SkewCheck,
    counted: Counted,
    example: &str,
) -> (&'static str, String, &'static str) {
    match check {
        SkewCheck::KeyParity => (
            "mismatch_share",
            evidence(check, counted, example),
            "Compute this column by one piece of code for training and serving, as of the same time.",
        ),
        SkewCheck::FutureTimestamp => (
            "share",
            evidence(check, counted, example),
            "Join features as of the time of the prediction: what is later was not known then.",
        ),
        SkewCheck::DuplicateKey => (
            "share",
            evidence(check, counted, example),
            "Make keys unique, or add to key what tells these rows apart; they are left out of key_parity.",
        ),
        SkewCheck::MissingColumn => (
            "missing",
            example.to_owned(),
            "Serve the columns that the model was trained on, or leave the column out by exclude.",
        ),
        _ => (
            "differs",
            example.to_owned(),
            "Give the column one type where it is written; the checks of its values need it.",
        ),
    }
}

/// How many rows contradict what should be, and the first of them.
fn evidence(check: SkewCheck, counted: Counted, example: &str) -> String {
    let (share, Counted { count, rows }) = (counted.told(), counted);
    let told = match check {
        SkewCheck::KeyParity => {
            format!("{share} of {rows} keys have another value in serving than in training.")
        }
        SkewCheck::FutureTimestamp => {
            format!("{share} of {rows} rows have this time after that of the prediction.")
        }
        _ => format!(
            "{count} of {rows} rows of training and serving have a key that stands in several rows of theirs."
        ),
    };
    match (example, count) {
        ("", _) | (_, 0) => told,
        (example, _) => format!("{told} First: {example}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(count: u64, rows: u64) -> Counted {
        Counted { count, rows }
    }

    #[test]
    fn tails_are_those_of_the_urn() {
        // P(X >= 2) for 3 marked of 6, 3 drawn: (C(3,2) C(3,1) + 1) / 20
        assert!((upper_tail(of(2, 3), of(1, 3)) - 0.5).abs() < 1e-12);
        assert_eq!(upper_tail(of(0, 3), of(1, 3)), 1.0);
        assert_eq!(fisher_two_sided(of(0, 0), of(5, 10)), 1.0);
        assert_eq!(fisher_two_sided(of(10, 10), of(20, 20)), 1.0);
        let rare = fisher_two_sided(of(500, 1_000_000), of(2_000, 1_000_000));
        assert!(rare > 0.0 && rare < 1e-100, "{rare}");
    }

    #[test]
    fn p_values_are_no_smaller_than_they_say() {
        // of all splits of 40 rows, 9 of them marked, into 25 and 15
        let law = |k: u64| log_term(k as f64, 9.0, 25.0, 40.0).exp();
        for level in [0.3, 0.1, 0.01] {
            let below: f64 = (0..=9)
                .filter(|&k| fisher_two_sided(of(k, 25), of(9 - k, 15)) <= level)
                .map(law)
                .sum();
            assert!(below <= level, "{below} > {level}");
        }
    }

    #[test]
    fn overlap_is_what_is_above_chance() {
        let effects = Effects::default();
        let copied = compare_counts(SkewCheck::RowOverlap, of(100, 1000), of(0, 4000), &effects);
        assert!(copied.is_finding(1e-6));
        let discrete = compare_counts(
            SkewCheck::RowOverlap,
            of(900, 1000),
            of(3620, 4000),
            &effects,
        );
        assert!(!discrete.is_finding(0.5));
    }

    #[test]
    fn a_single_row_is_told() {
        let effects = Effects::default();
        let reading = stated(SkewCheck::DuplicateKey, of(2, 4000), "7", &effects);
        assert!(reading.is_finding(0.0));
        assert_eq!(
            reading.evidence,
            "2 of 4000 rows of training and serving have a key that stands in several rows of theirs. First: 7."
        );
        assert_eq!(
            stated(SkewCheck::KeyParity, of(0, 0), "", &effects).value,
            None
        );
    }
}
