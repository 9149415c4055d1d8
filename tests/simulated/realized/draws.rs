//! Random numbers that rows are made of; those of the rows of one cluster go together.
use super::super::simulated::Random;
use statrs::function::erf::erfc;

/// Numbers of one row after the other.
///
/// The first number of a row goes with the first numbers of the other rows of its cluster, the second with the second ones, and
/// so on. Each by itself has the law that it has of independent rows.
pub struct Draws<'a> {
    random: &'a mut Random,
    /// Correlation of the numbers of two rows of a cluster, as normal ones.
    common: f64,
    of_cluster: Vec<f64>,
    /// Numbers of this row so far.
    at: usize,
    /// The first of them, of mean 0 and variance 1.
    pub first: f64,
}

impl<'a> Draws<'a> {
    /// Of independent rows.
    pub fn new(random: &'a mut Random) -> Self {
        Self::clustered(random, 0.0)
    }

    pub fn clustered(random: &'a mut Random, common: f64) -> Self {
        Self {
            random,
            common,
            of_cluster: vec![],
            at: 0,
            first: 0.0,
        }
    }

    /// Begins a cluster of 1 to 20 rows, 4.5 on average; its size. The first numbers of its rows are the larger the larger
    /// it is, as far as `size_tells`.
    pub fn next_cluster(&mut self, size_tells: f64) -> usize {
        let size = self.random.normal();
        let first = mixed(size, self.random.normal(), size_tells * size_tells);
        self.of_cluster.clear();
        self.of_cluster.push(first);
        1 + (20.0 * below(size).powi(4)) as usize
    }

    pub fn next_row(&mut self) {
        self.at = 0;
    }

    /// Standard normal.
    pub fn normal(&mut self) -> f64 {
        let own = self.random.normal();
        let number = self.with_cluster(own);
        self.drawn(number);
        number
    }

    /// Uniform in (0, 1).
    pub fn uniform(&mut self) -> f64 {
        let number = match self.common == 0.0 {
            true => self.random.uniform(),
            false => {
                let own = self.random.normal();
                below(self.with_cluster(own))
            }
        };
        self.drawn(12f64.sqrt() * (number - 0.5));
        number
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    fn with_cluster(&mut self, own: f64) -> f64 {
        if self.common == 0.0 {
            return own;
        }
        while self.of_cluster.len() <= self.at {
            self.of_cluster.push(self.random.normal());
        }
        mixed(self.of_cluster[self.at], own, self.common)
    }

    fn drawn(&mut self, standardized: f64) {
        if self.at == 0 {
            self.first = standardized;
        }
        self.at += 1;
    }
}

/// Standard normal of two that are, `share` of its variance from the first.
pub fn mixed(a: f64, b: f64, share: f64) -> f64 {
    share.sqrt() * a + (1.0 - share).sqrt() * b
}

/// Chance that a standard normal number is smaller.
fn below(z: f64) -> f64 {
    erfc(-z / std::f64::consts::SQRT_2) / 2.0
}
