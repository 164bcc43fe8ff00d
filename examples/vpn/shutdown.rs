//! An orderly end on SIGINT and SIGTERM.

use std::io;
use std::time::Duration;

use tokio::signal::unix::Signal;
use tokio::signal::unix::SignalKind;
use tokio::signal::unix::signal;

/// The two signals that ask for an orderly end.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

pub(crate) fn signals() -> io::Result<Signals> {
    Ok(Signals {
        interrupt: signal(SignalKind::interrupt())?,
        terminate: signal(SignalKind::terminate())?,
    })
}

impl Signals {
    pub(crate) async fn wait(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ends the process when peers have not let go of it in time.
pub(crate) async fn give_up_after(limit: Duration) {
    tokio::time::sleep(limit).await;
    eprintln!("peers did not answer the close within {} s", limit.as_secs());
    std::process::exit(1);
}
