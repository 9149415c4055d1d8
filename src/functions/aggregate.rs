//! The one `AggregateUDFImpl`: a spec, and how a call becomes an [`Aggregation`].
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::utils::AggregateOrderSensitivity;
use datafusion::logical_expr::{
    Accumulator, AggregateUDF, AggregateUDFImpl, Documentation, GroupsAccumulator, Signature,
    Volatility,
};

use super::spec::FunctionSpec;
use crate::accumulate::{
    Aggregation, Arguments, GroupedAccumulator, RowAccumulator, Summary, refuse_distinct,
    state_fields,
};

/// Turns the constant arguments of a call into what its accumulators need.
pub(super) type Build<S> = fn(&'static FunctionSpec, Arguments) -> Result<Aggregation<S>>;

/// The aggregate that `spec` describes.
pub(super) fn aggregate<S: Summary>(
    spec: &'static FunctionSpec,
    output: DataType,
    build: Build<S>,
) -> Result<Arc<AggregateUDF>> {
    Ok(Arc::new(AggregateUDF::from(SummaryAggregate {
        spec,
        signature: spec.signature(Volatility::Immutable)?,
        documentation: spec.documentation(),
        output,
        build,
    })))
}

struct SummaryAggregate<S> {
    spec: &'static FunctionSpec,
    signature: Signature,
    documentation: Documentation,
    output: DataType,
    build: Build<S>,
}

impl<S> std::fmt::Debug for SummaryAggregate<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SummaryAggregate({})", self.spec.name)
    }
}

// the spec is the whole identity
impl<S> PartialEq for SummaryAggregate<S> {
    fn eq(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name
    }
}

impl<S> Eq for SummaryAggregate<S> {}

impl<S> Hash for SummaryAggregate<S> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.spec.name.hash(state);
    }
}

impl<S: Summary> SummaryAggregate<S> {
    fn aggregation(&self, args: &AccumulatorArgs) -> Result<Aggregation<S>> {
        refuse_distinct(self.spec.name, args)?;
        let arguments = Arguments::read(self.spec.told(), args.exprs, args.schema)?;
        (self.build)(self.spec, arguments)
    }
}

impl<S: Summary> AggregateUDFImpl for SummaryAggregate<S> {
    fn name(&self) -> &str {
        self.spec.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, types: &[DataType]) -> Result<Vec<DataType>> {
        self.spec.coerce(types)
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.output.clone())
    }

    fn state_fields(&self, args: StateFieldsArgs) -> Result<Vec<FieldRef>> {
        Ok(state_fields(&args))
    }

    fn accumulator(&self, args: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        Ok(Box::new(RowAccumulator::new(self.aggregation(&args)?)))
    }

    /// A raised level cannot fall when rows leave a frame, so the result would depend on earlier frames.
    fn create_sliding_accumulator(&self, _: AccumulatorArgs) -> Result<Box<dyn Accumulator>> {
        plan_err!(
            "{0}: a frame that loses rows is not supported. Expected a frame from UNBOUNDED PRECEDING. \
             Hint: {0}(...) with GROUP BY a period, or merge_profiles(profile) over a table of profiles",
            self.spec.name
        )
    }

    fn groups_accumulator_supported(&self, args: AccumulatorArgs) -> bool {
        !args.is_distinct
    }

    fn create_groups_accumulator(
        &self,
        args: AccumulatorArgs,
    ) -> Result<Box<dyn GroupsAccumulator>> {
        Ok(Box::new(GroupedAccumulator::new(self.aggregation(&args)?)))
    }

    fn order_sensitivity(&self) -> AggregateOrderSensitivity {
        AggregateOrderSensitivity::Insensitive
    }

    fn documentation(&self) -> Option<&Documentation> {
        Some(&self.documentation)
    }
}
