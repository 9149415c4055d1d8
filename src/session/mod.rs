//! Opening a session: settings, limits of memory and disk, and every function of this crate.
pub mod files;
mod memory;
mod pattern;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::execution::memory_pool::{FairSpillPool, TrackConsumersPool};
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::prelude::{SessionConfig, SessionContext};

use crate::options::MonitorOptions;
use crate::register_all;

pub use files::register_files;
pub use memory::out_of_memory_hint;

/// How many of the largest consumers an out-of-memory message lists.
const LISTED_CONSUMERS: NonZeroUsize = NonZeroUsize::new(5).unwrap();

/// What a session may use, and its `monitor.*` defaults.
///
/// ```
/// # fn main() -> datafusion::common::Result<()> {
/// use modelwatch::session::SessionSettings;
///
/// let settings = SessionSettings { memory_limit: Some(2 << 30), ..Default::default() };
/// let context = settings.open()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
pub struct SessionSettings {
    /// Bytes that all queries of the session may hold together; beyond it they spill to disk,
    /// and fail where they cannot. `None`: no limit.
    pub memory_limit: Option<usize>,
    /// Bytes that spilled data may take on disk. `None`: the limit of DataFusion (100 GB).
    pub spill_limit: Option<u64>,
    /// Where spilled data goes. `None`: the temporary directory of the system.
    pub spill_directory: Option<PathBuf>,
    /// Partitions that a query runs in. `None`: one for each core.
    pub target_partitions: Option<NonZeroUsize>,
    /// Defaults of the monitoring functions.
    pub monitor: MonitorOptions,
}

impl SessionSettings {
    /// A session with every function registered, the information schema, and files as tables
    /// (`SELECT * FROM 'predictions.parquet'`).
    ///
    /// # Errors
    /// When the temporary directory cannot be used or a function cannot be registered.
    pub fn open(self) -> Result<SessionContext> {
        let runtime = self.runtime()?;
        let mut config = SessionConfig::new()
            .with_information_schema(true)
            .with_option_extension(self.monitor);
        if let Some(partitions) = self.target_partitions {
            config = config.with_target_partitions(partitions.get());
        }
        // files as tables rebuild the state, so functions are registered on what comes out of it
        let context = SessionContext::new_with_config_rt(config, runtime).enable_url_table();
        register_all(&context)?;
        Ok(context)
    }

    fn runtime(&self) -> Result<Arc<RuntimeEnv>> {
        let mut builder = RuntimeEnvBuilder::new();
        if let Some(bytes) = self.memory_limit {
            // a greedy pool lets an aggregate keep what a sort above it needs in order to spill
            let pool = TrackConsumersPool::new(FairSpillPool::new(bytes), LISTED_CONSUMERS);
            builder = builder.with_memory_pool(Arc::new(pool));
        }
        if let Some(directory) = &self.spill_directory {
            builder = builder.with_temp_file_path(directory);
        }
        if let Some(bytes) = self.spill_limit {
            builder = builder.with_max_temp_directory_size(bytes);
        }
        builder.build_arc()
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::util::pretty::pretty_format_batches;

    use super::*;

    async fn show(context: &SessionContext, sql: &str) -> Result<String> {
        let batches = context.sql(sql).await?.collect().await?;
        Ok(pretty_format_batches(&batches)?.to_string())
    }

    #[tokio::test]
    async fn settings_are_set_shown_and_listed() {
        let context = SessionSettings::default().open().unwrap();
        context.sql("SET monitor.max_bins = 64").await.unwrap();
        let shown = show(&context, "SHOW monitor.max_bins").await.unwrap();
        assert!(shown.contains("| monitor.max_bins | 64    |"), "{shown}");
        let listed = "SELECT count(*) AS n FROM information_schema.df_settings \
                      WHERE name LIKE 'monitor.%'";
        let listed = show(&context, listed).await.unwrap();
        assert!(listed.contains("| 5 |"), "{listed}");
    }

    #[tokio::test]
    async fn a_refused_setting_names_the_range() {
        let context = SessionSettings::default().open().unwrap();
        let refused = context
            .sql("SET monitor.confidence_level = 95")
            .await
            .unwrap_err();
        let message = refused.to_string();
        assert!(message.contains("above 0 and below 1"), "{message}");
        assert!(
            message.contains("SET monitor.confidence_level = 0.95"),
            "{message}"
        );
    }

    #[tokio::test]
    async fn a_memory_limit_is_kept() {
        let settings = SessionSettings {
            memory_limit: Some(1 << 20),
            ..Default::default()
        };
        let context = settings.open().unwrap();
        let sql = "SELECT array_agg(value) FROM generate_series(1, 1000000)";
        let error = show(&context, sql).await.unwrap_err().to_string();
        assert!(error.contains("Resources exhausted"), "{error}");
    }
}
