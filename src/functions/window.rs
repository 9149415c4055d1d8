//! The one `WindowUDFImpl`: a spec, and a function of all rows of a partition.
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    Documentation, LimitEffect, PartitionEvaluator, Signature, Volatility, WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use super::spec::FunctionSpec;

/// A value for each row of a partition, from its argument columns and the number of its rows.
pub(super) type OfPartition = fn(&FunctionSpec, &[ArrayRef], usize) -> Result<ArrayRef>;

/// The window function that `spec` describes.
pub(super) fn window(
    spec: &'static FunctionSpec,
    output: DataType,
    of_partition: OfPartition,
) -> Result<Arc<WindowUDF>> {
    Ok(Arc::new(WindowUDF::from(PartitionFunction {
        spec,
        signature: spec.signature(Volatility::Immutable)?,
        documentation: spec.documentation(),
        output,
        of_partition,
    })))
}

#[derive(Debug)]
struct PartitionFunction {
    spec: &'static FunctionSpec,
    signature: Signature,
    documentation: Documentation,
    output: DataType,
    of_partition: OfPartition,
}

// the spec is the whole identity
impl PartialEq for PartitionFunction {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl Eq for PartitionFunction {}

impl Hash for PartitionFunction {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl WindowUDFImpl for PartitionFunction {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.spec.coerce(types)
    }

    fn field(&self, args: WindowUDFFieldArgs) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), self.output.clone(), true)))
    }

    fn partition_evaluator(
        &self,
        _: PartitionEvaluatorArgs,
    ) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator {
            spec: self.spec,
            of_partition: self.of_partition,
        }))
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }

    /// A row's value depends on all rows of its partition.
    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Evaluator {
    spec: &'static FunctionSpec,
    of_partition: OfPartition,
}

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        (self.of_partition)(self.spec, values, rows)
    }
}
