//! A short form of `benches/skew.rs`: every fault is found under its check and column, and clean splits have no findings beyond the
//! stated rate.
#[path = "simulated/faults.rs"]
mod faults;
#[path = "simulated/mod.rs"]
mod simulated;
#[path = "simulated/splits.rs"]
mod splits;

use faults::{FAULTS, Fault};
use splits::{CALL, clean_splits, findings};

const ROWS: usize = 4000;
const CLEAN_SPLITS: u64 = 20;

/// The call with the relations of a fault.
fn call(fault: &Fault) -> String {
    let relation = |given: &'static str, clean: &'static str| match given {
        "" => clean,
        given => given,
    };
    let [training, test, serving] = fault.relations;
    format!(
        "training_serving_skew(training => {}, test => {}, serving => {}, key => id, feature_timestamps => seen_at",
        relation(training, "training"),
        relation(test, "test"),
        relation(serving, "serving")
    )
}

async fn assert_found(seed: u64, faults: &[Fault]) {
    let ctx = clean_splits(seed, ROWS);
    for fault in faults {
        let found = findings(&ctx, &call(fault)).await;
        let of = |check: &str| {
            let column = Some(fault.column).filter(|column| !column.is_empty());
            found
                .iter()
                .any(|(c, named, _)| c == check && named.as_deref() == column)
        };
        assert!(of(fault.check), "{}: {found:?}", fault.name);
        for (check, column, evidence) in &found {
            let is_of_column = column
                .as_deref()
                .is_none_or(|column| column == fault.column);
            let is_told = check == fault.check
                || fault.also.contains(&check.as_str())
                // what every column is looked at for sees what any of them has
                || check == "adversarial_validation";
            assert!(
                is_of_column && is_told,
                "{}: {check} of {column:?}: {evidence}",
                fault.name
            );
        }
    }
}

#[tokio::test]
async fn the_first_faults_are_found_where_they_are() {
    assert_found(1, &FAULTS[..20]).await;
}

#[tokio::test]
async fn the_other_faults_are_found_where_they_are() {
    assert_found(2, &FAULTS[20..]).await;
}

#[tokio::test]
async fn clean_splits_have_no_findings() {
    let mut with_findings = vec![];
    for seed in 0..CLEAN_SPLITS {
        let found = findings(&clean_splits(1000 + seed, ROWS), CALL).await;
        with_findings.extend(found.into_iter().map(|found| (seed, found)));
    }
    // at the rate of 0.01, two or more of 20 splits are a matter of 0.017
    assert!(with_findings.len() <= 1, "{with_findings:?}");
}

/// Scores that fall later are decay, no skew.
#[tokio::test]
async fn later_decay_is_no_deployment_drop() {
    let ctx = clean_splits(3, ROWS);
    let decayed = "CASE WHEN timestamp < TIMESTAMP '2024-01-12' THEN y_pred_proba ELSE ratio END AS y_pred_proba";
    let call = format!(
        "training_serving_skew(training, test, (SELECT * REPLACE ({decayed}) FROM serving), checks => deployment_drop"
    );
    assert_eq!(findings(&ctx, &call).await, vec![]);
    let told = findings(&ctx, &format!("{call}, include_passed => true")).await;
    let [(_, _, evidence)] = told.as_slice() else {
        panic!("{told:?}");
    };
    assert!(
        evidence.ends_with("what fell later is decay, no skew."),
        "{evidence}"
    );
}
