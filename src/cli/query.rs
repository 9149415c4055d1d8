//! One statement from text to printed rows, which Ctrl-C can cancel.
use std::io::{self, Write};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::runtime::SpawnedTask;
use datafusion::common::{DataFusionError, Result};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::{SinkExt, StreamExt};
use tokio::time::{Interval, interval};

use super::failure::Trouble;
use super::output::{Format, Printed, Printer};
use super::progress::{Progress, TICK};
use super::script::Piece;

/// Batches that wait to be printed while the query goes on.
const AHEAD: usize = 2;

enum Event {
    Planned(SchemaRef, Arc<dyn ExecutionPlan>),
    Batch(RecordBatch),
}

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Display {
    /// The format of rows.
    pub format: Format,
    /// Most rows of a table.
    pub limit: usize,
}

/// Runs one statement and prints its result, with the time that it took.
///
/// # Errors
/// Whatever goes wrong in between; [`Trouble::Interrupted`] on Ctrl-C, when the query is dropped.
pub async fn run(
    context: &SessionContext,
    piece: Piece,
    display: Display,
    out: &mut dyn Write,
) -> std::result::Result<(Printed, Duration), Trouble> {
    let mut query = Running::start(context, piece);
    let printed = query.print(display, out).await;
    query.progress.clear();
    Ok((printed?, query.progress.elapsed()))
}

/// Runs one statement and returns its rows, with the same progress and the same Ctrl-C.
///
/// # Errors
/// As [`run`].
pub async fn collect(
    context: &SessionContext,
    piece: Piece,
) -> std::result::Result<Vec<RecordBatch>, Trouble> {
    let mut query = Running::start(context, piece);
    let rows = query.rows().await;
    query.progress.clear();
    rows
}

/// A statement under way. Dropping it cancels the query.
struct Running {
    events: Receiver<Result<Event>>,
    task: SpawnedTask<()>,
    interrupt: Pin<Box<dyn Future<Output = io::Result<()>>>>,
    ticks: Interval,
    progress: Progress,
}

impl Running {
    fn start(context: &SessionContext, piece: Piece) -> Self {
        let (sender, events) = channel(AHEAD);
        Self {
            events,
            // a task of its own: a query that is slow to yield cannot keep Ctrl-C from being heard
            task: SpawnedTask::spawn(produce(context.clone(), piece, sender)),
            // one listener for the whole run: a signal between two batches is not lost
            interrupt: Box::pin(tokio::signal::ctrl_c()),
            ticks: interval(TICK),
            progress: Progress::start(),
        }
    }

    async fn print(
        &mut self,
        display: Display,
        out: &mut dyn Write,
    ) -> std::result::Result<Printed, Trouble> {
        let Some(Event::Planned(schema, plan)) = self.next().await? else {
            return Ok(Printed::default());
        };
        self.progress.watch(plan);
        let mut printer = Printer::new(out, display.format, schema, display.limit);
        while let Some(Event::Batch(batch)) = self.next().await? {
            if display.format != Format::Table {
                self.progress.clear();
            }
            printer.print(&batch)?;
        }
        self.progress.clear();
        printer.finish()
    }

    async fn rows(&mut self) -> std::result::Result<Vec<RecordBatch>, Trouble> {
        let mut rows = vec![];
        while let Some(event) = self.next().await? {
            match event {
                Event::Planned(_, plan) => self.progress.watch(plan),
                Event::Batch(batch) => rows.push(batch),
            }
        }
        Ok(rows)
    }

    async fn next(&mut self) -> std::result::Result<Option<Event>, Trouble> {
        loop {
            tokio::select! {
                biased;
                _ = &mut self.interrupt => return Err(Trouble::Interrupted),
                event = self.events.next() => match event {
                    Some(event) => return Ok(Some(event?)),
                    None => break,
                },
                _ = self.ticks.tick() => self.progress.tick(),
            }
        }
        // a panic ends the events too, and must not pass for the end of the rows
        let ended = (&mut self.task).await;
        ended
            .map_err(|error| DataFusionError::Execution(format!("the query broke off: {error}")))?;
        Ok(None)
    }
}

async fn produce(context: SessionContext, piece: Piece, mut sender: Sender<Result<Event>>) {
    if let Err(error) = feed(&context, piece, &mut sender).await {
        // the receiver is gone only if the statement was cancelled
        let _ = sender.send(Err(error)).await;
    }
}

async fn feed(
    context: &SessionContext,
    piece: Piece,
    sender: &mut Sender<Result<Event>>,
) -> Result<()> {
    let statement = piece.parse(context)?;
    let plan = context.state().statement_to_plan(statement).await?;
    let frame = context.execute_logical_plan(plan).await?;
    let task = Arc::new(frame.task_ctx());
    let plan = frame.create_physical_plan().await?;
    let planned = Event::Planned(plan.schema(), Arc::clone(&plan));
    if sender.send(Ok(planned)).await.is_err() {
        return Ok(());
    }
    let mut batches = execute_stream(plan, task)?;
    while let Some(batch) = batches.next().await {
        if sender.send(Ok(Event::Batch(batch?))).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}
