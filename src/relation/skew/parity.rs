//! The same entity and time in training and serving: do the columns agree?
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{JoinType, Result, ScalarValue, plan_err};
use datafusion::functions::expr_fn::{coalesce, concat, concat_ws, greatest};
use datafusion::functions::math::expr_fn::abs;
use datafusion::functions_aggregate::expr_fn::{count, first_value, min, sum};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, Operator, binary_expr, cast, lit, when,
};

use super::super::arguments::Call;
use super::super::by::{comparable_types, named_expressions};
use super::super::columns::ColumnKind;
use super::super::roles::{column, column_names};
use super::super::session_functions::scalar;
use super::columns::SkewColumn;
use super::findings::Found;
use super::handling::WITHOUT_SERVING;
use super::sides::{Relation, type_of};
use super::summary::{Report, Task, rows_with};
use crate::kernel::skew::SkewCheck;
use crate::suggest::expected_one_of;

/// Numbers are equal up to this part of the larger one, which single precision keeps.
const SAME: f64 = 1e-6;

/// A key of both relations, as text where it is told.
struct Key {
    names: Vec<String>,
    sides: [Vec<Expr>; 2],
}

/// Adds `key_parity` of each column and `duplicate_key` of both relations.
pub fn add(call: &mut Call, task: &Task, report: &mut Report) -> Result<()> {
    let checks = [SkewCheck::KeyParity, SkewCheck::DuplicateKey];
    let serving = task.sides.of("serving").zip(task.sides.position("serving"));
    let why = match (call.sql("key"), &serving) {
        (None, _) => Some("No key is given."),
        (_, None) => Some(WITHOUT_SERVING),
        _ => None,
    };
    if let Some(why) = why {
        return checks
            .into_iter()
            .try_for_each(|check| report.rows.not_run(check, task.asked, why));
    }
    let (Some(training), Some((serving, position))) = (task.sides.all.first(), serving) else {
        return Ok(());
    };
    let key = key(call, [training, serving])?;
    if !task.asked.wants_any(&checks) {
        return Ok(());
    }
    let features: Vec<(&SkewColumn, [Expr; 2])> = task
        .columns
        .iter()
        .filter_map(|feature| Some((feature, feature.comparable(0, position)?)))
        .collect();
    let plan = pairs([training, serving], &key, &features)?
        .project(compared(&key, &features))?
        .aggregate(Vec::<Expr>::new(), totals(&features)?)?
        .build()?;
    let found = found(call, task, &features, &key)?;
    report.rows.add(plan, found)
}

/// The keys of both relations side by side, those of one alone too.
fn pairs(
    [training, serving]: [&Relation; 2],
    key: &Key,
    features: &[(&SkewColumn, [Expr; 2])],
) -> Result<LogicalPlanBuilder> {
    let of = |side: usize| {
        features
            .iter()
            .filter_map(move |(_, both)| both.get(side).cloned())
    };
    let [left, right] = key.sides.clone();
    let left = one_row_each(training, 0, left, of(0).collect())?;
    let right = one_row_each(serving, 1, right, of(1).collect())?;
    let same_key =
        (0..key.names.len()).map(|i| column(&named("key", 0, i)).eq(column(&named("key", 1, i))));
    LogicalPlanBuilder::from(left).join_on(right, JoinType::Full, same_key)
}

fn named(what: &str, side: usize, i: usize) -> String {
    format!("__{what}_{side}_{i}")
}

/// The columns of `key`, of types that can be compared.
fn key(call: &mut Call, relations: [&Relation; 2]) -> Result<Key> {
    let function = call.function();
    let mut key = Key {
        names: vec![],
        sides: [vec![], vec![]],
    };
    for (name, sql) in named_expressions(call, "key")? {
        let mut types = vec![];
        for (relation, exprs) in relations.iter().zip(&mut key.sides) {
            let schema = relation.side.schema();
            let names = column_names(schema);
            let Ok(expr) = call.resolve("key", sql.clone(), schema) else {
                return plan_err!(
                    "{function}: argument 'key': {} has no column '{name}'. {}",
                    relation.side.dataset,
                    expected_one_of(&name, &names)
                );
            };
            types.push(type_of(&expr, &relation.side)?);
            exprs.push(expr);
        }
        if let [a, b] = types.as_slice()
            && !comparable_types(a, b)
        {
            return plan_err!(
                "{function}: argument 'key': '{name}' has type {a} in training and {b} in serving. Expected one type. \
                 Hint: serving => (SELECT CAST({name} AS ...) AS {name}, ... FROM ...)"
            );
        }
        key.names.push(name);
    }
    match key.names.is_empty() {
        true => plan_err!(
            "{function}: argument 'key' is empty. Expected columns. Hint: key => [customer, day]"
        ),
        false => Ok(key),
    }
}

/// A row for each key, with the number of rows that it stands in and the values of one of them.
fn one_row_each(
    relation: &Relation,
    side: usize,
    key: Vec<Expr>,
    values: Vec<Expr>,
) -> Result<LogicalPlan> {
    let keys = key.into_iter().enumerate();
    let keys: Vec<Expr> = keys
        .map(|(i, expr)| expr.alias(named("key", side, i)))
        .collect();
    let inputs = values.into_iter().enumerate();
    let inputs: Vec<Expr> = inputs
        .map(|(i, expr)| expr.alias(named("value", side, i)))
        .collect();
    let known = (0..keys.len()).map(|i| column(&named("key", side, i)).is_not_null());
    let known = known.reduce(Expr::and).unwrap_or_else(|| lit(true));
    let of_group: Vec<Expr> = (0..inputs.len())
        .map(|i| {
            let name = named("value", side, i);
            // where a key stands once, the first row is the only one; others are not read
            first_value(column(&name), vec![]).alias(name)
        })
        .chain([count(lit(1i64)).alias(named("rows", side, 0))])
        .collect();
    let group: Vec<Expr> = (0..keys.len())
        .map(|i| column(&named("key", side, i)))
        .collect();
    let rows = rows_with(
        &relation.side.input,
        keys.into_iter().chain(inputs).collect(),
    )?;
    LogicalPlanBuilder::from(rows)
        .filter(known)?
        .aggregate(group, of_group)?
        .build()
}

/// Whether two values differ; NULL equals NULL, and numbers are equal where they nearly are.
fn differ(feature: &SkewColumn, a: Expr, b: Expr) -> Expr {
    let apart = binary_expr(a.clone(), Operator::IsDistinctFrom, b.clone());
    match feature.kind {
        ColumnKind::Continuous => {
            let larger = greatest(vec![abs(a.clone()), abs(b.clone())]);
            apart.and(abs(a - b).lt_eq(lit(SAME) * larger).is_not_true())
        }
        _ => apart,
    }
}

/// Names of the totals of keys.
const KEYS: [&str; 7] = [
    "__pairs",
    "__twice_0",
    "__all_0",
    "__twice_1",
    "__all_1",
    "__first_0",
    "__first_1",
];

/// Of each pair: the key as text on both sides, whether it stands once on both, and which columns differ.
fn compared(key: &Key, features: &[(&SkewColumn, [Expr; 2])]) -> Vec<Expr> {
    let rows = |side: usize| column(&named("rows", side, 0));
    let text = |side: usize| {
        let parts =
            (0..key.names.len()).map(|i| cast(column(&named("key", side, i)), DataType::Utf8));
        concat_ws(lit(", "), parts.collect()).alias(named("text", side, 0))
    };
    let paired = rows(0).eq(lit(1i64)).and(rows(1).eq(lit(1i64)));
    let mut compared = vec![
        text(0),
        text(1),
        rows(0).alias(named("count", 0, 0)),
        rows(1).alias(named("count", 1, 0)),
        paired.clone().alias("__paired"),
    ];
    for (i, (feature, _)) in features.iter().enumerate() {
        let [a, b] = [0, 1].map(|side| column(&named("value", side, i)));
        let differs = paired.clone().and(differ(feature, a.clone(), b.clone()));
        compared.extend([
            differs.alias(named("differs", 0, i)),
            a.alias(named("value", 0, i)),
            b.alias(named("value", 1, i)),
        ]);
    }
    compared
}

/// Pairs of rows, mismatches of each column with an example, and rows of keys that stand in several.
fn totals(features: &[(&SkewColumn, [Expr; 2])]) -> Result<Vec<Expr>> {
    let of = |what: &str, side: usize| column(&named(what, side, 0));
    let [pairs, twice_0, all_0, twice_1, all_1, first_0, first_1] = KEYS;
    let one = |condition: Expr| -> Result<Expr> { Ok(count(when(condition, lit(1i64)).end()?)) };
    let mut totals = vec![one(column("__paired"))?.alias(pairs)];
    for (side, twice, all, first) in [(0, twice_0, all_0, first_0), (1, twice_1, all_1, first_1)] {
        let several = of("count", side).gt(lit(1i64));
        totals.push(sum(when(several.clone(), of("count", side)).end()?).alias(twice));
        totals.push(sum(of("count", side)).alias(all));
        totals.push(min(when(several, of("text", side)).end()?).alias(first));
    }
    for (i, (feature, _)) in features.iter().enumerate() {
        let is_number = feature.kind == ColumnKind::Continuous;
        let differs = column(&named("differs", 0, i));
        let told = |side: usize| -> Result<Expr> {
            let text = cast(column(&named("value", side, i)), DataType::Utf8);
            let text = match is_number {
                true => text,
                // spaces at an end are seen between quotes only
                false => concat_ws(lit(""), vec![lit("'"), text, lit("'")]),
            };
            let is_known = column(&named("value", side, i)).is_not_null();
            when(is_known, text).otherwise(lit("NULL"))
        };
        let example = concat(vec![
            of("text", 0),
            lit(" has "),
            told(0)?,
            lit(" in training and "),
            told(1)?,
            lit(" in serving"),
        ]);
        totals.push(one(differs.clone())?.alias(named("mismatch", 0, i)));
        totals.push(min(when(differs, example).end()?).alias(named("example", 0, i)));
    }
    Ok(totals)
}

fn found(
    call: &Call,
    task: &Task,
    features: &[(&SkewColumn, [Expr; 2])],
    key: &Key,
) -> Result<Vec<Found>> {
    let reading = |check: SkewCheck, count: Expr, rows: Expr, example: Expr| {
        let unknown = || lit(ScalarValue::Int64(None));
        let min_effect = task.asked.min_effect();
        let arguments = vec![
            lit(check.name()),
            count,
            rows,
            unknown(),
            unknown(),
            example,
            min_effect,
        ];
        scalar(call, "share_skew", arguments)
    };
    let mut found = vec![];
    for (i, (feature, _)) in features.iter().enumerate() {
        let [mismatch, example] = ["mismatch", "example"].map(|what| column(&named(what, 0, i)));
        let readings = reading(SkewCheck::KeyParity, mismatch, column("__pairs"), example)?;
        found.push(Found::of(&feature.name, readings));
    }
    let of = |what: &str, side: usize| column(&format!("__{what}_{side}"));
    let both = |what: &str| {
        let rows = |side| coalesce(vec![of(what, side), lit(0i64)]);
        rows(0) + rows(1)
    };
    let example = |side: usize, dataset: &str| {
        let text = concat(vec![of("first", side), lit([" in ", dataset].concat())]);
        when(of("first", side).is_not_null(), text).end()
    };
    let example = coalesce(vec![example(0, "training")?, example(1, "serving")?]);
    let readings = reading(SkewCheck::DuplicateKey, both("twice"), both("all"), example)?;
    found.push(Found::of(&key.names.join(", "), readings));
    Ok(found)
}
