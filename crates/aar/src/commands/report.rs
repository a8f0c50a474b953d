//! `aar report`: a study's result and page, computed again from its event log; in HTML, Markdown or JSON.

use crate::commands::run::print_result;
use crate::failure::Failure;
use aar_server::{Server, ServerConfig};
use aar_study::directory::{self, StudyDirectory};
use aar_study::testbed::{self, Testbed};
use aar_study::{Plan, StudyResult, report, result};
use std::path::{Path, PathBuf};

#[derive(clap::Args)]
pub struct Options {
    /// A study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// One HTML file, report.html in the study's directory (the default)
    #[arg(long, conflicts_with_all = ["md", "json"])]
    html: bool,
    /// Markdown on stdout
    #[arg(long, conflicts_with = "json")]
    md: bool,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let opened = reopen(&options.directory)?;
    let (result, place) = write_again(&opened)?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&result).unwrap_or_default());
    } else if options.md {
        let Reopened { plan, testbed, server, .. } = &opened;
        aar_lab::say!("{}", report::markdown::text(&result, plan, &testbed.record, server));
    } else if options.html {
        aar_lab::say!("{}", place.display());
    } else {
        print_result(&result, &place);
    }
    Ok(())
}

/// Write report.html and result.json again from the log. Returns the result and the page's place.
pub fn write_again(opened: &Reopened) -> Result<(StudyResult, PathBuf), Failure> {
    let Reopened { plan, locked, testbed, server } = opened;
    let result = result::of(server, plan, &testbed.record);
    let place = write(&result, plan, testbed, locked, server)?;
    Ok((result, place))
}

/// Write `report.html`, whose place comes back, and `result.json`.
pub fn write(
    result: &StudyResult,
    plan: &Plan,
    testbed: &Testbed,
    study: &StudyDirectory,
    server: &Server,
) -> Result<PathBuf, Failure> {
    let place = study.path("report.html");
    directory::write_whole(&place, &report::page(result, plan, &testbed.record, server))?;
    let text = serde_json::to_string_pretty(result).unwrap_or_default() + "\n";
    directory::write_whole(&study.path("result.json"), &text)?;
    Ok(place)
}

/// A study that was run before, opened to look at.
pub struct Reopened {
    pub plan: Plan,
    pub locked: StudyDirectory,
    pub testbed: Testbed,
    pub server: Server,
}

/// Open a study's directory with the testbed that it was run on.
pub fn reopen(directory: &Path) -> Result<Reopened, Failure> {
    let plan = directory::read(directory)?.plan;
    let (locked, _) = StudyDirectory::open(directory, &plan)?;
    let own = locked.path("testbed");
    let path = if own.exists() { own } else { testbed::find(&plan.testbed, &crate::places::worlds())? };
    let testbed = testbed::open(&path)?;
    let server = Server::start(&ServerConfig {
        log: locked.path("study.db"),
        testbed: testbed.path.clone(),
        socket: None,
        http: None,
    })
    .map_err(aar_study::StudyError::from)?;
    Ok(Reopened { plan, locked, testbed, server })
}
