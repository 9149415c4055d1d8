//! What the mean of a function over the rows of a bin can be, when only their number, their
//! mean score and the range of their scores are known.
//!
//! The mean of `h(f)` over any rows in `[lower, upper]` with mean score `m` lies between the
//! lower convex and the upper concave hull of `h` at `m` (Jensen), and both are attained.
use super::group::Group;
use super::isotonic::interpolate;

/// A number that lies in `[low, high]`.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Bounds {
    pub low: f64,
    pub high: f64,
}

impl Bounds {
    pub fn exactly(value: f64) -> Self {
        Self {
            low: value,
            high: value,
        }
    }

    pub fn middle(&self) -> f64 {
        if self.low == self.high {
            self.low
        } else {
            self.low + (self.high - self.low) / 2.0
        }
    }

    /// Greatest distance of the number from the middle.
    pub fn slack(&self) -> f64 {
        (self.high - self.low).max(0.0) / 2.0
    }
}

/// Mean of a non-decreasing piecewise-linear function, given its corners, over a group.
pub(crate) fn mean_of_monotone(knots: &[(f64, f64)], group: &Group) -> Bounds {
    let at = |score| interpolate(knots, score);
    if group.is_exact() {
        return Bounds::exactly(at(group.mean));
    }
    if !group.mean_known {
        return Bounds {
            low: at(group.lower),
            high: at(group.upper),
        };
    }
    let (before, after) = around_mean(group);
    let inside = knots_between(knots, group.lower, group.upper);
    if inside.is_empty() {
        return Bounds {
            low: at(before),
            high: at(after),
        };
    }
    let mut nodes = Vec::with_capacity(inside.len() + 2);
    nodes.push((group.lower, at(group.lower)));
    nodes.extend_from_slice(inside);
    nodes.push((group.upper, at(group.upper)));
    let low = interpolate(&convex_hull(nodes.iter().copied()), before);
    let high = -interpolate(&convex_hull(nodes.iter().map(|&(x, y)| (x, -y))), after);
    Bounds { low, high }
}

/// Range of the mean that covers the rounding of the sum it was divided from.
pub(crate) fn around_mean(group: &Group) -> (f64, f64) {
    let rounding = 8.0 * f64::EPSILON * group.lower.abs().max(group.upper.abs());
    (
        (group.mean - rounding).max(group.lower),
        (group.mean + rounding).min(group.upper),
    )
}

/// Mean of a convex function over a group: at least its value at the mean, at most the chord's.
pub(crate) fn mean_of_convex(function: impl Fn(f64) -> f64, group: &Group) -> Bounds {
    if group.is_exact() {
        return Bounds::exactly(function(group.mean));
    }
    let (at_lower, at_upper) = (function(group.lower), function(group.upper));
    let chord = [(group.lower, at_lower), (group.upper, at_upper)];
    let (before, after) = around_mean(group);
    let (low, high) = if group.mean_known {
        (
            function(before).min(function(after)),
            interpolate(&chord, before).max(interpolate(&chord, after)),
        )
    } else {
        // a convex function has no lower bound on a range but where it turns
        let least = minimum_of_convex(&function, group.lower, group.upper);
        (least, at_lower.max(at_upper))
    };
    Bounds { low, high }
}

fn minimum_of_convex(function: impl Fn(f64) -> f64, lower: f64, upper: f64) -> f64 {
    let (mut left, mut right) = (lower, upper);
    for _ in 0..200 {
        let (a, b) = (left + (right - left) / 3.0, right - (right - left) / 3.0);
        if function(a) <= function(b) {
            right = b;
        } else {
            left = a;
        }
    }
    function(lower).min(function(upper)).min(function(left))
}

/// Mean of `c (1 - c)` over rows whose `c` lies in `range` and has its mean in `mean`.
pub(crate) fn mean_of_noise(mean: Bounds, range: Bounds) -> Bounds {
    let chord = |c: f64| c - ((range.low + range.high) * c - range.low * range.high);
    let jensen = |c: f64| c * (1.0 - c);
    let high = if mean.low <= 0.5 && mean.high >= 0.5 {
        0.25
    } else {
        jensen(mean.low).max(jensen(mean.high))
    };
    let low = chord(mean.low).min(chord(mean.high)).max(0.0);
    Bounds {
        low: low.min(high),
        high,
    }
}

fn knots_between(knots: &[(f64, f64)], lower: f64, upper: f64) -> &[(f64, f64)] {
    let start = knots.partition_point(|knot| knot.0 <= lower);
    let end = knots.partition_point(|knot| knot.0 < upper);
    knots.get(start..end).unwrap_or(&[])
}

/// Lower convex hull of points ascending in x (Andrew's monotone chain).
fn convex_hull(points: impl Iterator<Item = (f64, f64)>) -> Vec<(f64, f64)> {
    let mut hull: Vec<(f64, f64)> = Vec::new();
    for point in points {
        while let [.., a, b] = hull.as_slice() {
            let turn = (b.0 - a.0) * (point.1 - a.1) - (b.1 - a.1) * (point.0 - a.0);
            if turn > 0.0 {
                break;
            }
            hull.pop();
        }
        hull.push(point);
    }
    hull
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(lower: f64, mean: f64, upper: f64) -> Group {
        Group {
            rows: 10.0,
            mean,
            lower,
            upper,
            mean_known: true,
        }
    }

    #[test]
    fn a_step_inside_the_bin_leaves_the_mean_between_its_hulls() {
        // 0 up to 0.5, then 1 from 0.75: rows at 0.5 and 1.0, or at 0.0 and 0.75
        let knots = [(0.0, 0.0), (0.5, 0.0), (0.75, 1.0), (1.0, 1.0)];
        let bounds = mean_of_monotone(&knots, &group(0.0, 0.625, 1.0));
        // lower hull from (0.5, 0) to (1, 1), upper hull from (0, 0) to (0.75, 1)
        assert!((bounds.low - 0.25).abs() < 1e-12);
        assert!((bounds.high - 0.625 / 0.75).abs() < 1e-12);
    }

    #[test]
    fn a_straight_line_is_known_up_to_rounding() {
        let bounds = mean_of_monotone(&[(0.0, 0.0), (1.0, 1.0)], &group(0.25, 0.3, 0.5));
        assert!(bounds.slack() < 1e-14);
        assert!((bounds.middle() - 0.3).abs() < 1e-15);
    }

    #[test]
    fn a_square_lies_between_jensen_and_chord() {
        let bounds = mean_of_convex(|x| x * x, &group(0.0, 0.25, 1.0));
        assert!((bounds.low - 0.0625).abs() < 1e-12);
        assert!((bounds.high - 0.25).abs() < 1e-12);
        let unknown = Group {
            mean_known: false,
            ..group(-1.0, 0.25, 1.0)
        };
        let bounds = mean_of_convex(|x| x * x, &unknown);
        assert!(bounds.low.abs() < 1e-12 && bounds.high == 1.0);
    }

    #[test]
    fn noise_is_largest_where_all_rows_are_equal() {
        let bounds = mean_of_noise(
            Bounds::exactly(0.25),
            Bounds {
                low: 0.0,
                high: 1.0,
            },
        );
        assert_eq!((bounds.low, bounds.high), (0.0, 0.1875));
    }
}
