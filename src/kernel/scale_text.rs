//! The scale of a metric as text; how that of a metric which no registry knows travels in a plan as a literal.
use std::fmt;

use super::KernelError;
use super::link::Link;
use super::metric::Direction;
use super::threshold::MetricScale;

const LINKS: [(&str, Link); 3] = [
    ("identity", Link::Identity),
    ("log", Link::Log),
    ("arcsine", Link::Arcsine),
];
const SIDES: [(&str, Direction); 3] = [
    ("higher", Direction::Higher),
    ("lower", Direction::Lower),
    ("neither", Direction::Neither),
];
const TOTAL: &str = "total";

impl Direction {
    /// The words for it in SQL.
    pub const NAMES: [&'static str; 3] = ["higher", "lower", "neither"];

    /// Reads a word.
    ///
    /// ```
    /// use modelwatch::kernel::metric::Direction;
    /// assert!(Direction::NAMES.iter().all(|name| Direction::parse(name).is_some()));
    /// assert_eq!(Direction::parse("up"), None);
    /// ```
    pub fn parse(word: &str) -> Option<Self> {
        let side = SIDES.iter().find(|(name, _)| *name == word);
        side.map(|(_, side)| *side)
    }
}

/// As in `identity(0,) higher`: link, domain and better side, and `total` for a sum over rows.
impl fmt::Display for MetricScale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let link = LINKS.iter().find(|(_, link)| *link == self.link);
        let side = SIDES.iter().find(|(_, side)| *side == self.better);
        let end = |end: Option<f64>| end.map_or_else(String::new, |x| x.to_string());
        write!(
            f,
            "{}({},{}) {}",
            link.map_or("", |(name, _)| *name),
            end(self.lower),
            end(self.upper),
            side.map_or("", |(name, _)| *name),
        )?;
        match self.total {
            true => write!(f, " {TOTAL}"),
            false => Ok(()),
        }
    }
}

impl MetricScale {
    /// Reads what `to_string` wrote.
    ///
    /// ```
    /// use modelwatch::kernel::metric::Metric;
    /// use modelwatch::kernel::threshold::MetricScale;
    /// let scale = MetricScale::parse("identity(0,) higher")?;
    /// assert_eq!((scale.lower, scale.upper), (Some(0.0), None));
    /// let auc = MetricScale::of(Metric::RocAuc);
    /// assert_eq!(MetricScale::parse(&auc.to_string()), Ok(auc));
    /// # Ok::<(), modelwatch::kernel::KernelError>(())
    /// ```
    pub fn parse(text: &str) -> Result<Self, KernelError> {
        read(text).ok_or_else(|| {
            KernelError::Undefined(format!(
                "'{text}' is not a scale. Expected link(lower,upper) and a better side, as in 'identity(0,1) higher'"
            ))
        })
    }
}

fn read(text: &str) -> Option<MetricScale> {
    let (link, rest) = text.split_once('(')?;
    let (domain, rest) = rest.split_once(") ")?;
    let (lower, upper) = domain.split_once(',')?;
    let (lower, upper) = (end(lower)?, end(upper)?);
    if let (Some(lower), Some(upper)) = (lower, upper)
        && lower >= upper
    {
        return None;
    }
    let (side, total) = match rest.split_once(' ') {
        Some((side, word)) => (side, (word == TOTAL).then_some(true)?),
        None => (rest, false),
    };
    let link = LINKS.iter().find(|(name, _)| *name == link);
    Some(MetricScale {
        link: link.map(|(_, link)| *link)?,
        lower,
        upper,
        better: Direction::parse(side)?,
        total,
    })
}

/// An end of the domain, `Some(None)` where it is open.
fn end(text: &str) -> Option<Option<f64>> {
    match text.trim() {
        "" => Some(None),
        number => {
            let number: f64 = number.parse().ok()?;
            number.is_finite().then_some(Some(number))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::metric::Metric;

    #[test]
    fn every_scale_reads_back() {
        for metric in Metric::ALL {
            let scale = MetricScale::of(metric);
            assert_eq!(MetricScale::parse(&scale.to_string()), Ok(scale));
        }
        let tiny = MetricScale {
            link: Link::Identity,
            lower: Some(-1e-300),
            upper: Some(0.1 + 0.2),
            better: Direction::Neither,
            total: false,
        };
        assert_eq!(MetricScale::parse(&tiny.to_string()), Ok(tiny));
    }

    #[test]
    fn what_is_no_scale_is_refused() {
        for text in [
            "",
            "identity",
            "identity(0,1)",
            "identity(0,1) up",
            "cubic(0,1) higher",
            "identity(1,0) higher",
            "identity(0,0) higher",
            "identity(0) higher",
            "identity(NaN,1) higher",
            "identity(,inf) higher",
            "identity(0,1) higher sum",
            "identity(0,1) higher total total",
        ] {
            let error = MetricScale::parse(text).expect_err(text).to_string();
            assert!(error.contains("is not a scale"), "{error}");
        }
    }
}
