//! A short form of `benches/diagnosis.rs`: how often the shape of a series is told right, and that gaps are no changes.
//!
//! The bars are those of the bench, each with three standard deviations of this simulation.
#[path = "simulated/shapes.rs"]
mod shapes;
#[path = "simulated/mod.rs"]
mod simulated;

use modelwatch::kernel::diagnosis::Pattern;
use shapes::Drawn;

const RUNS: u64 = 200;

fn assert_at_least(share: f64, runs: u64, bar: f64, what: &str) {
    let margin = 3.0 * (bar * (1.0 - bar) / runs as f64).sqrt();
    assert!(share >= bar - margin, "{what}: {share} is below {bar}");
}

#[test]
fn shapes_of_three_errors_are_told() {
    let mut right = 0;
    for pattern in Pattern::ALL {
        let told = Drawn::usual(pattern, 3.0).tell(RUNS, 1);
        let bar = match pattern {
            Pattern::Stable => 0.95,
            Pattern::Temporary => 0.85,
            _ => 0.88,
        };
        assert_at_least(told.share(), RUNS, bar, pattern.name());
        right += told.right;
    }
    let all = RUNS * Pattern::ALL.len() as u64;
    assert_at_least(right as f64 / all as f64, all, 0.93, "all");
}

#[test]
fn shapes_of_five_errors_are_told() {
    for pattern in Pattern::ALL {
        let told = Drawn::usual(pattern, 5.0).tell(RUNS, 2);
        let bar = if pattern == Pattern::Stable {
            0.95
        } else {
            0.98
        };
        assert_at_least(told.share(), RUNS, bar, pattern.name());
    }
}

#[test]
fn steps_are_placed_within_a_chunk() {
    for pattern in [
        Pattern::Sudden,
        Pattern::Temporary,
        Pattern::RecurringSudden,
    ] {
        let told = Drawn::usual(pattern, 3.0).tell(RUNS, 3);
        assert!(told.mean_off() < 1.0, "{pattern}: {}", told.mean_off());
    }
}

#[test]
fn gaps_are_no_changes() {
    for gaps in [0.1, 0.3] {
        let drawn = Drawn {
            gaps,
            ..Drawn::usual(Pattern::Stable, 0.0)
        };
        assert_at_least(drawn.tell(RUNS, 4).share(), RUNS, 0.95, "stable with gaps");
    }
    // a level that is the same before and after a long gap
    let drawn = Drawn {
        chunks: 96,
        ..Drawn::usual(Pattern::Stable, 0.0)
    };
    let mut random = simulated::Random(5);
    let mut changed = 0;
    for _ in 0..RUNS {
        let (series, _) = drawn.series(&mut random);
        let kept = series.points().iter().enumerate();
        let kept = kept
            .filter(|(i, _)| !(30..70).contains(i))
            .map(|(_, point)| point.clone());
        let series = modelwatch::kernel::diagnosis::Series::new(kept.collect()).expect("chunks");
        let found = modelwatch::kernel::diagnosis::Diagnosis::of(&series, Default::default(), "");
        changed += u64::from(found.since == Some(30));
    }
    assert!(changed <= 2, "{changed} of {RUNS} series change at the gap");
}
