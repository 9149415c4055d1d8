//! Splits of a simulated table for training-serving skew, and a session that holds them.
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use datafusion::datasource::MemTable;
use datafusion::prelude::{SessionConfig, SessionContext};
use modelwatch::options::MonitorOptions;

use super::simulated::Random;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
/// 2024-01-01.
const START: i64 = 19_723 * DAY;

/// One row of the table: eleven features of every kind, a key, a time, a label and the model's score.
struct Customer {
    id: i64,
    time: i64,
    seen_at: i64,
    age: i64,
    income: f64,
    balance: Option<f64>,
    ratio: f64,
    tenure: i64,
    temperature: f64,
    weight: f64,
    country: &'static str,
    plan: &'static str,
    code: String,
    is_member: bool,
    label: i64,
    score: f64,
}

fn one_of(random: &mut Random, shares: &[(&'static str, f64)]) -> &'static str {
    let mut rest = random.uniform();
    for (name, share) in shares {
        if rest < *share {
            return name;
        }
        rest -= share;
    }
    shares.last().map_or("", |(name, _)| name)
}

impl Customer {
    fn draw(random: &mut Random, id: i64) -> Self {
        let age = 18 + random.below(60) as i64;
        let ratio = random.uniform();
        let risk = 1.6 * random.normal() + (ratio - 0.5) + (f64::from(age as i32) - 48.0) / 40.0;
        let score = 1.0 / (1.0 + (-risk).exp());
        let hours = 13.0 + 3.0 * random.normal();
        let time =
            START + random.below(28) as i64 * DAY + (hours.clamp(0.0, 23.9) * HOUR as f64) as i64;
        let countries = [
            ("BE", 0.4),
            ("NL", 0.3),
            ("FR", 0.2),
            ("DE", 0.09),
            ("IE", 0.01),
        ];
        Self {
            id,
            time,
            seen_at: time - 1 - (random.uniform() * 2.0 * HOUR as f64) as i64,
            age,
            income: (1800.0 * (0.5 * random.normal()).exp() * 100.0).round() / 100.0,
            balance: (!random.chance(0.06)).then(|| 300.0 + 200.0 * random.normal()),
            ratio,
            // those who are older have been here longer
            tenure: (age - 18) / 4 + random.below(3) as i64,
            temperature: 18.0 + 6.0 * random.normal(),
            weight: 80.0 + 15.0 * random.normal(),
            country: one_of(random, &countries),
            plan: one_of(random, &[("basic", 0.6), ("plus", 0.3), ("pro", 0.1)]),
            code: (100 + random.below(40)).to_string(),
            is_member: random.chance(0.3),
            label: i64::from(random.chance(score)),
            score,
        }
    }
}

/// `rows` rows of the population with ids from `first` on.
fn split(random: &mut Random, first: i64, rows: usize) -> RecordBatch {
    let ids = first..first + rows as i64;
    let drawn: Vec<Customer> = ids.map(|id| Customer::draw(random, id)).collect();
    fn column<'a, T, A: FromIterator<T>>(
        of: &'a [Customer],
        read: impl Fn(&'a Customer) -> T,
    ) -> A {
        of.iter().map(read).collect()
    }
    let whole = |read: fn(&Customer) -> i64| -> ArrayRef {
        Arc::new(column::<_, Int64Array>(&drawn, |row| Some(read(row))))
    };
    let number = |read: fn(&Customer) -> Option<f64>| -> ArrayRef {
        Arc::new(column::<_, Float64Array>(&drawn, read))
    };
    let text = |read: fn(&Customer) -> &str| -> ArrayRef {
        Arc::new(column::<_, StringArray>(&drawn, |row| Some(read(row))))
    };
    let instant = |read: fn(&Customer) -> i64| -> ArrayRef {
        Arc::new(column::<_, TimestampMicrosecondArray>(&drawn, |row| {
            Some(read(row))
        }))
    };
    let members: BooleanArray = column(&drawn, |row| Some(row.is_member));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", whole(|row| row.id)),
        ("timestamp", instant(|row| row.time)),
        ("seen_at", instant(|row| row.seen_at)),
        ("age", whole(|row| row.age)),
        ("income", number(|row| Some(row.income))),
        ("balance", number(|row| row.balance)),
        ("ratio", number(|row| Some(row.ratio))),
        ("tenure", whole(|row| row.tenure)),
        ("temperature", number(|row| Some(row.temperature))),
        ("weight", number(|row| Some(row.weight))),
        ("country", text(|row| row.country)),
        ("plan", text(|row| row.plan)),
        ("code", text(|row| &row.code)),
        ("is_member", Arc::new(members)),
        ("y_true", whole(|row| row.label)),
        ("y_pred_proba", number(|row| Some(row.score))),
    ];
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, of)| (name, of, true)))
        .expect("columns of one length")
}

/// A session with `training` and `serving` of so many rows each, and `test` of half as many: one population, no skew.
pub fn clean_splits(seed: u64, rows: usize) -> SessionContext {
    let mut random = Random(seed);
    let config = SessionConfig::new()
        .with_target_partitions(1)
        .with_option_extension(MonitorOptions::default());
    let ctx = SessionContext::new_with_config(config);
    modelwatch::register_all(&ctx).expect("registered");
    let mut first = 0;
    for (name, rows) in [("training", rows), ("test", rows / 2), ("serving", rows)] {
        let batch = split(&mut random, first, rows);
        first += rows as i64;
        let table = MemTable::try_new(batch.schema(), vec![vec![batch]]).expect("a table");
        ctx.register_table(name, Arc::new(table))
            .expect("registered");
    }
    ctx
}

/// The call on clean splits, with every check that the table allows.
pub const CALL: &str =
    "training_serving_skew(training, test, serving, key => id, feature_timestamps => seen_at";

/// Check, column and evidence of each finding of a call.
pub async fn findings(ctx: &SessionContext, call: &str) -> Vec<(String, Option<String>, String)> {
    told(ctx, call, "finding").await
}

/// The same of rows of a status.
pub async fn told(
    ctx: &SessionContext,
    call: &str,
    status: &str,
) -> Vec<(String, Option<String>, String)> {
    let sql = format!(
        "SELECT check_name, column_name, evidence FROM {call}) WHERE status = '{status}' ORDER BY check_name, column_name"
    );
    let batches = ctx
        .sql(&sql)
        .await
        .expect(&sql)
        .collect()
        .await
        .expect(&sql);
    let mut found = vec![];
    for batch in &batches {
        let text = |column: usize, row: usize| {
            use datafusion::arrow::array::{Array, AsArray};
            let column = batch.column(column).as_string::<i32>();
            column.is_valid(row).then(|| column.value(row).to_owned())
        };
        for row in 0..batch.num_rows() {
            let told = |column| text(column, row).unwrap_or_default();
            found.push((told(0), text(1, row), told(2)));
        }
    }
    found
}
