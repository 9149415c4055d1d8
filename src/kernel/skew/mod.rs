//! Training-serving skew: whether what a model was trained on is what it is served with.
//!
//! Each check gives a [`SkewReading`]: a value, the least value that matters, how probable it is by chance, and what to do. A
//! reading is a finding where its pattern is there, its value exceeds what matters, and chance does not explain it
//! ([`SkewReading::is_finding`]).
mod categories;
mod check;
mod clock;
mod column;
mod conversion;
mod leakage;
mod performance;
mod reading;
mod rounding;
mod shares;
mod spike;
#[cfg(test)]
mod testing;
mod unit;

pub use check::{Effects, FALSE_ALARM_RATE, Severity, SkewCheck};
pub use clock::compare_clocks;
pub use column::{Column, ColumnValues, compare_columns};
pub use leakage::{ClassProfiles, category_leakage, domain_auc, score_leakage};
pub use performance::{Gap, deployment_drop, overfit};
pub use reading::SkewReading;
pub use rounding::decimal_places;
pub use shares::{Counted, compare_counts, fisher_two_sided, stated};
