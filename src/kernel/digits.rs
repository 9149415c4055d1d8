//! Numbers as sentences tell them.

/// Three digits that count; a number that is not finite is 0.
pub(crate) fn short(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return "0".into();
    }
    let digits = (2.0 - x.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{x:.digits$}")
}

/// A share in percent, with as many digits as tell it from 0 and from all.
pub(crate) fn percent(share: f64) -> String {
    let digits = if share > 0.0 && share < 0.001 { 3 } else { 1 };
    format!("{:.digits$} %", 100.0 * share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        assert_eq!(
            [1234.5, 0.012_345, -1.5, f64::NAN].map(short),
            ["1234", "0.0123", "-1.50", "0"]
        );
        assert_eq!(
            [0.0, 0.000_25, 0.1234, 1.0].map(percent),
            ["0.0 %", "0.025 %", "12.3 %", "100.0 %"]
        );
    }
}
