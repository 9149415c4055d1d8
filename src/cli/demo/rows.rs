//! The made-up world of the demo: who applies for a loan, what the model says, who defaults.
use std::ops::Range;

use super::random::{Stream, rounded, sigmoid};

/// Rows of the reference table: the twelve months of 2023, 25,000 a month.
pub const REFERENCE_ROWS: u64 = 300_000;

/// Rows of the analysis table: 18 months from January 2024 on, more every month.
pub const ANALYSIS_ROWS: u64 = 700_000;

/// Months of the reference table, of which the first is January 2023.
pub const REFERENCE_MONTHS: u64 = 12;

const ANALYSIS_MONTHS: u64 = 18;

/// August and September 2024: a campaign of partners brings applicants hard to tell apart.
const CAMPAIGN: Range<u64> = 19..21;

/// From January 2025 on, applicants become harder to tell apart every month.
const DECLINE_FROM: u64 = 24;

/// April to June 2025: nobody knows yet who will default.
const UNLABELLED_FROM: u64 = 27;

/// Where the model is undecided, in units of its latent score.
const BOUNDARY: f64 = 0.8;

/// How much steeper the score is than the truth: the model is too sure of itself.
const OVERCONFIDENCE: f64 = 1.7;

const DAY: i64 = 86_400_000_000;

/// One application for a loan.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Counts from 0 over both tables.
    pub id: i64,
    /// Microseconds since 1970, UTC.
    pub timestamp: i64,
    /// Where the applicant lives.
    pub country: &'static str,
    /// How the application came in.
    pub channel: &'static str,
    /// Thousands of euros a year.
    pub income: f64,
    /// Debt as a share of income.
    pub debt_ratio: f64,
    /// Months since the applicant became a customer.
    pub tenure_months: i64,
    /// What the model says: probability of default.
    pub y_pred_proba: f64,
    /// Whether that is at least one half.
    pub y_pred: i64,
    /// Whether the loan defaulted; `None` before it is known.
    pub y_true: Option<i64>,
}

/// Row `id`, counted over both tables.
pub fn row(id: u64) -> Row {
    let (month, timestamp) = moment(id);
    let mut stream = Stream::of_row(id);
    let country = country(month, stream.uniform());
    let campaign = CAMPAIGN.contains(&month);
    let channel = channel(campaign, stream.uniform());
    let spread = spread(month, campaign && channel == "partner");
    // incomes grow half a percent a month, which the model takes into account: drift without harm
    let growth = 1.0 + 0.005 * month.saturating_sub(REFERENCE_MONTHS) as f64;
    // a narrow spread is around the applicant of whom the model is least sure
    let centre = BOUNDARY * (1.0 - spread);
    let income = rounded(
        ((38.0 - 11.0 * spread * stream.bell()) * growth).max(6.0),
        100.0,
    );
    let debt_ratio = rounded(
        (0.35 + 0.12 * (centre + spread * stream.bell())).max(0.0),
        1000.0,
    );
    let tenure_months = (60.0 - 30.0 * spread * stream.bell()).max(0.0).round();
    let latent = (38.0 - income / growth) / 11.0
        + (debt_ratio - 0.35) / 0.12
        + 0.7 * (60.0 - tenure_months) / 30.0
        - BOUNDARY;
    let y_pred_proba = rounded(sigmoid(OVERCONFIDENCE * latent), 10_000.0);
    let defaults = stream.uniform() < sigmoid(latent);
    Row {
        id: id as i64,
        timestamp,
        country,
        channel,
        income,
        debt_ratio,
        tenure_months: tenure_months as i64,
        y_pred_proba,
        y_pred: i64::from(y_pred_proba >= 0.5),
        y_true: (month < UNLABELLED_FROM).then_some(i64::from(defaults)),
    }
}

/// How far applicants lie apart, 1 in the reference.
fn spread(month: u64, campaign: bool) -> f64 {
    if campaign {
        return 0.2;
    }
    1.0 - 0.06 * (month + 1).saturating_sub(DECLINE_FROM) as f64
}

fn country(month: u64, draw: f64) -> &'static str {
    // Poland grows from 10 % of applicants to 28 %, at the expense of Germany
    let growth = 0.01 * month.saturating_sub(REFERENCE_MONTHS) as f64;
    match draw {
        draw if draw < 0.4 - growth => "DE",
        draw if draw < 0.7 - growth => "FR",
        draw if draw < 0.9 - growth => "ES",
        _ => "PL",
    }
}

fn channel(campaign: bool, draw: f64) -> &'static str {
    let partner = if campaign { 0.6 } else { 0.1 };
    match draw {
        draw if draw < partner => "partner",
        draw if draw < partner + (1.0 - partner) * 0.7 => "web",
        _ => "branch",
    }
}

/// The month of a row, counted from January 2023.
pub fn month(id: u64) -> u64 {
    let mut months = (0..REFERENCE_MONTHS + ANALYSIS_MONTHS).rev();
    months
        .find(|month| first_row(*month) <= id)
        .unwrap_or_default()
}

/// The month of a row and its timestamp: later rows are later.
fn moment(id: u64) -> (u64, i64) {
    let month = month(id);
    let (first, next) = (first_row(month), first_row(month + 1));
    let (start, end) = (first_day(month) * DAY, first_day(month + 1) * DAY);
    let slot = (end - start) / (next - first).max(1) as i64;
    let jitter = (Stream::of_row(!id).uniform() * slot as f64) as i64;
    (month, start + slot * (id - first) as i64 + jitter)
}

/// Rows before a month: even in the reference, in the analysis each month a little more.
pub fn first_row(month: u64) -> u64 {
    if month <= REFERENCE_MONTHS {
        return REFERENCE_ROWS * month / REFERENCE_MONTHS;
    }
    let month = month - REFERENCE_MONTHS;
    let weight = |month: u64| month * (month + 60);
    REFERENCE_ROWS + ANALYSIS_ROWS * weight(month) / weight(ANALYSIS_MONTHS)
}

/// Days from 1970 to the first of a month, counted from January 2023.
fn first_day(month: u64) -> i64 {
    const LENGTHS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    const FIRST_OF_2023: i64 = 19_358;
    let length = |month: u64| {
        let leap_day = month == 13;
        LENGTHS
            .iter()
            .cycle()
            .nth((month % 12) as usize)
            .unwrap_or(&0)
            + i64::from(leap_day)
    };
    FIRST_OF_2023 + (0..month).map(length).sum::<i64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_start_where_the_calendar_says() {
        // 2024-01-01, 2024-03-01 after a leap day, and 2025-07-01
        assert_eq!(
            [0, 12, 14, 30].map(first_day),
            [19_358, 19_723, 19_783, 20_270]
        );
        assert_eq!(
            [0, 1, 12, 30].map(first_row),
            [0, 25_000, 300_000, 1_000_000]
        );
        let starts: Vec<_> = (0..30).map(first_row).collect();
        assert!(starts.is_sorted());
    }

    #[test]
    fn time_goes_on_from_row_to_row() {
        let ids = (0..1_000_000).step_by(997).flat_map(|id| [id, id + 1]);
        let times: Vec<_> = ids
            .filter(|id| *id < 1_000_000)
            .map(|id| row(id).timestamp)
            .collect();
        assert!(times.is_sorted());
        assert_eq!(times.first().map(|t| t / DAY), Some(19_358));
        assert_eq!(row(999_999).timestamp / DAY, 20_269);
    }

    #[test]
    fn labels_are_missing_at_the_end_only() {
        assert!(row(299_999).y_true.is_some());
        assert!(row(first_row(UNLABELLED_FROM) - 1).y_true.is_some());
        assert!(row(first_row(UNLABELLED_FROM)).y_true.is_none());
    }

    #[test]
    fn a_row_is_the_same_everywhere() {
        let first = Row {
            id: 0,
            timestamp: 1_672_531_248_819_704,
            country: "FR",
            channel: "web",
            income: 42.64,
            debt_ratio: 0.151,
            tenure_months: 7,
            y_pred_proba: 0.0292,
            y_pred: 0,
            y_true: Some(0),
        };
        assert_eq!(row(0), first);
    }

    #[test]
    fn rows_stay_what_they_were() {
        // the README shows what is estimated from them
        let rows = (0..REFERENCE_ROWS + ANALYSIS_ROWS).step_by(101).map(row);
        let mut sum = crc32fast::Hasher::new();
        rows.for_each(|row| sum.update(format!("{row:?}").as_bytes()));
        assert_eq!(sum.finalize(), 3_367_414_679);
    }

    #[test]
    fn the_score_is_too_sure_and_the_base_rate_plausible() {
        let rows: Vec<_> = (0..REFERENCE_ROWS).step_by(30).map(row).collect();
        let mean = |values: &mut dyn Iterator<Item = f64>| {
            let values: Vec<_> = values.collect();
            values.iter().sum::<f64>() / values.len() as f64
        };
        let label = |row: &Row| row.y_true.unwrap_or_default() as f64;
        let rate = mean(&mut rows.iter().map(label));
        assert!((0.25..0.4).contains(&rate), "{rate}");
        let sure: Vec<_> = rows
            .iter()
            .filter(|row| (0.7..0.9).contains(&row.y_pred_proba))
            .collect();
        let promised = mean(&mut sure.iter().map(|row| row.y_pred_proba));
        let kept = mean(&mut sure.iter().map(|row| label(row)));
        assert!(promised - kept > 0.08, "{promised} {kept}");
    }
}
