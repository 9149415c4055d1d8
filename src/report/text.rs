//! Text that fits and that cannot steer a terminal.

/// `text` with every control character but the line feed written as an escape, so that data
/// cannot move the cursor or change colours.
///
/// ```
/// assert_eq!(modelwatch::report::printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
/// ```
pub fn printable(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() && c != '\n' {
            safe.extend(c.escape_default());
        } else {
            safe.push(c);
        }
    }
    safe
}

/// A label of one line and at most `width` characters.
pub fn label(text: &str, width: usize) -> String {
    let text = printable(text).replace('\n', "\\n");
    if text.chars().count() <= width {
        return text;
    }
    let kept = text.chars().take(width.saturating_sub(1));
    kept.chain(['…']).collect()
}

/// Decimals with which numbers `range` apart, or less, are told from each other.
pub fn decimals(range: f64) -> usize {
    let mut scaled = range;
    let mut decimals = 0;
    while scaled < 1000.0 && decimals < 6 {
        scaled *= 10.0;
        decimals += 1;
    }
    decimals
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_cut_and_stay_on_their_line() {
        assert_eq!(label("2026-01", 10), "2026-01");
        assert_eq!(label("a\nb\tc", 10), "a\\nb\\tc");
        assert_eq!(label("abcdefghijk", 10), "abcdefghi…");
    }

    #[test]
    fn decimals_follow_the_range() {
        assert_eq!(decimals(0.3), 4);
        assert_eq!(decimals(25.0), 2);
        assert_eq!(decimals(80_000.0), 0);
        assert_eq!(decimals(0.0), 6);
    }
}
