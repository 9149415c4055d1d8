//! What a reference of numbers fixes, and the distances of a chunk from it.
use super::super::reading::Status;
use super::super::values::ValueBins;
use super::bridge::Bridge;
use super::cells::Table;
use super::cumulative::{kolmogorov_smirnov, wasserstein};
use super::divergence::{Bounded, Divergence};
use super::homogeneity;
use super::kolmogorov;
use super::law::{Law, area_tail};
use super::metric::DriftMetric;
use super::partition::{Partition, deciles, doane, has_ties};
use super::quartiles::{Clipping, pieces};
use super::reference::Measured;
use super::sampling::{Known, cumulants};
use super::tied::Steps;

/// A reference so many times as large as a chunk tells the law of the area by itself.
const FEW_TIMES: u64 = 5;

/// The reference, and what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Numbers {
    pub values: ValueBins,
    /// Rows with a number, infinite ones included.
    pub rows: u64,
    pub histogram: Partition,
    /// Rows by range of the histogram.
    pub histogram_rows: Vec<u64>,
    pub deciles: Partition,
    pub decile_rows: Vec<u64>,
    /// Whether a number (a digest bin) holds a tenth of the rows.
    has_ties: bool,
    clipping: Option<Clipping>,
    bridge: Bridge,
    robust_bridge: Bridge,
}

impl Numbers {
    pub fn new(values: &ValueBins) -> Self {
        let (histogram, deciles) = (doane(values), deciles(values));
        let counts = |partition: &Partition| {
            let tallies = partition.tally(values);
            tallies.cells.iter().map(|cell| cell.sure).collect()
        };
        let clipping = Clipping::of(values);
        Self {
            rows: rows(values),
            histogram_rows: counts(&histogram),
            decile_rows: counts(&deciles),
            has_ties: has_ties(values),
            histogram,
            deciles,
            bridge: Bridge::of(pieces(values), values.rows()),
            robust_bridge: clipping.map_or_else(Bridge::default, |clipping| {
                Bridge::of(clipping.pieces(values), rows(values))
            }),
            clipping,
            values: values.clone(),
        }
    }

    /// Distance of a chunk from the reference; from the rest of it where the chunk is a `part` of the reference.
    pub fn measure(
        &self,
        chunk: &ValueBins,
        metric: DriftMetric,
        part: bool,
    ) -> Result<Measured, Status> {
        let used_count = rows(chunk);
        let reference = self.rows_compared(used_count, part)?;
        // the distance to the rest is N / (N - n) times that to the whole
        let stretch = self.rows as f64 / reference as f64;
        let sizes = (reference as f64, used_count as f64);
        let (distance, p_value) = match metric {
            DriftMetric::JensenShannon | DriftMetric::Hellinger | DriftMetric::Psi => {
                self.measure_cells(chunk, metric, part, sizes)
            }
            DriftMetric::KolmogorovSmirnov => {
                let whole = self.kolmogorov_smirnov(chunk, used_count);
                let distance = whole.map(|x| (x * stretch).min(1.0));
                let steps = Steps::of(&self.values, (!part).then_some(chunk));
                let sizes = (reference, used_count);
                let x = kolmogorov::standardized(distance.value, sizes, steps.open_share());
                (distance, steps.upper_tail(x))
            }
            DriftMetric::Wasserstein | DriftMetric::WassersteinRobust => {
                let robust = metric == DriftMetric::WassersteinRobust;
                let whole = self.wasserstein(chunk, used_count, robust)?;
                let distance = whole.map(|x| x * stretch);
                let x = distance.value / (1.0 / sizes.0 + 1.0 / sizes.1).sqrt();
                (
                    distance,
                    area_tail(&self.pooled_bridge(chunk, robust, part), x),
                )
            }
            DriftMetric::LInfinity | DriftMetric::Chi2 => return Err(Status::InsufficientData),
        };
        Ok(Measured {
            distance,
            p_value: Some(p_value),
            used_count,
        })
    }

    /// Rows of the reference, or of the rest of it, that a chunk is compared with.
    fn rows_compared(&self, chunk: u64, part: bool) -> Result<u64, Status> {
        match self.rows.saturating_sub(if part { chunk } else { 0 }) {
            _ if self.rows == 0 => Err(Status::NoReference),
            _ if chunk == 0 => Err(Status::InsufficientData),
            0 => Err(Status::ReferenceUndefined),
            rows => Ok(rows),
        }
    }

    /// A distance over ranges, and its p-value.
    fn measure_cells(
        &self,
        chunk: &ValueBins,
        metric: DriftMetric,
        part: bool,
        sizes: (f64, f64),
    ) -> (Bounded, f64) {
        let ordered = self.ordered_table(chunk, metric, part);
        // ranges of tied numbers were chosen by the reference's counts, which would favour a difference
        let p_value = if metric == DriftMetric::Psi && self.has_ties {
            let other = self.ordered_table(chunk, DriftMetric::JensenShannon, part);
            homogeneity::p_value(other.counts(), sizes)
        } else {
            homogeneity::p_value(ordered.counts(), sizes)
        };
        let table = match metric {
            DriftMetric::Psi => ordered,
            _ => ordered.ends_as_one(),
        };
        (self.divergence(metric).of(&table), p_value)
    }

    /// The law of the distance of `chunk` rows from `against` rows of a reference like this one.
    pub fn law(&self, metric: DriftMetric, chunk: u64, against: u64) -> Option<Law> {
        let rows = (against as f64, chunk as f64);
        let base = 1.0 / rows.0 + 1.0 / rows.1;
        if chunk == 0 || against == 0 || !metric.applies_to_continuous() {
            return None;
        }
        Some(match metric {
            DriftMetric::KolmogorovSmirnov => Law::Kolmogorov { base },
            DriftMetric::Wasserstein => Law::Area {
                bridge: self.bridge,
                base,
            },
            DriftMetric::WassersteinRobust => Law::Area {
                bridge: self.robust_bridge.in_units_of(self.unit()),
                base,
            },
            _ => {
                let divergence = self.divergence(metric);
                let still = cumulants(divergence, self.known(metric, rows.0), rows);
                Law::Sum {
                    divergence,
                    still,
                    curvature: divergence.curvature(rows),
                    base,
                }
            }
        })
    }

    /// What the reference says about each cell, if it had `rows` rows.
    fn known(&self, metric: DriftMetric, rows: f64) -> impl Iterator<Item = Known> + '_ {
        let scale = rows / self.rows as f64;
        let (counts, ends) = match metric {
            DriftMetric::Psi => (self.decile_rows.as_slice(), None),
            _ => match self.histogram_rows.as_slice() {
                [first, inside @ .., last] => (inside, Some(first + last)),
                other => (other, None),
            },
        };
        let inside = counts.iter().map(move |&count| (count as f64, 0.5));
        let outside = ends.map(|count| (count as f64, self.rows_beyond()));
        inside.chain(outside).map(move |(count, more)| Known {
            rows: count * scale,
            shape: count * scale + more,
        })
    }

    /// Rows that as large a sample is expected to have beyond the range of the reference: one at each end where
    /// the end is a single row, else next to none.
    fn rows_beyond(&self) -> f64 {
        let bins = &self.values.bins;
        let ends = [bins.first(), bins.last()].into_iter().flatten();
        let single = ends.filter(|bin| bin.count == 1).count();
        (single as f64).max(0.5)
    }

    pub fn divergence(&self, metric: DriftMetric) -> Divergence {
        match metric {
            DriftMetric::Hellinger => Divergence::Hellinger,
            DriftMetric::Psi => Divergence::Psi {
                cells: self.decile_rows.len(),
            },
            _ => Divergence::JensenShannon,
        }
    }

    /// Rows of both sides by the cells of a metric. What lies beyond the histogram is one cell, the last.
    pub fn table(&self, chunk: &ValueBins, metric: DriftMetric, part: bool) -> Table {
        let table = self.ordered_table(chunk, metric, part);
        match metric {
            DriftMetric::Psi => table,
            _ => table.ends_as_one(),
        }
    }

    pub fn ordered_table(&self, chunk: &ValueBins, metric: DriftMetric, part: bool) -> Table {
        let (partition, counts) = match metric {
            DriftMetric::Psi => (&self.deciles, &self.decile_rows),
            _ => (&self.histogram, &self.histogram_rows),
        };
        let table = Table::of_ranges(counts, &partition.tally(chunk), rows(chunk));
        if part { table.leave_out() } else { table }
    }

    fn kolmogorov_smirnov(&self, chunk: &ValueBins, chunk_rows: u64) -> Bounded {
        kolmogorov_smirnov(
            &self.values.bins,
            &chunk.bins,
            (self.values.negative_infinities, chunk.negative_infinities),
            (self.rows, chunk_rows),
        )
    }

    fn wasserstein(
        &self,
        chunk: &ValueBins,
        chunk_rows: u64,
        robust: bool,
    ) -> Result<Bounded, Status> {
        let rows = (self.rows, chunk_rows);
        if robust {
            let clipping = self.clipping.ok_or(Status::ReferenceUndefined)?;
            let (reference, chunk) = (clipping.pieces(&self.values), clipping.pieces(chunk));
            let area = wasserstein(reference, chunk, rows).ok_or(Status::InfiniteValue)?;
            return Ok(area.map(|x| x / clipping.unit));
        }
        let finite = |side: &ValueBins, rows: u64| side.rows() == rows;
        if !(finite(&self.values, self.rows) && finite(chunk, chunk_rows)) {
            return Err(Status::InfiniteValue);
        }
        wasserstein(pieces(&self.values), pieces(chunk), rows).ok_or(Status::InfiniteValue)
    }

    /// The law of the area, by the rows of both samples; a part is in the reference already.
    fn pooled_bridge(&self, chunk: &ValueBins, robust: bool, part: bool) -> Bridge {
        let whole = if robust {
            self.robust_bridge
        } else {
            self.bridge
        };
        let both = self.rows + rows(chunk);
        let bridge = match self.clipping {
            // few rows add nothing to what the reference says; those of a part are in it
            _ if part || FEW_TIMES * rows(chunk) <= self.rows => whole,
            Some(clipping) if robust => {
                Bridge::of_both(clipping.pieces(&self.values), clipping.pieces(chunk), both)
            }
            _ => Bridge::of_both(pieces(&self.values), pieces(chunk), both),
        };
        if robust {
            bridge.in_units_of(self.unit())
        } else {
            bridge
        }
    }

    fn unit(&self) -> f64 {
        self.clipping.map_or(1.0, |clipping| clipping.unit)
    }
}

/// Rows with a number, infinite ones included.
pub(super) fn rows(values: &ValueBins) -> u64 {
    values.rows() + values.negative_infinities + values.positive_infinities
}
