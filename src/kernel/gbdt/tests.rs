//! What holds of models as a whole, from rows to predictions.
use super::model::Model;
use super::options::{Objective, Options};
use super::predict::Predictor;
use super::rows::Rows;
use super::tree::Tree;
use crate::kernel::pca::Cell;
use crate::kernel::pca::columns::Kind;

/// Target, weight, a number and a category.
type Row = (f64, f64, f64, &'static str);

const PLANS: [&str; 6] = ["basic", "free", "pro", "team", "trial", "none"];

/// Rows without two alike, some with missing or infinite values.
fn sample(count: usize) -> Vec<Row> {
    let row = |i: usize| {
        let x = match i % 17 {
            3 => f64::NAN,
            5 => f64::INFINITY,
            _ => (i * 7919 % 1009) as f64 / 10.0,
        };
        let plan = PLANS[i * 31 % 6];
        let lift = if plan == "pro" {
            20.0
        } else {
            (i * 31 % 6) as f64
        };
        let y = if x.is_nan() { 90.0 } else { x.min(70.0) } + lift + (i * 13 % 10) as f64 / 10.0;
        (y, 1.0 + (i % 3) as f64, x, plan)
    };
    (0..count).map(row).collect()
}

fn columns() -> Vec<(String, Kind)> {
    vec![("x".into(), Kind::Number), ("plan".into(), Kind::Text)]
}

fn cells((.., x, plan): &Row) -> [Cell<'static>; 2] {
    let plan = if *plan == "none" {
        Cell::Missing
    } else {
        Cell::Text(plan)
    };
    [Cell::number(*x), plan]
}

fn collected(rows: &[Row], objective: Objective, max_rows: usize) -> Rows {
    let mut found = Rows::new(objective, max_rows);
    found.require(&columns()).unwrap();
    for row in rows {
        found.observe(row.0, row.1, cells(row).into_iter()).unwrap();
    }
    found
}

fn fitted(rows: &[Row], options: &Options) -> Model {
    collected(rows, Objective::Squared, 1_000_000)
        .fit(options)
        .unwrap()
}

fn predicted(model: &Model, rows: &[Row]) -> Vec<f64> {
    Predictor::new(model).all(rows.len(), |column, row| cells(&rows[row])[column])
}

fn walked(tree: &Tree, codes: &[u8]) -> f64 {
    match tree {
        Tree::Leaf(value) => *value,
        Tree::Node(node) if node.codes.contains(codes[node.column]) => walked(&node.left, codes),
        Tree::Node(node) => walked(&node.right, codes),
    }
}

#[test]
fn tables_say_what_the_trees_say() {
    let rows = sample(1_000);
    let options = Options {
        min_rows: Some(5.0),
        leaves: 64,
        ..Options::default()
    };
    let model = fitted(&rows, &options);
    assert!(model.trees().iter().any(|tree| tree.leaves() == 64));
    let predictor = Predictor::new(&model);
    for (row, found) in rows.iter().zip(predicted(&model, &rows)) {
        let pairs = model.columns().iter().zip(cells(row));
        let codes: Vec<u8> = pairs.map(|(column, cell)| column.code(cell)).collect();
        let sum = model
            .trees()
            .iter()
            .fold(model.base(), |sum, tree| sum + walked(tree, &codes));
        assert_eq!(found, sum);
        assert_eq!(predictor.one(cells(row).into_iter()), sum);
    }
}

#[test]
fn what_was_learnt_is_near_the_target() {
    let rows = sample(3_000);
    let found = predicted(&fitted(&rows, &Options::default()), &rows);
    let worst = rows
        .iter()
        .zip(found)
        .map(|(row, y)| (row.0 - y).abs())
        .fold(0.0, f64::max);
    // numbers, missing and infinite ones, categories and NULL among them; the noise is up to 0.9
    assert!(worst < 2.5, "{worst}");
}

#[test]
fn one_tree_gives_the_means_of_its_leaves() {
    // 1 and 3 for a, 10 for b; the mean is 6
    let rows = [
        (1.0, 1.0, 0.0, "basic"),
        (3.0, 1.0, 1.0, "basic"),
        (10.0, 2.0, 0.0, "pro"),
    ];
    let mut options = Options {
        trees: 1,
        leaves: 2,
        learning_rate: 1.0,
        ..Options::default()
    };
    options.min_rows = Some(1.0);
    assert_eq!(predicted(&fitted(&rows, &options), &rows), [2.0, 2.0, 10.0]);
    // half of the way from the mean
    options.learning_rate = 0.5;
    assert_eq!(predicted(&fitted(&rows, &options), &rows), [4.0, 4.0, 8.0]);
    // with two rows that pull to the mean each leaf goes half of its way: 6 - 8/4, 6 + 8/4
    (options.learning_rate, options.l2) = (1.0, 2.0);
    assert_eq!(predicted(&fitted(&rows, &options), &rows), [4.0, 4.0, 8.0]);
}

#[test]
fn a_weight_is_a_number_of_rows() {
    let rows = sample(400);
    let repeated: Vec<Row> = rows
        .iter()
        .flat_map(|(y, w, x, plan)| vec![(*y, 1.0, *x, *plan); *w as usize])
        .collect();
    let (once, often) = (
        fitted(&rows, &Options::default()),
        fitted(&repeated, &Options::default()),
    );
    assert_eq!(predicted(&once, &rows), predicted(&often, &rows));
    assert_eq!(once.trees(), often.trees());
    assert_eq!(
        (once.training().row_count, often.training().row_count),
        (400, repeated.len() as u64)
    );
}

#[test]
fn neither_order_nor_parts_nor_a_limit_leave_a_trace() {
    let rows = sample(500);
    for most in [1_000_000, 100] {
        let mut forward = collected(&rows, Objective::Squared, most);
        let backward: Vec<Row> = rows.iter().rev().copied().collect();
        let mut merged = Rows::new(Objective::Squared, most);
        for part in backward.chunks(77) {
            let bytes = collected(part, Objective::Squared, most).to_bytes();
            let part = Rows::from_bytes(&bytes, Objective::Squared, most).unwrap();
            merged.merge(&part).unwrap();
        }
        assert_eq!(merged.to_bytes(), forward.to_bytes());
        assert_eq!(forward.len(), most.min(500));
        let (a, b) = (
            forward.fit(&Options::default()),
            merged.fit(&Options::default()),
        );
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(a.to_bytes(), b.to_bytes());
        assert_eq!(
            (a.training().row_count, a.training().fitted_row_count),
            (500, most.min(500) as u64)
        );
    }
}

#[test]
fn the_unit_of_the_target_does_not_matter() {
    let rows = sample(300);
    let doubled: Vec<Row> = rows
        .iter()
        .map(|row| (row.0 * 1024.0, row.1, row.2, row.3))
        .collect();
    let small = predicted(&fitted(&rows, &Options::default()), &rows);
    let large = predicted(&fitted(&doubled, &Options::default()), &rows);
    let near = |(a, b): (&f64, f64)| (a * 1024.0 - b).abs() <= 1e-9 * b.abs();
    assert!(small.iter().zip(large).all(near));
}

#[test]
fn equal_targets_are_predicted_exactly() {
    let rows: Vec<Row> = sample(300)
        .into_iter()
        .map(|row| (0.1, 0.7, row.2, row.3))
        .collect();
    let model = fitted(&rows, &Options::default());
    assert!(model.trees().is_empty());
    assert!(predicted(&model, &rows).iter().all(|y| *y == 0.1));
    for class in [0.0, 1.0] {
        let rows: Vec<Row> = rows
            .iter()
            .map(|row| (class, row.1, row.2, row.3))
            .collect();
        let mut rows_of_class = collected(&rows, Objective::Logistic, 1_000);
        let model = rows_of_class.fit(&Options::default()).unwrap();
        assert!(
            predicted(&model, &rows)
                .iter()
                .all(|p| (p - class).abs() < 1e-14)
        );
    }
}

#[test]
fn probabilities_are_learnt() {
    // 1 in 4 below 50, 3 in 4 above
    let class = |i: usize, x: f64| {
        if i.is_multiple_of(4) == (x < 50.0) {
            1.0
        } else {
            0.0
        }
    };
    let rows: Vec<Row> = (0..2_000)
        .map(|i| (i, (i * 7919 % 1009) as f64 / 10.0))
        .map(|(i, x)| (class(i, x), 1.0, x, "pro"))
        .collect();
    let mut options = Options {
        leaves: 2,
        min_rows: Some(300.0),
        ..Options::default()
    };
    options.trees = 200;
    let model = collected(&rows, Objective::Logistic, 10_000)
        .fit(&options)
        .unwrap();
    for (row, p) in rows.iter().zip(predicted(&model, &rows)) {
        // a range of numbers may lie on both sides
        if (row.2 - 50.0).abs() < 1.0 {
            continue;
        }
        let want = if row.2 < 50.0 { 0.25 } else { 0.75 };
        assert!((p - want).abs() < 0.05, "{p} is not {want} at {}", row.2);
    }
}

#[test]
fn missing_and_unseen_values_have_a_path() {
    let rows = sample(2_000);
    let model = fitted(&rows, &Options::default());
    let predictor = Predictor::new(&model);
    let at = |x: Cell<'static>, plan: Cell<'static>| predictor.one([x, plan].into_iter());
    // NULL numbers had 90, and NULL plans are a category of their own
    assert!((at(Cell::Missing, Cell::Text("pro")) - 110.0).abs() < 3.0);
    assert!((at(Cell::Number(10.0), Cell::Missing) - 15.0).abs() < 3.0);
    assert!(at(Cell::Number(f64::NEG_INFINITY), Cell::Text("free")) < 5.0);
    let unseen = at(Cell::Number(10.0), Cell::Text("gold"));
    assert!((8.0..32.0).contains(&unseen), "{unseen}");
}

#[test]
fn models_come_back_from_their_bytes_and_damage_is_refused() {
    let model = fitted(
        &sample(500),
        &Options {
            trees: 3,
            ..Options::default()
        },
    );
    let bytes = model.to_bytes();
    assert_eq!(Model::from_bytes(&bytes).unwrap(), model);
    for at in (0..bytes.len()).step_by(7) {
        let mut changed = bytes.clone();
        changed[at] ^= 4;
        assert!(Model::from_bytes(&changed).is_err(), "byte {at}");
    }
}

#[test]
fn features_are_found_by_name() {
    let model = fitted(&sample(100), &Options::default());
    let given = |list: &[(&str, Option<Kind>)]| {
        model.places(
            &list
                .iter()
                .map(|(n, k)| (n.to_string(), *k))
                .collect::<Vec<_>>(),
        )
    };
    let (number, text) = (Some(Kind::Number), Some(Kind::Text));
    assert_eq!(
        given(&[("plan", text), ("y", number), ("x", number)]).unwrap(),
        [2, 0]
    );
    assert_eq!(given(&[("x", None), ("plan", text)]).unwrap(), [0, 1]);
    let told = |list: &[(&str, Option<Kind>)]| given(list).unwrap_err().to_string();
    assert_eq!(
        told(&[("x", number), ("Plan", text)]),
        "there is no feature 'plan' among x, Plan. Expected those that the model was fitted on: x, plan"
    );
    assert_eq!(
        told(&[("x", text), ("plan", text)]),
        "feature 'x' is a category. Expected a number, as in the rows that the model was fitted on"
    );
}

#[test]
fn rows_that_cannot_be_used_are_refused_by_value() {
    let told = |objective: Objective, target: f64, weight: f64| {
        let mut rows = Rows::new(objective, 10);
        rows.require(&columns()).unwrap();
        let refused = rows.observe(target, weight, [Cell::Missing, Cell::Missing].into_iter());
        refused.unwrap_err().to_string()
    };
    assert!(
        told(Objective::Squared, f64::INFINITY, 1.0)
            .starts_with("target is inf. Expected a finite")
    );
    assert!(told(Objective::Logistic, 0.5, 1.0).starts_with("target is 0.5. Expected 0 or 1"));
    assert!(told(Objective::Squared, 1.0, -2.0).starts_with("weight is -2. Expected 0, NULL"));
    assert!(told(Objective::Squared, 1.0, f64::NAN).starts_with("weight is NaN"));
    assert!(told(Objective::Squared, 1.0, 1e-30).starts_with("weight is "));
    let twice = [
        ("x".to_string(), Kind::Number),
        ("x".to_string(), Kind::Number),
    ];
    let refused = Rows::new(Objective::Squared, 10)
        .require(&twice)
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "two features are called 'x'. Expected a name for each"
    );
}

#[test]
fn no_rows_and_no_weight_teach_nothing() {
    let mut none = collected(&[], Objective::Squared, 10);
    assert!(none.fit(&Options::default()).is_none());
    let mut weightless = collected(&[(1.0, 0.0, 2.0, "pro")], Objective::Squared, 10);
    assert!(weightless.fit(&Options::default()).is_none());
}

#[test]
fn texts_of_rows_that_were_dropped_are_dropped() {
    let names: Vec<String> = (0..2_000).map(|i| format!("name {i}")).collect();
    let mut rows = Rows::new(Objective::Squared, 20);
    rows.require(&[("name".into(), Kind::Text)]).unwrap();
    for name in &names {
        rows.observe(1.0, 1.0, [Cell::Text(name)].into_iter())
            .unwrap();
    }
    let bytes = rows.to_bytes();
    assert_eq!(rows.len(), 20);
    assert!(
        bytes.len() < 20 * 40 && rows.heap_size() < 20_000,
        "{} {}",
        bytes.len(),
        rows.heap_size()
    );
}
