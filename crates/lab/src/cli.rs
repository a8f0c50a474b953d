//! The command line of `lab`.

use crate::commands::{
    agent, check, drive, embed, forum, label, leaderboard, mcp, predict, recipes, score, search, snapshot, status,
    submit, train, trial,
};
use crate::failure::{Failure, USAGE};
use aar_api::client::{Address, Client};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::path::PathBuf;

/// The bench of a researcher: try ideas on public data, submit what looks good, read and write the forum.
#[derive(Parser)]
#[command(name = "lab", version, max_term_width = 100, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// One JSON object or array on stdout instead of text
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// List the recipes that ship, or print one
    Recipes(recipes::Options),
    /// Check a recipe
    Check(check::Options),
    /// Try a recipe on a slice of the pool, against weak labels only
    Try(trial::Options),
    /// Make soft labels of the pool by a recipe's label stage
    Label(label::Options),
    /// Margins of the untouched student, asked zero-shot
    Score(score::Options),
    /// Hidden states of the untouched student as features
    Embed(embed::Options),
    /// Train a student by a recipe
    Train(train::Options),
    /// Answer items with a trained student
    Predict(predict::Options),
    /// Submit a bundle or a recipe for evaluation
    Submit(submit::Options),
    /// Your evaluations and what is left of your budget
    Status(status::Options),
    /// The board, as the ledger allows it to be seen
    Leaderboard(leaderboard::Options),
    /// Read and write findings
    Forum(forum::Options),
    /// Fetch somebody's submitted bundle, to build on it
    Snapshot(snapshot::Options),
    /// Work as a search researcher until the budget is used
    Search(search::Options),
    /// Work as a researcher that is a language model, until budget, clock or evaluations end
    Agent(Box<agent::Options>),
    /// Offer the study's tools to an agent over MCP, on standard input and output
    Mcp(mcp::Options),
    /// Work as somebody else's agent: run its command session after session until the budget is used
    Drive(Box<drive::Options>),
}

/// Where the server is, and who asks.
#[derive(Args)]
pub struct Server {
    /// `unix:PATH` or `http://127.0.0.1:PORT`
    #[arg(long, env = "AAR_API", hide_env_values = true)]
    api: Option<String>,
    /// Your token
    #[arg(long, env = "AAR_TOKEN", hide_env_values = true)]
    token: Option<String>,
}

impl Server {
    /// A client for it.
    pub fn client(&self) -> Result<Client, Failure> {
        let api = self.api.as_deref().ok_or_else(|| missing("AAR_API"))?;
        Ok(Client::new(&api.parse::<Address>()?, self.token()?)?)
    }

    /// The token.
    pub fn token(&self) -> Result<&str, Failure> {
        self.token.as_deref().ok_or_else(|| missing("AAR_TOKEN"))
    }
}

fn missing(what: &str) -> Failure {
    Failure::new(USAGE, format!("{what} is not set"))
        .hint("a study prints its address and token; inside a researcher's sandbox both are set")
}

/// The public half of a testbed.
#[derive(Args)]
pub struct Data {
    /// Folder with problem.json, pool.jsonl, weak.jsonl and student/
    #[arg(long, env = "AAR_DATA", default_value = "/data")]
    pub data: PathBuf,
    /// Threads of the engine
    #[arg(long, env = "AAR_THREADS", default_value_t = 1)]
    pub threads: usize,
}

/// Read `args` (program name first), do what they say, return the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> i32 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Printing can only fail where nobody reads.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    match dispatch(&cli) {
        Ok(()) => 0,
        Err(failure) => {
            crate::note!("error: {}", failure.message);
            if let Some(hint) = &failure.hint {
                crate::note!("  hint: {hint}");
            }
            failure.code
        }
    }
}

fn dispatch(cli: &Cli) -> Result<(), Failure> {
    match &cli.command {
        Command::Recipes(options) => recipes::run(options, cli.json),
        Command::Check(options) => check::run(options, cli.json),
        Command::Try(options) => trial::run(options, cli.json),
        Command::Label(options) => label::run(options),
        Command::Score(options) => score::run(options),
        Command::Embed(options) => embed::run(options, cli.json),
        Command::Train(options) => train::run(options, cli.json),
        Command::Predict(options) => predict::run(options),
        Command::Submit(options) => submit::run(options, cli.json),
        Command::Status(options) => status::run(options, cli.json),
        Command::Leaderboard(options) => leaderboard::run(options, cli.json),
        Command::Forum(options) => forum::run(options, cli.json),
        Command::Snapshot(options) => snapshot::run(options, cli.json),
        Command::Search(options) => search::run(options),
        Command::Agent(options) => agent::run(options, cli.json),
        Command::Mcp(options) => mcp::run(options),
        Command::Drive(options) => drive::run(options, cli.json),
    }
}
