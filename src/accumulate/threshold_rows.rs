//! Values of a metric on reference chunks, kept until limits are learnt from them together.
use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Float64Array, Int64Array, StringArray,
};
use datafusion::arrow::datatypes::{Float64Type, Int64Type};
use datafusion::common::{Result, exec_err};

use super::{Arguments, Summary};
use crate::kernel::KernelError;
use crate::kernel::codec::{Reader, Writer};
use crate::kernel::limits::ChunkPoint;

const MAGIC: [u8; 4] = *b"MWTR";
const LAYOUT: u8 = 2;

/// A metric on one reference chunk.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReferenceValue {
    /// `chunk_index`; values are used in its order, so that sums do not depend on arrival.
    pub index: Option<i64>,
    /// The value that limits are for.
    pub judged: ChunkPoint,
    /// The realized value, for limits that are defined on it.
    pub realized: Option<f64>,
    /// Which season the chunk is in.
    pub season: Option<i64>,
}

impl ReferenceValue {
    /// What limits are learnt from: the value judged, or the realized value as it stands.
    pub fn judged_by(&self, realized: bool) -> ChunkPoint {
        match realized {
            true => ChunkPoint {
                value: self.realized,
                used_count: self.judged.used_count.max(1),
                ..ChunkPoint::default()
            },
            false => self.judged,
        }
    }
}

/// The values of the rows that belong to the reference, and the metric's name.
#[derive(Debug, Default)]
pub struct ThresholdRows {
    /// Name of the metric, the same for all rows.
    pub metric: Option<String>,
    /// Whether a reference chunk was dealt from rows without an order.
    pub dealt: bool,
    values: Vec<ReferenceValue>,
}

/// The columns of a batch.
#[derive(Debug)]
pub struct ThresholdColumns {
    metric: StringArray,
    value: Float64Array,
    sampling_error: Float64Array,
    used_count: Int64Array,
    realized: Float64Array,
    index: Int64Array,
    is_reference: BooleanArray,
    dealt: Option<BooleanArray>,
    season: Option<Int64Array>,
}

impl ThresholdRows {
    /// The values in the order of their chunks.
    pub fn values(&mut self) -> &[ReferenceValue] {
        let number = |x: Option<f64>| x.map(f64::to_bits);
        self.values.sort_by_key(|value| {
            let ChunkPoint {
                value: judged,
                sampling_error,
                used_count,
            } = value.judged;
            (
                value.index,
                number(judged),
                number(sampling_error),
                used_count,
                number(value.realized),
                value.season,
            )
        });
        &self.values
    }

    fn read_state(&mut self, state: &[u8]) -> Result<(), KernelError> {
        let mut r = Reader::new(state, MAGIC, LAYOUT, "state of fit_threshold")?;
        let metric = String::from_utf8_lossy(r.bytes()?).into_owned();
        if !metric.is_empty() {
            self.metric = Some(metric);
        }
        self.dealt |= r.uint()? == 1;
        for _ in 0..r.length(11)? {
            let [index, season] = [(r.uint()? == 1, r.int()?), (r.uint()? == 1, r.int()?)];
            let used_count = r.uint()?;
            let [value, sampling_error, realized] = [r.float()?, r.float()?, r.float()?];
            let known = |x: f64| (!x.is_nan()).then_some(x);
            self.values.push(ReferenceValue {
                index: index.0.then_some(index.1),
                judged: ChunkPoint {
                    value: known(value),
                    sampling_error: known(sampling_error),
                    used_count,
                },
                realized: known(realized),
                season: season.0.then_some(season.1),
            });
        }
        r.finish()
    }
}

impl Summary for ThresholdRows {
    type Columns = ThresholdColumns;

    /// `values` are two constants, then the columns.
    fn columns(arguments: &Arguments, values: &[ArrayRef]) -> Result<ThresholdColumns> {
        let [
            _,
            _,
            metric,
            value,
            sampling_error,
            used_count,
            realized,
            index,
            is_reference,
            rest @ ..,
        ] = values
        else {
            return exec_err!("{}: expected at least nine arguments", arguments.function);
        };
        Ok(ThresholdColumns {
            metric: metric.as_string::<i32>().clone(),
            value: value.as_primitive::<Float64Type>().clone(),
            sampling_error: sampling_error.as_primitive::<Float64Type>().clone(),
            used_count: used_count.as_primitive::<Int64Type>().clone(),
            realized: realized.as_primitive::<Float64Type>().clone(),
            index: index.as_primitive::<Int64Type>().clone(),
            is_reference: is_reference.as_boolean().clone(),
            dealt: rest.first().map(|dealt| dealt.as_boolean().clone()),
            // after the scale, which is a constant
            season: rest
                .get(2)
                .map(|season| season.as_primitive::<Int64Type>().clone()),
        })
    }

    fn observe(&mut self, columns: &ThresholdColumns, row: usize) -> Result<()> {
        if self.metric.is_none() && columns.metric.is_valid(row) {
            self.metric = Some(columns.metric.value(row).to_string());
        }
        if !(columns.is_reference.is_valid(row) && columns.is_reference.value(row)) {
            return Ok(());
        }
        let dealt = columns.dealt.as_ref();
        self.dealt |= dealt.is_some_and(|dealt| dealt.is_valid(row) && dealt.value(row));
        let number = |column: &Float64Array| column.is_valid(row).then(|| column.value(row));
        let used = columns
            .used_count
            .is_valid(row)
            .then(|| columns.used_count.value(row));
        self.values.push(ReferenceValue {
            index: columns
                .index
                .is_valid(row)
                .then(|| columns.index.value(row)),
            judged: ChunkPoint {
                value: number(&columns.value),
                sampling_error: number(&columns.sampling_error),
                used_count: used.and_then(|n| u64::try_from(n).ok()).unwrap_or(0),
            },
            realized: number(&columns.realized),
            season: columns
                .season
                .as_ref()
                .and_then(|season| season.is_valid(row).then(|| season.value(row))),
        });
        Ok(())
    }

    fn merge_state(&mut self, state: &[u8]) -> Result<()> {
        Ok(self.read_state(state)?)
    }

    fn state(&mut self) -> Vec<u8> {
        let mut w = Writer::new(MAGIC, LAYOUT);
        w.bytes(self.metric.as_deref().unwrap_or_default().as_bytes());
        w.uint(u64::from(self.dealt));
        let values = self.values();
        w.uint(values.len() as u64);
        for value in values {
            for whole in [value.index, value.season] {
                w.uint(u64::from(whole.is_some()));
                w.int(whole.unwrap_or(0));
            }
            w.uint(value.judged.used_count);
            for number in [
                value.judged.value,
                value.judged.sampling_error,
                value.realized,
            ] {
                w.float(number.unwrap_or(f64::NAN));
            }
        }
        w.finish()
    }

    fn heap_size(&self) -> usize {
        self.values.capacity() * size_of::<ReferenceValue>()
            + self.metric.as_ref().map_or(0, String::capacity)
    }
}
