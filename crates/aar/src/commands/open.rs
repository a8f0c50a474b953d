//! `aar open`: the pages of a study that is over or stopped.

use crate::commands::report::{Reopened, reopen};
use crate::commands::run::listen_for_stop;
use crate::failure::{Failure, UNAVAILABLE};
use aar_server::pages::Visitor;
use aar_study::{StudyError, result};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// Loopback port; any free one by default
    #[arg(long, default_value_t = 0)]
    port: u16,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    listen_for_stop(stop.clone());
    let Reopened { plan, locked: _locked, testbed, server } = reopen(&options.directory)?;
    let http = server.show(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))).map_err(StudyError::from)?;
    let link = server
        .invite(Visitor::Operator)
        .ok_or_else(|| Failure::new(UNAVAILABLE, "the operating system gave no random numbers"))?;
    // On stdout: it is what the command is for.
    aar_lab::say!("open       http://{http}/?t={link}   (works once; Ctrl-C ends)");
    server.conclude(&result::of(&server, &plan, &testbed.record).verdict);
    while !stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
