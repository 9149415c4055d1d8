//! The `modelwatch` program.
use std::process::ExitCode;

/// Profiles come and go in pieces of megabytes; the system's allocator returns each to the kernel and faults it
/// in again, which took an eighth of the CPU time of a monitoring query.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    modelwatch::cli::run()
}
