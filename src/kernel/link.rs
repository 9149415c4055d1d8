//! The scales on which errors of metrics are close to normal.

/// The scale on which a metric's errors are closest to normal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// The value itself.
    Identity,
    /// `ln x`, for positive values without an upper end.
    Log,
    /// `ln(x / (1 - x))`, for shares and ROC AUC.
    Logit,
}

impl Link {
    /// Derivative of the scale at `x`; `None` at the ends of its range and outside.
    pub(super) fn slope(self, x: f64) -> Option<f64> {
        match self {
            Self::Identity => Some(1.0),
            Self::Log => (x > 0.0).then(|| 1.0 / x),
            Self::Logit => (x > 0.0 && x < 1.0).then(|| 1.0 / (x * (1.0 - x))),
        }
    }

    /// The value that lies `distance` from `x` on this scale; `x` inside its range.
    pub(super) fn moved(self, x: f64, distance: f64) -> f64 {
        match self {
            Self::Identity => x + distance,
            Self::Log => x * distance.exp(),
            // x e^d / (1 - x + x e^d), written so that e^d cannot overflow
            Self::Logit if distance > 0.0 => x / (x + (1.0 - x) * (-distance).exp()),
            Self::Logit => x * distance.exp() / (1.0 - x + x * distance.exp()),
        }
    }

    /// `x` where it lies inside the range of the scale, else a value half a row inside of it,
    /// as if one of `rows` rows and one more had gone halfway the other way.
    ///
    /// A reference that never erred does not prove that no chunk will.
    pub(super) fn inside(self, x: f64, rows: f64) -> f64 {
        let least = 0.5 / (rows + 1.0);
        match self {
            Self::Identity => x,
            Self::Log => x.max(least),
            Self::Logit => x.clamp(least, 1.0 - least),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn moved_inverts_the_scale() {
        // logit 0.8 = ln 4; ln 4 - ln 2 = ln 2 = logit 2/3; ln 4 + ln 2 = ln 8 = logit 8/9
        assert!((Link::Logit.moved(0.8, -2f64.ln()) - 2.0 / 3.0).abs() < 1e-15);
        assert!((Link::Logit.moved(0.8, 2f64.ln()) - 8.0 / 9.0).abs() < 1e-15);
        assert!((Link::Log.moved(0.5, 2f64.ln()) - 1.0).abs() < 1e-15);
        assert_eq!(Link::Identity.moved(-3.0, 1.0), -2.0);
    }

    #[test]
    fn far_moves_end_at_the_range() {
        assert_eq!(Link::Logit.moved(0.3, 1e6), 1.0);
        assert_eq!(Link::Logit.moved(0.3, -1e6), 0.0);
        assert_eq!(Link::Log.moved(0.3, -1e6), 0.0);
    }

    #[test]
    fn slope_is_the_derivative_inside_and_absent_at_the_ends() {
        // 1 / (0.5 * 0.5)
        assert_eq!(Link::Logit.slope(0.5), Some(4.0));
        assert_eq!(Link::Logit.slope(0.0), None);
        assert_eq!(Link::Logit.slope(1.0), None);
        assert_eq!(Link::Log.slope(4.0), Some(0.25));
        assert_eq!(Link::Log.slope(0.0), None);
        assert_eq!(Link::Logit.slope(f64::NAN), None);
    }

    #[test]
    fn a_perfect_reference_is_moved_half_a_row_inside() {
        assert_eq!(Link::Logit.inside(1.0, 99.0), 0.995);
        assert_eq!(Link::Logit.inside(0.0, 99.0), 0.005);
        assert_eq!(Link::Logit.inside(0.4, 99.0), 0.4);
    }
}
