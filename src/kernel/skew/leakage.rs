//! How well one column ranks the label, and how well trees tell two relations apart.
use std::collections::BTreeMap;

use statrs::function::erf::erfc;

use super::super::bins::ScoreBins;
use super::super::digits::short;
use super::super::values::CategoryGroups;
use super::check::{Effects, SkewCheck};
use super::reading::SkewReading;

const LEAKAGE: &str = "Find out when this column becomes known: leave it out if that is after the prediction, or if it is made from the label.";
const ADVERSARIAL: &str = "Look at univariate_drift of the same relations for the columns that moved, and train on rows like those served.";

/// ROC AUC, and how improbable it is of a column that says nothing.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Ranked {
    auc: f64,
    p_value: f64,
    positives: f64,
    negatives: f64,
}

/// Positives and negatives of rows that share a rank.
type Tie = (f64, f64);

/// The area from ties in ascending order; `None` without rows of a class.
///
/// The p-value is one-sided, by the normal law with the variance of untied ranks, which ties only lower (H. B. Mann, D. R.
/// Whitney 1947, Ann. Math. Stat. 18, 50-60).
fn ranked(ties: impl IntoIterator<Item = Tie> + Clone) -> Option<Ranked> {
    let all = ties.clone().into_iter();
    let (positives, negatives) = all.fold((0.0, 0.0), |(p, n), tie| (p + tie.0, n + tie.1));
    let pairs = positives * negatives;
    if pairs <= 0.0 {
        return None;
    }
    let (mut won, mut below) = (0.0, 0.0);
    for (p, n) in ties {
        won += p * (below + n / 2.0);
        below += n;
    }
    let auc = won / pairs;
    let variance = (positives + negatives + 1.0) / (12.0 * pairs);
    Some(Ranked {
        auc,
        p_value: upper_normal((auc - 0.5) / variance.sqrt()),
        positives,
        negatives,
    })
}

/// Probability that a standard normal number exceeds `z`.
pub(super) fn upper_normal(z: f64) -> f64 {
    erfc(z / std::f64::consts::SQRT_2) / 2.0
}

fn ties_of(bins: &ScoreBins) -> Vec<Tie> {
    let of = |label: usize, bin: &super::super::bins::ScoreBin| -> f64 {
        let cells = bin.cells.iter().filter_map(|row| row.get(label));
        cells.map(|cell| cell.count as f64).sum()
    };
    bins.bins
        .iter()
        .map(|bin| (of(1, bin), of(0, bin)))
        .collect()
}

/// Rows whose score is NULL, NaN or infinite, by label.
fn missing(bins: &ScoreBins) -> Tie {
    let of = |label: usize| -> f64 {
        let rows = bins.unscored.iter().chain(&bins.not_finite);
        rows.filter_map(|row| row.get(label))
            .map(|n| *n as f64)
            .sum()
    };
    (of(1), of(0))
}

/// `target_leakage` of a column of numbers, given as the scores of a score profile.
///
/// The area with rows without a number below or above all others, as the column itself rises or falls: the best of four, and of
/// these two alone. NULL: not run without labels of both classes.
pub fn score_leakage(bins: &ScoreBins, effects: &Effects) -> SkewReading {
    let (ties, missing) = (ties_of(bins), missing(bins));
    let opposite: Vec<Tie> = ties.iter().rev().copied().collect();
    let with = |ties: &[Tie], first: bool| -> Option<Ranked> {
        let missing = [missing].to_vec();
        match first {
            true => ranked([missing, ties.to_vec()].concat()),
            false => ranked([ties.to_vec(), missing].concat()),
        }
    };
    let known = ties
        .iter()
        .fold((0.0, 0.0), |(p, n), tie| (p + tie.0, n + tie.1));
    let all = [
        with(&ties, true),
        with(&ties, false),
        with(&opposite, true),
        with(&opposite, false),
        with(&[known], true),
        with(&[known], false),
    ];
    reading(&all, "", effects)
}

fn reading(all: &[Option<Ranked>], how: &str, effects: &Effects) -> SkewReading {
    let check = SkewCheck::TargetLeakage;
    let found = all.iter().flatten();
    let best = found.max_by(|a, b| a.auc.total_cmp(&b.auc));
    let Some(best) = best else {
        return SkewReading::not_run(check, effects, "Labels of both classes are needed.");
    };
    let p = best.p_value * all.len() as f64;
    let evidence = format!(
        "This column alone ranks {} positive and {} negative training rows with a ROC AUC of {}{how}.",
        best.positives,
        best.negatives,
        short(best.auc)
    );
    SkewReading::new(check, effects, best.auc, Some(p)).told("roc_auc", evidence, LEAKAGE)
}

/// Categories of the rows of each class.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClassProfiles<'a> {
    /// Of positive rows.
    pub positive: &'a CategoryGroups,
    /// Of negative rows.
    pub negative: &'a CategoryGroups,
}

impl ClassProfiles<'_> {
    /// Positives and negatives by category; the last is NULL.
    fn by_category(&self) -> BTreeMap<Option<u64>, Tie> {
        let mut all: BTreeMap<Option<u64>, Tie> = BTreeMap::new();
        let bits = self.positive.bits.min(self.negative.bits);
        for group in &self.positive.coarsened(bits).groups {
            all.entry(Some(group.prefix)).or_default().0 += group.count as f64;
        }
        for group in &self.negative.coarsened(bits).groups {
            all.entry(Some(group.prefix)).or_default().1 += group.count as f64;
        }
        let nulls = all.entry(None).or_default();
        nulls.0 += self.positive.nulls as f64;
        nulls.1 += self.negative.nulls as f64;
        all
    }
}

/// `target_leakage` of a column of categories: those are ordered by their share of positives among the rows of `learnt`, and the
/// area is that of other rows, `judged`; a column of names ranks what it was ordered by perfectly, and nothing else.
///
/// NULL is a category; one that `learnt` does not have stands where the mean is. Not run without labels of both classes.
pub fn category_leakage(
    learnt: ClassProfiles,
    judged: ClassProfiles,
    effects: &Effects,
) -> SkewReading {
    let learnt = learnt.by_category();
    let totals = learnt
        .values()
        .fold((0.0, 0.0), |(p, n), tie| (p + tie.0, n + tie.1));
    let mean = match totals.0 + totals.1 {
        0.0 => 0.5,
        rows => totals.0 / rows,
    };
    // half a row of the mean keeps rare categories near it
    let rate = |(p, n): Tie| (p + 0.5 * mean) / (p + n + 0.5);
    let mut judged: Vec<(f64, Tie)> = judged
        .by_category()
        .into_iter()
        .map(|(category, tie)| {
            (
                learnt.get(&category).map_or(mean, |known| rate(*known)),
                tie,
            )
        })
        .collect();
    judged.sort_by(|a, b| a.0.total_cmp(&b.0));
    let groups = judged.chunk_by(|a, b| a.0 == b.0);
    let ties: Vec<Tie> = groups
        .map(|group| {
            group
                .iter()
                .fold((0.0, 0.0), |(p, n), (_, tie)| (p + tie.0, n + tie.1))
        })
        .collect();
    reading(&[ranked(ties)], ", ordered by other rows", effects)
}

/// `adversarial_validation`: area of the scores that trees, fitted on other rows, give to served rows (label 1) and training rows.
///
/// NULL: not run without scored rows of both.
pub fn domain_auc(bins: &ScoreBins, effects: &Effects) -> SkewReading {
    let check = SkewCheck::AdversarialValidation;
    let Some(found) = ranked(ties_of(bins)) else {
        return SkewReading::not_run(check, effects, "Rows of both relations are needed.");
    };
    let evidence = format!(
        "Trees tell {} rows of serving from {} rows of training that they were not fitted on with a ROC AUC of {}; 0.5 is by chance.",
        found.positives,
        found.negatives,
        short(found.auc)
    );
    SkewReading::new(check, effects, found.auc, Some(found.p_value)).told(
        "roc_auc",
        evidence,
        ADVERSARIAL,
    )
}

#[cfg(test)]
mod tests {
    use super::super::super::score_profile::{ScoreProfile, class_of};
    use super::super::testing::categories;
    use super::*;

    fn scores(rows: impl IntoIterator<Item = (Option<f64>, bool)>) -> ScoreBins {
        let mut profile = ScoreProfile::default();
        for (x, label) in rows {
            profile.observe(class_of(None, Some(label)), x);
        }
        profile.bins()
    }

    #[test]
    fn the_area_is_that_of_pairs() {
        // positives at 1 and 3, negatives at 0 and 2: 3 of 4 pairs
        let rows = [(0.0, false), (1.0, true), (2.0, false), (3.0, true)];
        let bins = scores(rows.map(|(x, label)| (Some(x), label)));
        assert_eq!(domain_auc(&bins, &Effects::default()).value, Some(0.75));
    }

    #[test]
    fn a_column_that_knows_the_label_leaks() {
        let effects = Effects::default();
        let leak =
            scores((0..200).map(|i| (Some(if i % 3 == 0 { -5.0 } else { 1.0 }), i % 3 == 0)));
        assert!(score_leakage(&leak, &effects).is_finding(1e-6));
        // it is the gaps that tell
        let gaps =
            scores((0..200).map(|i| (Some(f64::from(i)).filter(|_| i % 3 == 0), i % 3 == 0)));
        assert!(score_leakage(&gaps, &effects).is_finding(1e-6));
        let chance = scores((0..200).map(|i| (Some(f64::from(i * 7 % 200)), i % 3 == 0)));
        assert!(!score_leakage(&chance, &effects).is_finding(1.0));
        let one_class = scores([(Some(1.0), true)]);
        assert_eq!(score_leakage(&one_class, &effects).value, None);
    }

    #[test]
    fn names_of_rows_do_not_leak_and_copies_of_the_label_do() {
        let effects = Effects::default();
        let texts: Vec<String> = (0..400).map(|i| i.to_string()).collect();
        let part = |from: usize, to: usize| {
            let texts = texts.get(from..to).unwrap_or_default();
            categories(texts.iter().map(String::as_str))
        };
        let (a, b, c, d) = (part(0, 100), part(100, 200), part(200, 300), part(300, 400));
        let pair = |positive, negative| ClassProfiles { positive, negative };
        let names = category_leakage(pair(&a, &b), pair(&c, &d), &effects);
        assert_eq!(names.value, Some(0.5));
        let (yes, no) = (categories(["yes"; 80]), categories(["no"; 90]));
        let copy = category_leakage(pair(&yes, &no), pair(&yes, &no), &effects);
        assert_eq!(copy.value, Some(1.0));
        assert!(copy.is_finding(1e-6));
    }
}
