//! `aar gateway`: a process of its own that holds the keys to language models.

use crate::failure::{Failure, UNAVAILABLE};
use aar_gateway::gateway;
use aar_gateway::secret::Key;
use aar_gateway::settings::GatewaySettings;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;
use std::sync::Arc;
use tokio::sync::Notify;

#[derive(clap::Args)]
pub struct Options {
    /// TOML or JSON; names the environment variables that hold the keys
    #[arg(long)]
    settings: PathBuf,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_ansi(false).init();
    let settings = GatewaySettings::read(&options.settings)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Failure::new(UNAVAILABLE, format!("start the gateway's threads: {error}")))?;
    let end = ended();
    let key = |variable: &str| {
        let value = std::env::var(variable).ok()?;
        (!value.trim().is_empty()).then(|| Key::new(&value))
    };
    aar_lab::note!("gateway: {}", settings.socket.display());
    runtime.block_on(gateway::run(&settings, &key, end.notified()))?;
    Ok(())
}

/// Notified when the gateway is to end: who started it closes its standard input, a person at a terminal presses Ctrl-C.
fn ended() -> Arc<Notify> {
    let end = Arc::new(Notify::new());
    let interrupted = end.clone();
    let by_hand = std::io::stdin().is_terminal();
    // Ctrl-C goes to the whole group of processes; a study decides by itself when its gateway ends.
    let _ = ctrlc::set_handler(move || {
        if by_hand {
            interrupted.notify_one();
        }
    });
    let closed = end.clone();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        closed.notify_one();
    });
    end
}
