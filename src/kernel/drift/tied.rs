//! The law of the largest difference of two empirical distribution functions where numbers are tied.
use super::super::values::{ValueBin, ValueBins};
use super::gamma::normal_tail;
use super::kolmogorov;
use std::f64::consts::{PI, TAU};

/// Share of the rows from which on a number is a step of its own.
const LEAST_SHARE: f64 = 0.01;
/// Nodes on either side of 0 at which the bridge is followed.
const NODES: usize = 24;
/// Below this Kolmogorov's tail is 1 to four digits.
const LEAST_DIFFERENCE: f64 = 0.4;
/// Reflections farther away than so many standard deviations add nothing.
const FAR: f64 = 9.0;

/// The rows of both samples in the order of their numbers.
///
/// Two distribution functions differ only where a number ends. A number that holds a hundredth of the rows is a step
/// at whose end alone the bridge is seen; between such numbers it is seen all the time, which is more than happens
/// and makes a p-value the larger.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Steps {
    steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Step {
    /// Share of the rows.
    length: f64,
    /// Whether the bridge is seen inside of it.
    open: bool,
}

impl Steps {
    /// Of a reference and a chunk that is not in it, if there is one. One open step where a profile is not exact.
    pub fn of(reference: &ValueBins, chunk: Option<&ValueBins>) -> Self {
        let sides = [Some(reference), chunk].into_iter().flatten();
        let exact = |side: &ValueBins| side.bins.iter().all(|bin| bin.lower >= bin.upper);
        if !sides.clone().all(exact) {
            return Self::of_counts([]);
        }
        let ends = |count: fn(&ValueBins) -> u64| sides.clone().map(count).sum::<u64>();
        let other = chunk.map_or(&[][..], |chunk| &chunk.bins);
        let mut counts = vec![ends(|side| side.negative_infinities)];
        counts.extend(merged(&reference.bins, other));
        counts.push(ends(|side| side.positive_infinities));
        Self::of_counts(counts)
    }

    /// Of the rows by number, ascending.
    fn of_counts(counts: impl AsRef<[u64]>) -> Self {
        let counts = counts.as_ref();
        let rows = counts.iter().sum::<u64>() as f64;
        let mut steps: Vec<Step> = Vec::new();
        for count in counts.iter().filter(|count| **count > 0) {
            let length = *count as f64 / rows;
            let open = length < LEAST_SHARE;
            match steps.last_mut() {
                // a stretch too short to follow takes what comes next, as what comes next takes it
                Some(last) if last.open && (open || last.length < LEAST_SHARE) => {
                    last.length += length;
                }
                _ => steps.push(Step { length, open }),
            }
        }
        if let [.., before, last] = steps.as_mut_slice()
            && last.open
            && last.length < LEAST_SHARE
        {
            before.length += last.length;
            before.open = true;
            steps.pop();
        }
        if steps.is_empty() {
            steps.push(Step {
                length: 1.0,
                open: true,
            });
        }
        Self { steps }
    }

    /// Share of the rows in open steps.
    pub fn open_share(&self) -> f64 {
        let open = self.steps.iter().filter(|step| step.open);
        open.map(|step| step.length).sum::<f64>().min(1.0)
    }

    /// Probability that the absolute Brownian bridge is seen to reach `x`.
    pub fn upper_tail(&self, x: f64) -> f64 {
        let untied = kolmogorov::upper_tail(x);
        if x < LEAST_DIFFERENCE || self.steps.iter().all(|step| step.open) {
            return untied;
        }
        // bounds that hold to any digit, for quadrature does not
        let (largest, sum) = self.tails(x);
        let most = if self.steps.iter().any(|step| step.open) {
            untied
        } else {
            untied.min(sum)
        };
        (1.0 - self.unseen(x)).max(largest.min(most)).min(most)
    }

    /// The largest probability and the sum of those that the bridge lies beyond `x` at the end of a step.
    fn tails(&self, x: f64) -> (f64, f64) {
        let (mut largest, mut sum, mut passed) = (0.0_f64, 0.0, 0.0);
        let last = self.steps.len().saturating_sub(1);
        for step in self.steps.iter().take(last) {
            passed += step.length;
            let deviation = (passed * (1.0 - passed)).max(f64::MIN_POSITIVE).sqrt();
            let tail = 2.0 * normal_tail(x / deviation);
            largest = largest.max(tail);
            sum += tail;
        }
        (largest, sum)
    }

    /// Probability that the bridge is never seen beyond `x`: the density of a Brownian motion that is lost there, step
    /// by step, and its return to 0.
    fn unseen(&self, x: f64) -> f64 {
        let [first, between @ .., last] = self.steps.as_slice() else {
            return 1.0;
        };
        let nodes = nodes(x);
        let start = |node: &Node| first.density(0.0, node.place, x);
        let mut density: Vec<f64> = nodes.iter().map(start).collect();
        for step in between {
            let carried = |to: &Node| -> f64 {
                let part = |(from, density): (&Node, &f64)| {
                    let near = step.density(from.place, to.place, x);
                    from.weight * density * (near + step.density(-from.place, to.place, x))
                };
                nodes.iter().zip(&density).map(part).sum()
            };
            density = nodes.iter().map(carried).collect();
        }
        let back = nodes
            .iter()
            .zip(&density)
            .map(|(node, density)| 2.0 * node.weight * density * last.density(node.place, 0.0, x));
        back.sum::<f64>() * TAU.sqrt()
    }
}

impl Step {
    /// Density of a Brownian motion's way from one place to another without being seen beyond `x` inside the step.
    ///
    /// * Source: method of images; W. Feller (1971), An Introduction to Probability Theory II, X.5.
    fn density(&self, from: f64, to: f64, x: f64) -> f64 {
        let normal = |way: f64| (-way * way / (2.0 * self.length)).exp();
        let mut sum = normal(to - from);
        if self.open {
            let images = (FAR * self.length.sqrt() / (2.0 * x)).ceil() + 1.0;
            for image in 1..=images as i32 {
                let far = 2.0 * f64::from(image) * x;
                let from = if image % 2 == 0 { from } else { -from };
                let sign = if image % 2 == 0 { 1.0 } else { -1.0 };
                sum += sign * (normal(to - from - far) + normal(to - from + far));
            }
        }
        sum / (TAU * self.length).sqrt()
    }
}

/// A place from 0 to `x`, and its weight in an integral.
struct Node {
    place: f64,
    weight: f64,
}

/// The positive half of the nodes of Fejer's first rule on `-x..x`.
fn nodes(x: f64) -> Vec<Node> {
    let count = 2.0 * NODES as f64;
    let node = |i: usize| {
        let angle = (2.0 * i as f64 + 1.0) * PI / (2.0 * count);
        let term = |j: usize| {
            let j = j as f64;
            (2.0 * j * angle).cos() / (4.0 * j * j - 1.0)
        };
        Node {
            place: x * angle.cos(),
            weight: x * 2.0 / count * (1.0 - 2.0 * (1..=NODES).map(term).sum::<f64>()),
        }
    };
    (0..NODES).map(node).collect()
}

/// Rows of both sides by number.
fn merged<'a>(mut a: &'a [ValueBin], mut b: &'a [ValueBin]) -> impl Iterator<Item = u64> + 'a {
    std::iter::from_fn(move || {
        let least = match (a.first(), b.first()) {
            (Some(left), Some(right)) => left.lower.min(right.lower),
            (left, right) => left.or(right)?.lower,
        };
        let mut count = 0;
        for side in [&mut a, &mut b] {
            if let [bin, rest @ ..] = *side
                && bin.lower <= least
            {
                count += bin.count;
                *side = rest;
            }
        }
        Some(count)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_numbers_are_a_normal_test() {
        // half of the rows each: the bridge is seen at 1/2 only, where its standard deviation is 1/2
        let steps = Steps::of_counts([500, 500]);
        for z in [1.0, 1.96, 2.576, 6.0] {
            let expected = 2.0 * normal_tail(z);
            let tail = steps.upper_tail(z / 2.0);
            assert!((tail / expected - 1.0).abs() < 1e-6, "{z}: {tail}");
        }
    }

    #[test]
    fn open_steps_make_the_law_of_untied_numbers() {
        // 1/2, 0 and 1/2 of the rows, all watched, by way of the quadrature
        let half = Step {
            length: 0.5,
            open: true,
        };
        let steps = Steps {
            steps: vec![half, half],
        };
        for x in [0.5, 1.0, 1.358, 1.628] {
            let expected = kolmogorov::upper_tail(x);
            let tail = 1.0 - steps.unseen(x);
            assert!((tail - expected).abs() < 1e-9, "{x}: {tail} {expected}");
        }
    }

    #[test]
    fn ten_numbers_as_simulated() {
        // MEASURED (10,000,000 bridges seen at nine places): .01750 beyond 1.358, .00289 beyond 1.628
        let steps = Steps::of_counts([7; 10]);
        assert!((steps.upper_tail(1.358) / 0.01750 - 1.0).abs() < 0.01);
        assert!((steps.upper_tail(1.628) / 0.00289 - 1.0).abs() < 0.02);
    }

    #[test]
    fn rare_numbers_are_watched_all_the_time() {
        let untied = Steps::of_counts(vec![1; 500]);
        assert_eq!(untied.open_share(), 1.0);
        assert_eq!(untied.upper_tail(1.2), kolmogorov::upper_tail(1.2));
        // a short stretch joins its neighbour
        let steps = Steps::of_counts([1, 499, 495, 5]);
        assert_eq!(steps.open_share(), 1.0);
        let steps = Steps::of_counts([300, 300, 395, 5]);
        assert!((steps.open_share() - 0.4).abs() < 1e-12);
        let (tail, most) = (steps.upper_tail(1.2), kolmogorov::upper_tail(1.2));
        assert!(tail > 0.3 * most && tail < most, "{tail} {most}");
    }
}
