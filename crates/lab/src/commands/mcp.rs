//! `lab mcp`

use crate::cli::Server;
use crate::failure::{CREATE, Failure, INTERNAL, USAGE};
use aar_agent::mcp::{self, Listener};
use aar_agent::settings::Settings;
use aar_agent::tools::Platform;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Serve streamable HTTP at /mcp on `unix:PATH` or `127.0.0.1:PORT` instead; clients bring the token as bearer
    #[arg(long)]
    listen: Option<String>,
    /// Where snapshots are put and relative paths begin
    #[arg(long, env = "AAR_WORK", default_value = ".")]
    work: PathBuf,
    /// Folder with problem.json, pool.jsonl, weak.jsonl and student/
    #[arg(long, env = "AAR_DATA", default_value = "/data")]
    data: PathBuf,
    #[command(flatten)]
    server: Server,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let settings = Settings {
        work: options.work.clone(),
        data: options.data.clone(),
        lab: super::own_program(),
        ..Settings::inside("")
    };
    let platform = Platform::new(settings, options.server.client()?, options.server.token()?);
    let served = match &options.listen {
        None => mcp::serve_stdio(platform),
        Some(address) => mcp::serve_http(platform, listen(address)?),
    };
    served.map_err(|error| Failure::new(INTERNAL, error.to_string()))
}

fn listen(address: &str) -> Result<Listener, Failure> {
    let failed = |error: std::io::Error| Failure::new(CREATE, format!("listen on {address}: {error}"));
    if let Some(path) = address.strip_prefix("unix:") {
        return UnixListener::bind(path).map(Listener::Unix).map_err(failed);
    }
    let socket: SocketAddr = address
        .parse()
        .map_err(|_| Failure::new(USAGE, format!("{address:?} is neither unix:PATH nor 127.0.0.1:PORT")))?;
    if !socket.ip().is_loopback() {
        return Err(Failure::new(USAGE, format!("{address} is not on this machine alone"))
            .hint("listen on 127.0.0.1, and forward the port where others shall reach it"));
    }
    TcpListener::bind(socket).map(Listener::Tcp).map_err(failed)
}
