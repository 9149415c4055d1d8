//! A sign of life on standard error while a query takes more than a second.
use std::io::{IsTerminal, stderr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use datafusion::physical_plan::ExecutionPlan;
use indicatif::{HumanCount, ProgressBar};

/// A query that ends sooner shows nothing.
const PATIENCE: Duration = Duration::from_secs(1);

/// How often the sign moves.
pub const TICK: Duration = Duration::from_millis(100);

/// Shows rows read and time spent, on a terminal only.
pub struct Progress {
    started: Instant,
    plan: Option<Arc<dyn ExecutionPlan>>,
    bar: Option<ProgressBar>,
    silent: bool,
}

impl Progress {
    /// Time starts now.
    pub fn start() -> Self {
        Self {
            started: Instant::now(),
            plan: None,
            bar: None,
            silent: !stderr().is_terminal(),
        }
    }

    /// The plan whose scans are counted.
    pub fn watch(&mut self, plan: Arc<dyn ExecutionPlan>) {
        self.plan = Some(plan);
    }

    /// Time since the start.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// Moves the sign, if it is time to show one.
    pub fn tick(&mut self) {
        if self.silent || self.elapsed() < PATIENCE {
            return;
        }
        let read = self.plan.as_deref().map_or(0, rows_read);
        let seconds = self.elapsed().as_secs();
        let bar = self.bar.get_or_insert_with(ProgressBar::new_spinner);
        let rows = HumanCount(u64::try_from(read).unwrap_or(u64::MAX));
        bar.set_message(format!("{rows} rows read, {seconds} s (Ctrl-C cancels)"));
        bar.tick();
    }

    /// Takes the sign away: output follows.
    pub fn clear(&mut self) {
        self.silent = true;
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

fn rows_read(plan: &dyn ExecutionPlan) -> usize {
    let children = plan.children();
    if children.is_empty() {
        return plan
            .metrics()
            .and_then(|metrics| metrics.output_rows())
            .unwrap_or(0);
    }
    children
        .into_iter()
        .map(|child| rows_read(child.as_ref()))
        .sum()
}
