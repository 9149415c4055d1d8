//! One statement from text to printed rows, which Ctrl-C can cancel.
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::DataFusionError;
use datafusion::common::runtime::SpawnedTask;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionContext;
use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::{SinkExt, StreamExt};
use tokio::time::{Interval, interval};

use super::failure::{Failure, Trouble};
use super::interrupt::Interrupt;
use super::output::{Format, Printed, Printer};
use super::progress::{Progress, TICK};
use super::script::Piece;
use crate::session::out_of_memory_hint;

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

/// Where results go, how they are shown, and what stops them.
pub struct Console<'a> {
    /// Format and limit.
    pub display: Display,
    interrupt: Interrupt,
    out: &'a mut dyn Write,
}

impl<'a> Console<'a> {
    /// Listens for Ctrl-C from now on.
    ///
    /// # Errors
    /// When the system does not let the program listen.
    pub fn open(display: Display, out: &'a mut dyn Write) -> Result<Self, Failure> {
        let interrupt = Interrupt::listen().map_err(|error| Failure::at("Ctrl-C", error))?;
        Ok(Self {
            display,
            interrupt,
            out,
        })
    }

    /// Writes text as it is.
    ///
    /// # Errors
    /// When the output does not take it.
    pub fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// Runs one statement and prints its result, with the time that it took.
///
/// # Errors
/// Whatever goes wrong in between; [`Trouble::Interrupted`] on Ctrl-C, when the query is dropped.
pub async fn run(
    context: &SessionContext,
    piece: Piece,
    console: &mut Console<'_>,
) -> Result<(Printed, Duration), Trouble> {
    let mut query = Running::start(context, piece, &mut console.interrupt);
    let printed = query.print(console.display, console.out).await;
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
    console: &mut Console<'_>,
) -> Result<Vec<RecordBatch>, Trouble> {
    let mut query = Running::start(context, piece, &mut console.interrupt);
    let rows = query.rows().await;
    query.progress.clear();
    rows
}

/// A statement under way. Dropping it cancels the query.
struct Running<'a> {
    events: Receiver<Result<Event, Trouble>>,
    task: SpawnedTask<()>,
    interrupt: &'a mut Interrupt,
    ticks: Interval,
    progress: Progress,
}

impl<'a> Running<'a> {
    fn start(context: &SessionContext, piece: Piece, interrupt: &'a mut Interrupt) -> Self {
        let (sender, events) = channel(AHEAD);
        Self {
            events,
            // a task of its own: a query that is slow to yield cannot keep Ctrl-C from being heard
            task: SpawnedTask::spawn(produce(context.clone(), piece, sender)),
            interrupt,
            ticks: interval(TICK),
            progress: Progress::start(),
        }
    }

    async fn print(&mut self, display: Display, out: &mut dyn Write) -> Result<Printed, Trouble> {
        let Some(Event::Planned(schema, plan)) = self.next().await? else {
            return Ok(Printed::default());
        };
        self.progress.watch(plan);
        let mut printer = Printer::new(out, display.format, schema, display.limit);
        while let Some(Event::Batch(batch)) = self.next().await? {
            if printer.writes(&batch) {
                self.progress.clear();
            }
            printer.print(&batch)?;
        }
        self.progress.clear();
        printer.finish()
    }

    async fn rows(&mut self) -> Result<Vec<RecordBatch>, Trouble> {
        let mut rows = vec![];
        while let Some(event) = self.next().await? {
            match event {
                Event::Planned(_, plan) => self.progress.watch(plan),
                Event::Batch(batch) => rows.push(batch),
            }
        }
        Ok(rows)
    }

    async fn next(&mut self) -> Result<Option<Event>, Trouble> {
        loop {
            tokio::select! {
                biased;
                () = self.interrupt.heard() => return Err(Trouble::Interrupted),
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

async fn produce(
    context: SessionContext,
    piece: Piece,
    mut sender: Sender<Result<Event, Trouble>>,
) {
    if let Err(error) = feed(&context, piece, &mut sender).await {
        // the receiver is gone only if the statement was cancelled
        let _ = sender.send(Err(error)).await;
    }
}

async fn feed(
    context: &SessionContext,
    piece: Piece,
    sender: &mut Sender<Result<Event, Trouble>>,
) -> Result<(), Trouble> {
    let statement = piece.parse(context)?;
    let plan = context.state().statement_to_plan(statement).await?;
    let done = execute(context, plan.clone(), sender).await;
    done.map_err(|error| {
        let hint = out_of_memory_hint(&error, &plan);
        Trouble::Query { error, hint }
    })
}

async fn execute(
    context: &SessionContext,
    plan: LogicalPlan,
    sender: &mut Sender<Result<Event, Trouble>>,
) -> Result<(), DataFusionError> {
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
