//! Ctrl-C, heard from the moment of listening.
use std::io;

#[cfg(unix)]
type Signal = tokio::signal::unix::Signal;
#[cfg(windows)]
type Signal = tokio::signal::windows::CtrlC;

/// Listens for Ctrl-C. One listener serves a whole run: with one a statement, a signal between
/// two statements would be lost.
#[derive(Debug)]
pub struct Interrupt(Signal);

impl Interrupt {
    /// From now on, Ctrl-C no longer ends the program.
    ///
    /// # Errors
    /// When the system does not let the program listen.
    pub fn listen() -> io::Result<Self> {
        #[cfg(unix)]
        let signal = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?;
        #[cfg(windows)]
        let signal = tokio::signal::windows::ctrl_c()?;
        Ok(Self(signal))
    }

    /// Returns at the next Ctrl-C, or at once if there was one since the last call.
    pub async fn heard(&mut self) {
        // no more signals can come once the runtime shuts down, and then nobody waits
        let _ = self.0.recv().await;
    }
}
