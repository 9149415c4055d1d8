//! Gradient-boosted decision trees: learn a number, or the probability of a class, from rows of numbers and categories.
//!
//! Rows are collected in any order ([`rows`]), their columns become small codes ([`mod@column`], [`matrix`]), trees are grown on
//! histograms of gradients ([`histogram`], [`split`], [`grow`], [`boost`]), and what was learnt is a value ([`model`]) that
//! is applied to many rows at once ([`predict`]).
//!
//! ```
//! use modelwatch::kernel::gbdt::options::{Objective, Options};
//! use modelwatch::kernel::gbdt::predict::Predictor;
//! use modelwatch::kernel::gbdt::rows::Rows;
//! use modelwatch::kernel::pca::{Cell, columns::Kind};
//!
//! let mut rows = Rows::new(Objective::Squared, 1_000_000);
//! rows.require(&[("age".into(), Kind::Number), ("plan".into(), Kind::Text)])?;
//! for i in 0..200 {
//!     let plan = if i % 2 == 0 { "basic" } else { "pro" };
//!     let target = f64::from(i) + if plan == "pro" { 50.0 } else { 0.0 };
//!     rows.observe(target, 1.0, [Cell::number(f64::from(i)), Cell::Text(plan)].into_iter())?;
//! }
//! let model = rows.fit(&Options::default()).ok_or("no rows")?;
//! let predicted = Predictor::new(&model).one([Cell::number(100.0), Cell::Text("pro")].into_iter());
//! assert!((predicted - 150.0).abs() < 15.0);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Sources: Friedman (2001), Greedy function approximation: a gradient boosting machine; Ke et al. (2017), LightGBM: a
//! highly efficient gradient boosting decision tree, whose defaults are kept.
pub mod boost;
pub mod column;
pub mod grow;
pub mod histogram;
pub mod matrix;
pub mod model;
pub mod options;
pub mod predict;
pub mod rows;
mod rows_bytes;
mod rows_order;
pub mod split;
mod split_categories;
#[cfg(test)]
mod tests;
mod texts;
pub mod tree;

/// Targets beyond have no square that could be summed.
const LARGEST: f64 = 1e150;
