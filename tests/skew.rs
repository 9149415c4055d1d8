//! Training-serving skew, simulated: every fault is found under its check and column, and clean splits have no findings beyond the
//! stated rate.
//!
//! The long form, `cargo test --test skew -- --ignored --nocapture`, takes 120 clean splits of 4,000 rows and as many of 300, and
//! puts each fault into three tables and makes all checks.
#[path = "simulated/faults.rs"]
mod faults;
#[path = "simulated/mod.rs"]
mod simulated;
#[path = "simulated/splits.rs"]
mod splits;

use datafusion::prelude::SessionContext;
use faults::{FAULTS, Fault};
use modelwatch::kernel::skew::SkewCheck;
use splits::{CALL, clean_splits, findings, told};

const ROWS: usize = 4000;
const CLEAN_SPLITS: u64 = 10;

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

/// What is wrong with the findings of a fault, if anything.
async fn complaint(ctx: &SessionContext, fault: &Fault, call: &str) -> Option<String> {
    let found = findings(ctx, call).await;
    let column = Some(fault.column).filter(|column| !column.is_empty());
    let mut of = found
        .iter()
        .map(|(check, named, _)| (check.as_str(), named.as_deref()));
    if !of.any(|of| of == (fault.check, column)) {
        return Some(format!("{} is not found: {found:?}", fault.name));
    }
    let others = found.iter().find(|(check, column, _)| {
        let is_of_column = column
            .as_deref()
            .is_none_or(|column| column == fault.column);
        let is_told = check == fault.check
            || fault.also.contains(&check.as_str())
            // which looks at all columns together
            || check == "adversarial_validation";
        !(is_of_column && is_told)
    });
    others.map(|other| format!("{} is found elsewhere: {other:?}", fault.name))
}

/// The checks of columns, and the one that is to find the fault: planning all of them for each fault is for the long form.
fn checks(fault: &Fault) -> String {
    let of_columns = [
        SkewCheck::FutureTimestamp,
        SkewCheck::MissingColumn,
        SkewCheck::ColumnType,
        SkewCheck::NullRate,
        SkewCheck::DefaultValue,
        SkewCheck::ConstantColumn,
        SkewCheck::UnitScale,
        SkewCheck::Rounding,
        SkewCheck::CategoryFormat,
        SkewCheck::UnseenCategory,
        SkewCheck::TimeZoneOffset,
    ];
    let names = of_columns
        .map(SkewCheck::name)
        .into_iter()
        .chain([fault.check]);
    let names: Vec<String> = names.map(|name| format!("'{name}'")).collect();
    format!("checks => [{}]", names.join(", "))
}

async fn assert_found(seed: u64, faults: &[Fault]) {
    let ctx = clean_splits(seed, ROWS);
    for fault in faults {
        let call = format!("{}, {}", call(fault), checks(fault));
        assert_eq!(complaint(&ctx, fault, &call).await, None);
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
    // at the rate of 0.01, two or more of 10 splits are a matter of 0.004
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
    let passed = told(&ctx, &format!("{call}, include_passed => true"), "passed").await;
    let [(_, _, evidence)] = passed.as_slice() else {
        panic!("{passed:?}");
    };
    assert!(
        evidence.ends_with("what fell later is decay, no skew."),
        "{evidence}"
    );
}

/// How many of so many clean splits have findings.
async fn splits_with_findings(rows: usize, splits: u64) -> u64 {
    let mut tasks = vec![];
    for part in 0..2 {
        tasks.push(tokio::spawn(async move {
            let mut with_findings = 0;
            for seed in (part..splits).step_by(2) {
                let found = findings(&clean_splits(5000 + seed, rows), CALL).await;
                found
                    .iter()
                    .for_each(|found| println!("{rows} rows, seed {seed}: {found:?}"));
                with_findings += u64::from(!found.is_empty());
            }
            with_findings
        }));
    }
    let mut with_findings = 0;
    for task in tasks {
        with_findings += task.await.expect("a part");
    }
    println!("{with_findings} of {splits} clean splits of {rows} rows have findings");
    with_findings
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the long form, five minutes"]
async fn clean_splits_at_length() {
    for rows in [300, 4000] {
        // 120 times 0.01, and three standard deviations
        assert!(splits_with_findings(rows, 120).await <= 4);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "the long form, some minutes"]
async fn faults_at_length() {
    let mut complaints = vec![];
    for seed in 10..13 {
        let ctx = clean_splits(seed, ROWS);
        for fault in &FAULTS {
            complaints.extend(complaint(&ctx, fault, &call(fault)).await);
        }
    }
    println!(
        "{} of {} faults: {complaints:#?}",
        complaints.len(),
        3 * FAULTS.len()
    );
    assert!(complaints.is_empty());
}
