//! The command line of `aar`.

use crate::commands::{
    ablate, attack, audit, bench, ctl, doctor, export, gateway, import, mint, open, regrade, replay, report, run,
    serve, sign, tabulate, testbed, token, transfer, worker,
};
use crate::failure::USAGE;
use clap::{Parser, Subcommand};
use std::ffi::OsString;

/// Studies of autonomous researchers on problems with a gradable outcome, scored by a server that alone knows the truth.
#[derive(Parser)]
#[command(name = "aar", version, max_term_width = 100, arg_required_else_help = true, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 a check did not hold, 64 wrong usage, 65 bad input, 69 something is unavailable, \
70 a defect, 73 an output can't be created, 74 input or output failed, 75 not now, 78 less isolation than demanded, 130 stopped.";

#[derive(Subcommand)]
enum Command {
    /// Run a study, or go on with one
    Run(run::Options),
    /// Keep a study open for people and agents of anybody, until `aar ctl close`
    Serve(serve::Options),
    /// Let somebody work on a running study
    #[command(subcommand)]
    Token(token::Command),
    /// Look after a running study: pause, resume, stop, message, extend, close
    #[command(subcommand)]
    Ctl(ctl::Command),
    /// Say a word on finalists and verdicts: sign off, refuse, overturn, uphold
    #[command(subcommand)]
    Sign(sign::Command),
    /// Mint a sealed world: a testbed that exists nowhere else
    Mint(mint::Options),
    /// Import real data as a testbed
    Import(import::Options),
    /// Whether a testbed is fit to measure on
    Testbed(testbed::Options),
    /// Compare the recipes that ship over testbeds
    #[command(subcommand)]
    Bench(bench::Command),
    /// Run hundreds of recipes on a testbed and keep every answer, as a table that studies can be replayed against
    Tabulate(tabulate::Options),
    /// Replay studies against such tables: what about a team makes it find more?
    Ablate(ablate::Options),
    /// Write a study's report again, from its event log
    Report(report::Options),
    /// Write a study's evaluations, seeds, findings and comments as tables
    Export(export::Options),
    /// Compute a study's leaderboard again from the stored margins and compare it with result.json
    Regrade(regrade::Options),
    /// Try a closed study's finalists, untouched, on other testbeds: does it hold elsewhere?
    Transfer(transfer::Options),
    /// Attack the grader over fresh truths: what could a team that only wants to win get out of it?
    Attack(attack::Options),
    /// Read what a researcher's language model was told and said, from the transcript
    Replay(replay::Options),
    /// Find out whether a study's event log was changed
    #[command(subcommand)]
    Audit(audit::Command),
    /// Show a study's pages until Ctrl-C
    Open(open::Options),
    /// What isolation and speed this machine gives
    Doctor(doctor::Options),
    /// Work on a study's evaluations (started by `aar run`)
    #[command(hide = true)]
    Worker(worker::Options),
    /// Hold the keys to language models, pass calls on, keep the team's ledger (started by `aar run`)
    #[command(hide = true)]
    Gateway(gateway::Options),
    /// The bench of a researcher: `aar lab --help`
    #[command(disable_help_flag = true)]
    Lab {
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<OsString>,
    },
}

/// Read `args` (program name first), do what they say, return the exit code.
pub fn run(args: Vec<OsString>) -> i32 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => {
            // Printing can only fail where nobody reads.
            let _ = error.print();
            return if error.use_stderr() { USAGE } else { 0 };
        }
    };
    let done = match &cli.command {
        Command::Run(options) => run::run(options),
        Command::Serve(options) => serve::run(options),
        Command::Token(command) => token::run(command),
        Command::Ctl(command) => ctl::run(command),
        Command::Sign(command) => sign::run(command),
        Command::Mint(options) => mint::run(options),
        Command::Import(options) => import::run(options),
        Command::Testbed(options) => testbed::run(options),
        Command::Bench(command) => bench::run(command),
        Command::Tabulate(options) => tabulate::run(options),
        Command::Ablate(options) => ablate::run(options),
        Command::Report(options) => report::run(options),
        Command::Export(options) => export::run(options),
        Command::Regrade(options) => regrade::run(options),
        Command::Transfer(options) => transfer::run(options),
        Command::Attack(options) => attack::run(options),
        Command::Replay(options) => replay::run(options),
        Command::Audit(command) => audit::run(command),
        Command::Open(options) => open::run(options),
        Command::Doctor(options) => doctor::run(options),
        Command::Worker(options) => worker::run(options),
        Command::Gateway(options) => gateway::run(options),
        Command::Lab { args } => {
            return aar_lab::run(std::iter::once("lab".into()).chain(args.iter().cloned()));
        }
    };
    match done {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    }
}
