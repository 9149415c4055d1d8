//! What a chunk is called, and why one is not judged.
use std::fmt;

/// What is wrong, if anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verdict {
    /// Performance is in control, and the KPI is where it is expected.
    Healthy,
    /// Performance is out of control, and the KPI moved with it as it was expected to.
    ModelDegradation,
    /// Performance is in control, and the KPI is not where it is expected.
    DownstreamFailure,
    /// Performance is out of control, and the KPI stayed where it was.
    KpiInsensitive,
    /// Performance is out of control, and the KPI moved otherwise than that explains.
    Mixed,
}

impl Verdict {
    /// Every verdict.
    pub const ALL: [Self; 5] = [
        Self::Healthy,
        Self::ModelDegradation,
        Self::DownstreamFailure,
        Self::KpiInsensitive,
        Self::Mixed,
    ];

    /// Of a chunk whose performance is out of control or not, whose KPI is out of control given performance or not, and whose
    /// KPI is out of control by itself or not.
    pub const fn of(performance_out: bool, unexplained: bool, kpi_moved: bool) -> Self {
        match (performance_out, unexplained, kpi_moved) {
            (false, false, _) => Self::Healthy,
            (false, true, _) => Self::DownstreamFailure,
            (true, _, false) => Self::KpiInsensitive,
            (true, false, true) => Self::ModelDegradation,
            (true, true, true) => Self::Mixed,
        }
    }

    /// Text in the `verdict` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::ModelDegradation => "model_degradation",
            Self::DownstreamFailure => "downstream_failure",
            Self::KpiInsensitive => "kpi_insensitive",
            Self::Mixed => "mixed",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Why a chunk has no verdict, or what it must be taken with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum KpiStatus {
    /// No reserve.
    #[default]
    Ok,
    /// More than half of the variance of performance in the reference may be sampling error, so how the KPI follows it is a guess.
    NoisyPerformance,
    /// Nobody judged the performance of the chunk that explains this one: its alert is NULL where others have one.
    UnjudgedPerformance,
    /// The chunk has no performance, or the one `lag` chunks before has none.
    MissingPerformance,
    /// The chunk has no KPI.
    MissingKpi,
    /// A control of the chunk is not known.
    MissingControl,
    /// A chunk of the reference that the analysis goes on with; its KPI is of both.
    SplitChunk,
    /// The KPI is the same in all chunks of the reference.
    ConstantKpi,
    /// Too few chunks of the reference could be used.
    InsufficientHistory,
}

impl KpiStatus {
    /// Text in the `status` column.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::NoisyPerformance => "noisy_performance",
            Self::UnjudgedPerformance => "unjudged_performance",
            Self::MissingPerformance => "missing_performance",
            Self::MissingKpi => "missing_kpi",
            Self::MissingControl => "missing_control",
            Self::SplitChunk => "split_chunk",
            Self::ConstantKpi => "constant_kpi",
            Self::InsufficientHistory => "insufficient_history",
        }
    }
}
