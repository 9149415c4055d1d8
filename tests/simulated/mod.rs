//! Simulated rows and the profiles made of them, for tests and benches of the statistics.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use modelwatch::kernel::bins::{Cell, Class, ScoreBin, ScoreBins};

/// Deterministic random numbers: splitmix64 (Steele, Lea and Flood 2014).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    /// Uniform in `0..count`.
    pub fn below(&mut self, count: u64) -> u64 {
        (self.uniform() * count as f64) as u64
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let (radius, angle) = (self.uniform(), self.uniform());
        (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }
}

/// One row of a prediction table; labels and predictions may be unknown.
#[derive(Debug, Clone, Copy)]
pub struct Row {
    pub score: f64,
    pub prediction: Class,
    pub label: Class,
}

pub fn class(positive: bool) -> Class {
    if positive {
        Class::Positive
    } else {
        Class::Negative
    }
}

/// Profile of the rows with at most `max_bins` bins: as many low bits of the order-preserving key
/// of the score are dropped as it takes.
pub fn profile(rows: &[Row], max_bins: usize) -> ScoreBins {
    let mut sorted = rows.to_vec();
    sorted.sort_by(|a, b| a.score.total_cmp(&b.score));
    let level = (0..64)
        .find(|&level| {
            let mut keys: Vec<u64> = sorted.iter().map(|r| key(r.score) >> level).collect();
            keys.dedup();
            keys.len() <= max_bins
        })
        .unwrap();
    let mut bins: Vec<(u64, ScoreBin)> = Vec::new();
    for row in sorted {
        let at = key(row.score) >> level;
        if bins.last().is_none_or(|last| last.0 != at) {
            let bin = ScoreBin {
                lower: unkey(at << level),
                upper: unkey((at << level) | ((1 << level) - 1)),
                ..ScoreBin::default()
            };
            bins.push((at, bin));
        }
        let bin = &mut bins.last_mut().unwrap().1;
        let cell = &mut bin.cells[row.prediction as usize][row.label as usize];
        *cell = Cell {
            count: cell.count + 1,
            sum: cell.sum + row.score,
        };
    }
    ScoreBins {
        bins: bins.into_iter().map(|(_, bin)| bin).collect(),
        sums_exact: level <= 52,
        ..ScoreBins::default()
    }
}

fn key(score: f64) -> u64 {
    let bits = score.to_bits();
    if bits >> 63 == 0 {
        bits | 1 << 63
    } else {
        !bits
    }
}

fn unkey(key: u64) -> f64 {
    let score = if key >> 63 == 1 {
        f64::from_bits(key & !(1 << 63))
    } else {
        f64::from_bits(!key)
    };
    // the last bin of a coarse level reaches beyond the numbers
    if score.is_nan() {
        f64::MAX.copysign(score)
    } else {
        score.clamp(-f64::MAX, f64::MAX)
    }
}
