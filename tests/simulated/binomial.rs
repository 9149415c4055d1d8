//! Binomial random numbers, exact in law.
use super::simulated::Random;

/// Successes in `n` trials. Inversion below ten expected successes, above it the rejection
/// of W. Hoermann (1993), J. Stat. Comput. Simul. 46, 101-110 (BTRS).
pub fn binomial(random: &mut Random, n: u64, p: f64) -> u64 {
    if n == 0 || p <= 0.0 {
        return 0;
    }
    if p > 0.5 {
        return n - binomial(random, n, 1.0 - p);
    }
    if (n as f64) * p < 10.0 {
        return by_inversion(random, n, p);
    }
    by_rejection(random, n, p)
}

fn by_inversion(random: &mut Random, n: u64, p: f64) -> u64 {
    let odds = p / (1.0 - p);
    let mut mass = (1.0 - p).powf(n as f64);
    let mut left = random.uniform();
    let mut successes = 0;
    while left > mass && successes < n {
        left -= mass;
        successes += 1;
        mass *= odds * (n - successes + 1) as f64 / successes as f64;
    }
    successes
}

fn by_rejection(random: &mut Random, n: u64, p: f64) -> u64 {
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
        let v = random.uniform();
        let u = random.uniform() - 0.5;
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

fn ln_factorial(n: f64) -> f64 {
    statrs::function::factorial::ln_factorial(n as u64)
}
