//! The law of the area between two empirical distribution functions, from its moments.
use super::cumulative::Piece;
use std::f64::consts::{FRAC_2_PI, FRAC_PI_2};

/// Nodes of the covariance; they are as close in the tails as the distribution function is certain there.
const NODES: usize = 64;

/// `integral |B(F(x))| dx` for the Brownian bridge `B`: the area between two samples of one distribution, times
/// `1 / sqrt(1 / n + 1 / N)`, follows it as both grow.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Bridge {
    pub mean: f64,
    pub variance: f64,
}

impl Bridge {
    /// The moments where `F` is the distribution of these rows.
    ///
    /// With `r` the correlation of two normal numbers, `E |X Y| = 2 / pi (r asin r + sqrt(1 - r^2)) sd_X sd_Y`.
    ///
    /// * Source: S. Nabeya (1951), Ann. Inst. Statist. Math. 3, 2-6.
    pub fn of(pieces: impl Iterator<Item = Piece>, rows: u64) -> Self {
        let nodes = nodes(pieces, rows as f64);
        let mean: f64 = nodes.iter().map(|node| node.weight).sum();
        let mut square = 0.0;
        for (i, a) in nodes.iter().enumerate() {
            square += a.weight * a.weight * FRAC_PI_2;
            for b in nodes.iter().skip(i + 1) {
                // bridges at s < t: covariance s (1 - t)
                let r = (a.odds / b.odds).sqrt().min(1.0);
                square += 2.0 * a.weight * b.weight * (r * r.asin() + (1.0 - r * r).sqrt());
            }
        }
        let mean = FRAC_2_PI.sqrt() * mean;
        Self {
            mean,
            variance: (FRAC_2_PI * square - mean * mean).max(0.0),
        }
    }

    /// The moments where `F` is the distribution of two samples together, whose pieces ascend each.
    pub fn of_both<I, J>(a: I, b: J, rows: u64) -> Self
    where
        I: Iterator<Item = Piece>,
        J: Iterator<Item = Piece>,
    {
        let (mut a, mut b) = (a.peekable(), b.peekable());
        let merged = std::iter::from_fn(|| match (a.peek(), b.peek()) {
            (Some(left), Some(right)) if right.mean < left.mean => b.next(),
            (Some(_), _) => a.next(),
            (None, _) => b.next(),
        });
        Self::of(merged, rows)
    }

    /// The same where lengths are told in multiples of `unit`.
    pub fn in_units_of(self, unit: f64) -> Self {
        Self {
            mean: self.mean / unit,
            variance: self.variance / (unit * unit),
        }
    }
}

/// A stretch of the number line.
#[derive(Clone, Copy, Default)]
struct Node {
    /// `integral sqrt(F (1 - F)) dx`.
    weight: f64,
    /// `F / (1 - F)` somewhere inside.
    odds: f64,
}

/// Stretches between neighbouring numbers, put together where the distribution function hardly changes.
fn nodes(pieces: impl Iterator<Item = Piece>, rows: f64) -> Vec<Node> {
    let end = |i: usize| (FRAC_PI_2 * (i + 1) as f64 / NODES as f64).sin().powi(2);
    let mut found = Vec::with_capacity(NODES);
    let mut open = Stretches::default();
    let (mut passed, mut next) = (0, end(0));
    let mut before: Option<f64> = None;
    for piece in pieces {
        if let Some(x) = before {
            let share = passed as f64 / rows;
            while share > next && open.stretch + 1 < NODES {
                found.extend(open.close());
                next = end(open.stretch);
            }
            let deviation = (share * (1.0 - share)).max(0.0).sqrt();
            let weight = deviation * (piece.mean - x).max(0.0);
            open.weight += weight;
            open.shares += weight * share;
        }
        passed += piece.count;
        before = Some(piece.mean);
    }
    found.extend(open.close());
    found
}

/// The stretch that is being put together.
#[derive(Default)]
struct Stretches {
    stretch: usize,
    weight: f64,
    /// Sum of the shares, weighted.
    shares: f64,
}

impl Stretches {
    /// The node of this stretch, if it has any length; begins the next.
    fn close(&mut self) -> Option<Node> {
        let share = self.shares / self.weight;
        let node = (self.weight > 0.0 && self.weight.is_finite()).then(|| Node {
            weight: self.weight,
            odds: share / (1.0 - share),
        });
        *self = Self {
            stretch: self.stretch + 1,
            ..Self::default()
        };
        node
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_of_the_uniform_law_are_known() {
        let pieces = (0..=1000).map(|i| {
            let x = f64::from(i) / 1000.0;
            Piece {
                lower: x,
                upper: x,
                count: 1,
                mean: x,
                known: true,
            }
        });
        let bridge = Bridge::of(pieces, 1001);
        // integral sqrt(t (1 - t)) dt = pi / 8: mean sqrt(2 / pi) pi / 8; second moment 7 / 60
        let mean = FRAC_2_PI.sqrt() * std::f64::consts::PI / 8.0;
        assert!((bridge.mean - mean).abs() < 5e-4, "{bridge:?}");
        let variance = 7.0 / 60.0 - mean * mean;
        assert!((bridge.variance - variance).abs() < 2e-4, "{bridge:?}");
    }
}
