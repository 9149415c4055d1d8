//! What else the demo's tables say of an applicant: a column for each way in which data go wrong.
//!
//! They are drawn from streams of their own, so that the other columns are what they were without them, and
//! neither the model nor the truth depends on them.
use super::random::{Stream, rounded};
use super::rows::{REFERENCE_MONTHS, month};

/// November 2024: savings are reported in thousands from here on.
const SAVINGS_IN_THOUSANDS_FROM: u64 = 22;

/// April 2024: the bureau begins to answer less and less often.
const BUREAU_FAILS_FROM: u64 = 15;

/// September 2024: applicants of a kind that the reference does not know.
const GIG_WORKERS_FROM: u64 = 20;

/// Features of one application besides those of [`super::rows::Row`].
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    /// Years; drifts gradually, a quarter of a year a month in the analysis.
    pub age: i64,
    /// Euros asked for, in hundreds; stable.
    pub loan_amount: f64,
    /// Euros, and thousands of euros from November 2024 on.
    pub savings: f64,
    /// 300 to 850; missing for 2 % and, from April 2024 on, 4 % more each month.
    pub bureau_score: Option<i64>,
    /// From September 2024 on with a category that the reference does not have.
    pub employment: &'static str,
    /// The mix shifts to 'mobile', two percent of applicants a month in the analysis.
    pub device: &'static str,
    /// Stable.
    pub has_guarantor: bool,
}

/// The features of row `id`, counted over both tables.
pub fn features(id: u64) -> Features {
    let month = month(id);
    let mut stream = Stream::of_features(id);
    let later = month.saturating_sub(REFERENCE_MONTHS) as f64;
    let age = 42.0 + 0.25 * later + 11.0 * stream.bell();
    let loan_amount = (12_000.0 + 3_500.0 * stream.bell()).max(1_000.0);
    let root = stream.bell() + 4.0;
    let score = 640.0 + 70.0 * stream.bell();
    let missing = stream.uniform() < bureau_fails(month);
    Features {
        age: age.clamp(18.0, 95.0).round() as i64,
        loan_amount: (loan_amount / 100.0).round() * 100.0,
        savings: savings(month, 450.0 * root * root),
        bureau_score: (!missing).then_some(score.clamp(300.0, 850.0).round() as i64),
        employment: employment(month, stream.uniform()),
        device: device(later, stream.uniform()),
        has_guarantor: stream.uniform() < 0.2,
    }
}

fn savings(month: u64, euros: f64) -> f64 {
    if month < SAVINGS_IN_THOUSANDS_FROM {
        return euros.round();
    }
    rounded(euros / 1_000.0, 1_000.0)
}

/// The share of applicants of whom the bureau does not tell.
fn bureau_fails(month: u64) -> f64 {
    0.02 + 0.04 * (month + 1).saturating_sub(BUREAU_FAILS_FROM) as f64
}

fn employment(month: u64, draw: f64) -> &'static str {
    match draw {
        draw if draw < 0.12 && month >= GIG_WORKERS_FROM => "gig worker",
        draw if draw < 0.62 => "employed",
        draw if draw < 0.77 => "self-employed",
        draw if draw < 0.92 => "retired",
        _ => "student",
    }
}

fn device(later: f64, draw: f64) -> &'static str {
    match draw {
        draw if draw < 0.1 => "tablet",
        draw if draw < 0.5 + 0.02 * later => "mobile",
        _ => "desktop",
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows::first_row;
    use super::*;

    /// A thousand rows from all over a month.
    fn of_month(month: u64) -> Vec<Features> {
        let (first, next) = (first_row(month), first_row(month + 1));
        let ids = (0..1_000).map(|i| first + (next - first) * i / 1_000);
        ids.map(features).collect()
    }

    fn mean(rows: &[Features], of: impl Fn(&Features) -> f64) -> f64 {
        rows.iter().map(of).sum::<f64>() / rows.len() as f64
    }

    fn share(rows: &[Features], of: impl Fn(&Features) -> bool) -> f64 {
        mean(rows, |row| f64::from(u8::from(of(row))))
    }

    #[test]
    fn features_are_the_same_everywhere() {
        let first = Features {
            age: 37,
            loan_amount: 12_300.0,
            savings: 6_129.0,
            bureau_score: Some(789),
            employment: "employed",
            device: "mobile",
            has_guarantor: false,
        };
        assert_eq!(features(0), first);
    }

    #[test]
    fn what_is_stable_stays() {
        let [before, after] = [of_month(3), of_month(29)];
        // five standard errors of a difference: 780 euros, and .09
        let loan = |rows: &[Features]| mean(rows, |row| row.loan_amount);
        assert!((loan(&before) - loan(&after)).abs() < 780.0);
        let guarantor = |rows: &[Features]| share(rows, |row| row.has_guarantor);
        assert!((guarantor(&before) - guarantor(&after)).abs() < 0.09);
    }

    #[test]
    fn age_drifts_gradually() {
        let age = [0, 11, 18, 24, 29].map(|month| mean(&of_month(month), |row| row.age as f64));
        // 42 in the reference, then 1.5, 3 and 4.25 years more; three standard errors are 1
        for (found, expected) in age.into_iter().zip([42.0, 42.0, 43.5, 45.0, 46.25]) {
            assert!((found - expected).abs() < 1.2, "{found} {expected}");
        }
    }

    #[test]
    fn savings_change_their_unit_at_a_date() {
        let largest = |month| {
            of_month(month)
                .iter()
                .fold(0.0, |most: f64, row| most.max(row.savings))
        };
        assert!(largest(SAVINGS_IN_THOUSANDS_FROM - 1) > 10_000.0);
        assert!(largest(SAVINGS_IN_THOUSANDS_FROM) < 40.0);
    }

    #[test]
    fn the_bureau_answers_less_and_less() {
        let missing = [11, 14, 15, 22, 29]
            .map(|month| share(&of_month(month), |row| row.bureau_score.is_none()));
        for (found, expected) in missing.into_iter().zip([0.02, 0.02, 0.06, 0.34, 0.62]) {
            assert!((found - expected).abs() < 0.06, "{found} {expected}");
        }
    }

    #[test]
    fn a_category_appears_and_a_mix_shifts() {
        let gig = |month| share(&of_month(month), |row| row.employment == "gig worker");
        assert_eq!(gig(0), 0.0);
        assert_eq!(gig(GIG_WORKERS_FROM - 1), 0.0);
        assert!(gig(GIG_WORKERS_FROM) > 0.08);
        let mobile = |month| share(&of_month(month), |row| row.device == "mobile");
        assert!((mobile(11) - 0.4).abs() < 0.06);
        assert!((mobile(29) - 0.74).abs() < 0.06);
    }
}
