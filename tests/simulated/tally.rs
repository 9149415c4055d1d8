//! How often simulated monitors gave a false alarm and found a shift.
use modelwatch::kernel::threshold::Threshold;

/// The rate that the default threshold promises.
pub fn rate() -> f64 {
    match Threshold::default() {
        Threshold::FalseAlarmRate { rate } => rate,
        _ => f64::NAN,
    }
}

/// Counts of one cell of a table.
#[derive(Debug, Clone, Copy, Default)]
pub struct Tally {
    /// Healthy chunks outside their limits.
    alarms: u64,
    /// Sum over monitors of the square of that number, for its standard error.
    squares: u64,
    /// Healthy chunks.
    pub judged: u64,
    /// Shifted chunks, one a monitor, outside their limits.
    found: u64,
    pub monitors: u64,
}

impl Tally {
    /// What one monitor says of `judged` healthy chunks and a shifted one.
    pub fn of_monitor(alarms: u64, judged: usize, found: bool) -> Self {
        Self {
            alarms,
            squares: alarms * alarms,
            judged: judged as u64,
            found: u64::from(found),
            monitors: 1,
        }
    }

    pub fn add(&mut self, other: &Self) {
        self.alarms += other.alarms;
        self.squares += other.squares;
        self.judged += other.judged;
        self.found += other.found;
        self.monitors += other.monitors;
    }

    /// Share of healthy chunks that alert, over the promised rate.
    pub fn false_alarms(&self) -> f64 {
        self.alarms as f64 / self.judged as f64 / rate()
    }

    /// Simulation error (one standard deviation) of [`Self::false_alarms`].
    pub fn error(&self) -> f64 {
        let monitors = self.monitors as f64;
        let mean = self.alarms as f64 / monitors;
        let variance = self.squares as f64 / monitors - mean * mean;
        (variance / monitors).sqrt() * monitors / self.judged as f64 / rate()
    }

    /// The error that a multiple of the rate would have, were all alarms independent.
    pub fn independent_error(&self, multiple: f64) -> f64 {
        (multiple / rate() / self.judged as f64).sqrt()
    }

    /// Share of shifted chunks that alert.
    pub fn power(&self) -> f64 {
        self.found as f64 / self.monitors as f64
    }

    /// Whether the bars are met, as simulated: false alarms at most 1.25 times the rate where healthy chunks do not
    /// differ; at most twice the rate, and power of at least 0.3, from five reference chunks on where they differ
    /// by the sampling error. No bar beyond that.
    pub fn meets(&self, chunks: usize, between: f64) -> bool {
        match between {
            0.0 => self.false_alarms() <= 1.25,
            1.0 if chunks >= 5 => self.false_alarms() <= 2.0 && self.power() >= 0.3,
            _ => true,
        }
    }
}
