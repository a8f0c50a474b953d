//! `aar ablate`: what about a team makes it find more? Studies replayed against the tables of `aar tabulate`.

use crate::failure::{Failure, INPUT, USAGE};
use crate::places;
use crate::show::style;
use aar_grader::ledger::Policy;
use aar_study::ablation::bench::Bench;
use aar_study::ablation::markdown::{self, MARKS};
use aar_study::ablation::questions::STEP;
use aar_study::ablation::report::{self, Report, Settings};
use aar_study::testbed::ready_made;
use aar_worlds::bench::markdown::between;
use indicatif::ProgressBar;
use std::path::PathBuf;

#[derive(clap::Args)]
pub struct Options {
    /// Tables of `aar tabulate`; by default those in the folder `tables` here or above the program
    #[arg(value_name = "TABLE")]
    tables: Vec<PathBuf>,
    /// The tables' testbeds; by default the worlds that ship
    #[arg(long, num_args = 1.., value_name = "DIR")]
    testbeds: Vec<PathBuf>,
    /// Questions, out of search, directions, specific, forum, snapshots, cold-start, trials, team, ledger, entropy, many; all by default
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    only: Vec<String>,
    /// Study seeds on each table
    #[arg(long, default_value_t = 100, value_name = "N")]
    studies: u64,
    /// Counted operations of a whole study, in evaluations of plain training
    #[arg(long, default_value_t = 36.0, value_name = "X")]
    budget: f64,
    /// What researchers are told of scores
    #[arg(long, value_enum, default_value = "naive")]
    policy: Told,
    /// Put the tables into this Markdown page, in place of the last ones
    #[arg(long, value_name = "PAGE")]
    out: Option<PathBuf>,
    /// Everything as JSON on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Told {
    /// Every value on a grid of 0.05, as the default study
    Naive,
    /// The best so far, moved only by what a test tells apart
    Ladder,
    /// Every value
    Exact,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let settings = settings(options)?;
    let tables = if options.tables.is_empty() { places::tables() } else { options.tables.clone() };
    if tables.is_empty() {
        return Err(Failure::new(INPUT, "there is no table to replay against").hint("`aar tabulate` makes them"));
    }
    let shipped = || ready_made(places::worlds().get(..1).unwrap_or_default());
    let testbeds = if options.testbeds.is_empty() { shipped() } else { options.testbeds.clone() };
    let benches = tables.iter().map(|table| Bench::open(table, &testbeds)).collect::<Result<Vec<_>, _>>()?;
    let bar =
        if options.quiet { ProgressBar::hidden() } else { ProgressBar::new(report::studies(&settings, benches.len())) };
    bar.set_style(style("  {bar:24} {pos}/{len} studies, {eta} left"));
    let report = report::run(&benches, settings, &|| bar.inc(1));
    bar.finish_and_clear();
    let rendered = markdown::render(&report, &again(options));
    write(options, &report, &rendered)
}

fn write(options: &Options, report: &Report, rendered: &str) -> Result<(), Failure> {
    if let Some(page) = &options.out {
        super::bench::put(page, |before| between(before, rendered, MARKS, "Researchers"))?;
    }
    match (&options.out, options.json) {
        (_, true) => aar_lab::say!("{}", serde_json::to_string_pretty(report).unwrap_or_default()),
        (Some(page), false) => aar_lab::note!("the tables are in {}", page.display()),
        (None, false) => aar_lab::say!("{rendered}"),
    }
    Ok(())
}

fn settings(options: &Options) -> Result<Settings, Failure> {
    let known = report::names();
    if let Some(unknown) = options.only.iter().find(|name| !known.contains(&name.as_str())) {
        return Err(
            Failure::new(USAGE, format!("{unknown:?} is no question")).hint(format!("one of {}", known.join(", ")))
        );
    }
    if options.studies < 2 {
        return Err(Failure::new(USAGE, "an interval over study seeds needs at least 2").hint("--studies 12 or more"));
    }
    if !(1.0..=1e6).contains(&options.budget) {
        let message = format!("a budget of {} can't be used", options.budget);
        return Err(Failure::new(USAGE, message).hint("1 is one evaluation of plain training, 36 is usual"));
    }
    let questions = match options.only.is_empty() {
        true => known.into_iter().map(str::to_owned).collect(),
        false => options.only.clone(),
    };
    let policy = match options.policy {
        Told::Naive => Policy::Naive { step: STEP },
        Told::Ladder => Policy::Ladder { step: STEP },
        Told::Exact => Policy::Exact,
    };
    Ok(Settings { studies: options.studies, budget: options.budget, policy, questions })
}

/// The command that makes the page again, without paths of this machine.
fn again(options: &Options) -> String {
    let mut words = vec!["aar ablate".to_owned()];
    let names = options
        .tables
        .iter()
        .filter_map(|path| path.file_name())
        .map(|name| format!("tables/{}", name.to_string_lossy()));
    words.extend(names);
    if !options.only.is_empty() {
        words.push(format!("--only {}", options.only.join(",")));
    }
    words.push(format!("--studies {} --budget {}", options.studies, options.budget));
    if options.policy != Told::Naive {
        words.push(format!("--policy {:?}", options.policy).to_lowercase());
    }
    words.join(" ")
}
