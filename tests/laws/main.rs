//! The laws of aggregation, checked for every aggregate of the registry: an entry needs no test code of its own.
//!
//! Every law asks for equality to the bit, floats included, for a result is a function of the rows alone.
//! Case generation is seeded; `PROPTEST_CASES` raises the number of cases per law and aggregate (256).
mod fitted;
mod sql;
mod subject;

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BinaryViewArray, BooleanArray};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use proptest::prelude::*;

use subject::{Answer, Draws, Row, Subject, answer, at, equal, law, rows};

/// Aggregates to which a NULL says something: a profile counts the rows that lack a score, prediction or label,
/// and a chunk without an index or a value is a chunk all the same.
const KEEPS_NULL_ROWS: [&str; 18] = [
    "weighted_score_profile",
    "weighted_multiclass_profile",
    "weighted_regression_profile",
    "loss_estimates",
    "score_profile",
    "regression_profile",
    "multiclass_profile",
    "class_estimates",
    "value_profile",
    "category_profile",
    "fit_reference",
    "fit_threshold",
    "chunk_series",
    "diagnose_series",
    "detect_series_changes",
    "series_trend",
    "series_seasonality",
    "timed_series",
];

/// [`KEEPS_NULL_ROWS`], and influences: rows that have none are rows.
fn keeps_null_rows(function: &str) -> bool {
    KEEPS_NULL_ROWS.contains(&function) || function.ends_with("_influences")
}

#[test]
fn merging_parts_equals_one_pass() {
    law((rows(), 1..6usize), |subject, (rows, parts)| {
        let mut merged = subject.single();
        for part in rows.chunks(rows.len().div_ceil(parts).max(1)) {
            merged.merge_batch(&subject.state(part)).expect("a merge");
        }
        prop_assert_eq!(answer(merged.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn merging_is_commutative_and_associative() {
    law((rows(), rows(), rows()), |subject, (a, b, c)| {
        let fold = |parts: &[&[Row]]| {
            let mut merged = subject.single();
            for part in parts {
                merged.merge_batch(&subject.state(part)).expect("a merge");
            }
            let state = merged.state().expect("a state");
            (state, answer(merged.evaluate()))
        };
        let left = fold(&[&a, &b, &c]);
        prop_assert_eq!(&left, &fold(&[&c, &a, &b]));
        // (b + c) first, then a
        let mut inner = subject.single();
        inner.merge_batch(&subject.state(&b)).expect("a merge");
        inner.merge_batch(&subject.state(&c)).expect("a merge");
        let inner: Vec<ArrayRef> = inner
            .state()
            .expect("a state")
            .iter()
            .map(|s| s.to_array().expect("a column"))
            .collect();
        let mut outer = subject.single();
        outer.merge_batch(&inner).expect("a merge");
        outer.merge_batch(&subject.state(&a)).expect("a merge");
        prop_assert_eq!(outer.state().expect("a state"), left.0);
        Ok(())
    });
}

#[test]
fn an_empty_state_is_neutral() {
    law(rows(), |subject, rows| {
        let mut merged = subject.single();
        for part in [&[][..], &rows, &[]] {
            merged.merge_batch(&subject.state(part)).expect("a merge");
        }
        prop_assert_eq!(answer(merged.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn the_order_of_rows_does_not_matter() {
    law((rows(), any::<u64>()), |subject, (rows, seed)| {
        let mut draws = Draws(seed);
        let mut shuffled = rows.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, draws.below(i as u64 + 1) as usize);
        }
        prop_assert_eq!(subject.result(&rows), subject.result(&shuffled));
        Ok(())
    });
}

#[test]
fn the_split_into_batches_does_not_matter() {
    law((rows(), 1..9usize), |subject, (rows, size)| {
        let mut accumulator = subject.single();
        for batch in rows.chunks(size) {
            accumulator
                .update_batch(&subject.columns(batch))
                .expect("an update");
        }
        prop_assert_eq!(answer(accumulator.evaluate()), subject.result(&rows));
        Ok(())
    });
}

#[test]
fn a_row_with_a_null_equals_its_absence() {
    law(rows(), |subject, rows| {
        let complete = |row: &&Row| subject.is_complete(row);
        let kept: Vec<Row> = rows.iter().filter(complete).copied().collect();
        if !keeps_null_rows(subject.function.name()) {
            prop_assert_eq!(subject.result(&rows), subject.result(&kept));
        }
        Ok(())
    });
}

#[test]
fn evaluating_twice_gives_the_same_and_more_rows_may_follow() {
    law((rows(), rows()), |subject, (first, second)| {
        let mut accumulator = subject.single();
        accumulator
            .update_batch(&subject.columns(&first))
            .expect("an update");
        let once = answer(accumulator.evaluate());
        prop_assert_eq!(&once, &answer(accumulator.evaluate()));
        prop_assert_eq!(&once, &subject.result(&first));
        accumulator
            .update_batch(&subject.columns(&second))
            .expect("an update");
        prop_assert_eq!(
            answer(accumulator.evaluate()),
            subject.result(&[first, second].concat())
        );
        Ok(())
    });
}

#[test]
fn grouped_equals_row_by_row_with_groups_emitted_early() {
    let cases = (rows(), rows(), 1..6usize, 0..6usize);
    law(cases, |subject, (before, after, groups, emitted)| {
        let emitted = emitted.min(groups);
        let with_group = |rows: &[Row]| -> Vec<(usize, Row)> {
            rows.iter()
                .enumerate()
                .map(|(i, row)| ((i * 7) % groups, *row))
                .collect()
        };
        let before = with_group(&before);
        let mut accumulator = subject.grouped();
        feed(subject, &mut *accumulator, &before, 0, groups);
        let early = accumulator.evaluate(EmitTo::First(emitted));
        // the groups that stay move down, and rows go on arriving for them
        let mut after = with_group(&after);
        after.retain(|(group, _)| *group >= emitted);
        feed(
            subject,
            &mut *accumulator,
            &after,
            emitted,
            groups - emitted,
        );
        let late = accumulator.evaluate(EmitTo::All);
        let result = |group: usize, rows: &[&[(usize, Row)]]| {
            let mine = rows
                .concat()
                .into_iter()
                .filter(|(g, _)| *g == group)
                .map(|(_, row)| row);
            subject.result(&mine.collect::<Vec<_>>())
        };
        let first: Vec<Answer> = (0..emitted).map(|g| result(g, &[&before])).collect();
        let second: Vec<Answer> = (emitted..groups)
            .map(|g| result(g, &[&before, &after]))
            .collect();
        prop_assert!(equal(&early, &first), "{early:?} is not {first:?}");
        prop_assert!(equal(&late, &second), "{late:?} is not {second:?}");
        Ok(())
    });
}

fn feed(
    subject: &Subject,
    accumulator: &mut dyn GroupsAccumulator,
    rows: &[(usize, Row)],
    first_group: usize,
    groups: usize,
) {
    let indices: Vec<usize> = rows.iter().map(|(group, _)| group - first_group).collect();
    let rows: Vec<Row> = rows.iter().map(|(_, row)| *row).collect();
    accumulator
        .update_batch(&subject.columns(&rows), &indices, None, groups)
        .expect("an update");
}

#[test]
fn a_filter_keeps_only_true() {
    law((rows(), any::<u64>()), |subject, (rows, seed)| {
        let mut draws = Draws(seed);
        let filter: BooleanArray = rows.iter().map(|_| draws.class()).collect();
        let keep = |(row, keep): (&Row, Option<bool>)| (keep == Some(true)).then_some(*row);
        let kept: Vec<Row> = rows.iter().zip(&filter).filter_map(keep).collect();
        let zeros = vec![0; rows.len()];
        let mut grouped = subject.grouped();
        grouped
            .update_batch(&subject.columns(&rows), &zeros, Some(&filter), 1)
            .expect("an update");
        prop_assert_eq!(at(grouped.evaluate(EmitTo::All), 0), subject.result(&kept));
        let states = subject
            .grouped()
            .convert_to_state(&subject.columns(&rows), Some(&filter))
            .expect("states");
        let mut merged = subject.grouped();
        merged.merge_batch(&states, &zeros, 1).expect("a merge");
        prop_assert_eq!(at(merged.evaluate(EmitTo::All), 0), subject.result(&kept));
        Ok(())
    });
}

#[test]
fn states_of_both_accumulators_are_interchangeable() {
    law(rows(), |subject, rows| {
        let want = subject.result(&rows);
        let columns = subject.columns(&rows);
        let zeros = vec![0; rows.len()];
        let mut grouped = subject.grouped();
        grouped
            .update_batch(&columns, &zeros, None, 1)
            .expect("an update");
        let from_grouped = grouped.state(EmitTo::All).expect("a state");
        let converted = subject
            .grouped()
            .convert_to_state(&columns, None)
            .expect("states");
        for states in [subject.state(&rows), from_grouped, converted] {
            let mut single = subject.single();
            single.merge_batch(&states).expect("a merge");
            prop_assert_eq!(&answer(single.evaluate()), &want);
            let mut grouped = subject.grouped();
            let zeros = vec![0; states[0].len()];
            grouped.merge_batch(&states, &zeros, 1).expect("a merge");
            prop_assert_eq!(&at(grouped.evaluate(EmitTo::All), 0), &want);
        }
        Ok(())
    });
}

#[test]
fn a_damaged_state_is_refused_and_never_panics() {
    law(
        (rows(), any::<prop::sample::Index>(), 1..=255u8),
        |subject, (rows, place, flip)| {
            for column in subject.state(&rows) {
                let Some(ScalarValue::BinaryView(Some(mut bytes))) =
                    ScalarValue::try_from_array(&column, 0).ok()
                else {
                    continue;
                };
                if bytes.is_empty() {
                    continue;
                }
                let place = place.index(bytes.len());
                bytes[place] ^= flip;
                let damaged: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([&bytes]));
                prop_assert!(subject.single().merge_batch(&[damaged]).is_err());
                let cut: ArrayRef = Arc::new(BinaryViewArray::from_iter_values([&bytes[..place]]));
                // the empty state of some aggregates has no bytes at all
                prop_assert!(place == 0 || subject.single().merge_batch(&[cut]).is_err());
            }
            Ok(())
        },
    );
}
