//! Seeded random numbers, exact in law.

/// SplitMix64: G. Steele, D. Lea, C. Flood (2014), OOPSLA.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform, strictly between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        ((self.bits() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    /// Standard normal (Box and Muller).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * self.uniform().ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Successes in `n` trials. Inversion below ten expected successes, above it the rejection
    /// of W. Hoermann (1993), J. Stat. Comput. Simul. 46, 101-110 (BTRS).
    pub fn binomial(&mut self, n: u64, p: f64) -> u64 {
        if n == 0 || p <= 0.0 {
            return 0;
        }
        if p > 0.5 {
            return n - self.binomial(n, 1.0 - p);
        }
        if (n as f64) * p < 10.0 {
            return self.binomial_by_inversion(n, p);
        }
        self.binomial_by_rejection(n, p)
    }

    fn binomial_by_inversion(&mut self, n: u64, p: f64) -> u64 {
        let odds = p / (1.0 - p);
        let mut mass = (1.0 - p).powf(n as f64);
        let mut left = self.uniform();
        let mut successes = 0;
        while left > mass && successes < n {
            left -= mass;
            successes += 1;
            mass *= odds * (n - successes + 1) as f64 / successes as f64;
        }
        successes
    }

    fn binomial_by_rejection(&mut self, n: u64, p: f64) -> u64 {
        let trials = n as f64;
        let spread = (trials * p * (1.0 - p)).sqrt();
        let b = 1.15 + 2.53 * spread;
        let a = -0.0873 + 0.0248 * b + 0.01 * p;
        let centre = trials * p + 0.5;
        let alpha = (2.83 + 5.1 / b) * spread;
        let log_odds = (p / (1.0 - p)).ln();
        let mode = ((trials + 1.0) * p).floor();
        let peak = ln_factorial(mode) + ln_factorial(trials - mode);
        loop {
            let v = self.uniform();
            let u = self.uniform() - 0.5;
            let us = 0.5 - u.abs();
            let k = ((2.0 * a / us + b) * u + centre).floor();
            if us >= 0.07 && v <= 0.92 - 4.2 / b {
                return k as u64;
            }
            if k < 0.0 || k > trials {
                continue;
            }
            let bound = peak - ln_factorial(k) - ln_factorial(trials - k) + (k - mode) * log_odds;
            if (v * alpha / (a / (us * us) + b)).ln() <= bound {
                return k as u64;
            }
        }
    }
}

fn ln_factorial(n: f64) -> f64 {
    statrs::function::factorial::ln_factorial(n as u64)
}
