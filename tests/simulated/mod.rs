//! Simulated rows and the profiles made of them, for tests and benches of the statistics.
#![allow(dead_code, reason = "each test and bench uses its own part")]
use modelwatch::kernel::bins::{Class, ScoreBins};
use modelwatch::kernel::digest::DigestLimits;
use modelwatch::kernel::score_profile::ScoreProfile;

pub mod tally;

/// Bins for every distinct score of a simulated table.
pub const EXACT: u32 = DigestLimits::MOST_BINS;

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

/// Profile of the rows with at most `max_bins` bins, as statistics read it.
pub fn profile(rows: &[Row], max_bins: u32) -> ScoreBins {
    let mut profile = ScoreProfile::new(DigestLimits {
        max_bins,
        min_level: 0,
    });
    for row in rows {
        profile.observe(3 * row.prediction as u8 + row.label as u8, Some(row.score));
    }
    profile.bins()
}
