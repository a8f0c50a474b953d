//! `aar transfer`: does what a study found hold elsewhere?

mod produced;

use crate::commands::mint;
use crate::commands::report::{Reopened, reopen, write_again};
use crate::commands::run::{listen_for_stop, shipped};
use crate::failure::{Failure, INPUT, UNAVAILABLE, USAGE};
use crate::places;
use crate::show::style;
use aar_api::bundle::Bundle;
use aar_domain::rung::{Kind, Split};
use aar_domain::stats::Estimate;
use aar_domain::transfer::matrix::{Matrix, Predicts};
use aar_domain::transfer::production::Trial;
use aar_sandbox::Isolation;
use aar_server::Server;
use aar_server::event::{Phase, Seed};
use aar_study::report::elsewhere;
use aar_study::testbed::{self, Testbed};
use aar_study::transfer::production::Question;
use aar_study::transfer::{self, Method, TransferConfig, TrialEvent};
use aar_worlds::bench::markdown::between;
use aar_worlds::subjects::Subject;
use indicatif::ProgressBar;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

#[derive(clap::Args)]
pub struct Options {
    /// A closed study's directory
    #[arg(default_value = "out/laptop")]
    directory: PathBuf,
    /// A testbed to try on: a folder, or a world that ships; may be given more than once
    #[arg(long, value_name = "TESTBED")]
    to: Vec<String>,
    /// So many freshly minted worlds of the study's subject, kept in its directory; the rule needs five
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=20))]
    fresh: u32,
    /// The fresh worlds' mechanisms are drawn from the reserved ones, which no development world has
    #[arg(long, requires = "fresh")]
    reserved: bool,
    /// Freshly minted worlds of the subject with other models, one of each pair that is named: another teacher, a larger student, a student
    /// of another architecture
    #[arg(long, value_name = "PAIRS", value_delimiter = ',', value_parser = mint::pairs())]
    models: Vec<String>,
    /// Shipped recipes beside the finalists: names with commas between them, or `all`
    #[arg(long, value_delimiter = ',')]
    recipes: Vec<String>,
    /// A production trial of one finalist: a larger student that thinks before it answers, on mixed items. What is tried is put on record first.
    /// Without a folder such a world is minted, which takes half an hour or more
    #[arg(long, value_name = "TESTBED", num_args = 0..=1, default_missing_value = "", require_equals = true)]
    production: Option<String>,
    /// The smallest effect that would matter in production, in points of accuracy: by default 2, or what 16 seeds can find
    #[arg(long, value_name = "POINTS", requires = "production", value_parser = points)]
    effect: Option<f64>,
    /// The finalist of the production trial; the best one by default
    #[arg(long, value_name = "NAME", requires = "production")]
    method: Option<String>,
    /// Seeds of every trial
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u16).range(2..=transfer::MOST_SEEDS as i64))]
    seeds: u16,
    /// Put the matrix into this Markdown page, in place of the last one
    #[arg(long, value_name = "PAGE")]
    out: Option<PathBuf>,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

fn points(text: &str) -> Result<f64, String> {
    let wrong = || format!("{text:?} is no number of points between 0.1 and 100");
    text.parse().ok().filter(|points| (0.1..=100.0).contains(points)).ok_or_else(wrong)
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let anywhere = !options.to.is_empty() || options.fresh > 0 || !options.models.is_empty();
    if !anywhere && options.production.is_none() {
        return Err(Failure::new(USAGE, "nowhere to try").hint(
            "--fresh 5 mints five worlds of the study's subject first, some 8 min each; --models larger mints one with a larger student; \
             --to DIR takes a testbed that is there; --production tries one finalist on a stand-in for a production model",
        ));
    }
    let opened = reopen(&options.directory)?;
    let Reopened { plan, locked, testbed, server } = &opened;
    let snapshot = server.snapshot();
    if snapshot.phase != Phase::Closed {
        let next = format!("aar run --out {} goes on with it", options.directory.display());
        return Err(Failure::new(INPUT, "the study is not closed, so it has no finalists yet").hint(next));
    }
    let mut methods = finalists(server)?;
    methods.extend(recipes(&options.recipes)?);
    if methods.is_empty() {
        return Err(
            Failure::new(INPUT, "the study closed without finalists").hint("--recipes all tries the shipped ones")
        );
    }
    let targets = targets(options, &locked.folder("transfer/worlds")?, testbed)?;
    let close = snapshot.opening.map(|opening| opening.seeds[&Split::Selection].clone()).unwrap_or_default();
    let plain = shipped("plain").ok_or_else(|| Failure::new(UNAVAILABLE, "the recipe `plain` is missing"))?;
    let stop = Arc::new(AtomicBool::new(false));
    listen_for_stop(stop.clone());
    let config = |count: u16| TransferConfig {
        directory: locked,
        executable: places::executable(),
        isolation: Isolation::detect(),
        limits: plan.evaluation.limits(),
        workers: places::threads(),
        seeds: seeds(&close, count),
        plain: Bundle::of_recipe(&plain.text),
        stop: &stop,
    };
    let mut found = Found::default();
    if anywhere {
        let matrix = tried(&config(options.seeds), testbed, &methods, &targets, options.quiet)?;
        note(server, aar_server::transfer::NOTE, &matrix)?;
        found.matrix = Some(matrix);
    }
    if let Some(world) = &options.production {
        let world = production_world(options, world, &locked.folder("transfer/worlds")?)?;
        let method = produced::chosen(&methods, options.method.as_deref())?;
        let all = config(transfer::MOST_SEEDS as u16);
        let question = Question { testbed: &world, method, effect: options.effect.map(|points| points / 100.0) };
        found.production = Some(produced::tried(server, &all, &question, options.quiet)?);
    }
    let (_, page) = write_again(&opened)?;
    options.out.iter().try_for_each(|results| put(results, &found, &again(options, &plan.name)))?;
    say(options, &found, &page);
    Ok(())
}

fn say(options: &Options, found: &Found, report: &Path) {
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(found).unwrap_or_default());
    } else {
        found.matrix.iter().for_each(print);
        found.production.iter().for_each(|trial| aar_lab::say!("{}", trial.sentence()));
        aar_lab::note!("report: {}", report.display());
        options.out.iter().for_each(|page| aar_lab::note!("the tables are in {}", page.display()));
    }
}

/// Matrix and production trial into a page of results, each in its place.
fn put(page: &Path, found: &Found, command: &str) -> Result<(), Failure> {
    let matrix = found.matrix.iter().map(|matrix| (elsewhere::MATRIX, "Transfer", elsewhere::table(matrix)));
    let trial =
        found.production.iter().map(|trial| (elsewhere::PRODUCTION, "Production", elsewhere::production(trial)));
    for (marks, heading, body) in matrix.chain(trial) {
        let part = elsewhere::part(marks, command, &body);
        super::bench::put(page, |before| between(before, &part, marks, heading))?;
    }
    Ok(())
}

/// The command that makes the page again, without paths of this machine.
fn again(options: &Options, study: &str) -> String {
    let mut words = vec![format!("aar transfer out/{study}")];
    words.extend(options.to.iter().map(|to| format!("--to {}", last_of(Path::new(to)))));
    if options.fresh > 0 {
        words.push(format!("--fresh {}{}", options.fresh, if options.reserved { " --reserved" } else { "" }));
    }
    for (option, values) in [("--models", &options.models), ("--recipes", &options.recipes)] {
        if !values.is_empty() {
            words.push(format!("{option} {}", values.join(",")));
        }
    }
    words.extend(options.production.iter().map(|world| match world.is_empty() {
        true => "--production".to_owned(),
        false => format!("--production={}", last_of(Path::new(world))),
    }));
    words.extend(options.effect.map(|effect| format!("--effect {effect}")));
    words.extend(options.method.iter().map(|name| format!("--method {name:?}")));
    words.push(format!("--seeds {}", options.seeds));
    words.join(" ")
}

/// A path's last two parts: worlds that were minted together are told apart by their folder.
fn last_of(path: &Path) -> String {
    let parts: Vec<_> = path.iter().rev().take(2).map(|part| part.to_string_lossy()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

/// What was found, as `--json` prints it.
#[derive(Default, Serialize)]
struct Found {
    /// Methods × testbeds.
    #[serde(flatten)]
    matrix: Option<Matrix>,
    #[serde(skip_serializing_if = "Option::is_none")]
    production: Option<Trial>,
}

fn note(server: &Server, kind: &str, body: &impl Serialize) -> Result<(), Failure> {
    let body = serde_json::to_value(body).unwrap_or_default();
    Ok(server.note(kind, body).map_err(aar_study::StudyError::from)?)
}

/// The testbed that is named, or a minted one in the study's directory.
fn production_world(options: &Options, named: &str, folder: &Path) -> Result<Testbed, Failure> {
    if !named.is_empty() {
        return Ok(testbed::open(&testbed::find(named, &places::worlds())?)?);
    }
    let out = folder.join(Subject::PRODUCTION);
    if !out.exists() {
        if !options.quiet {
            aar_lab::note!("minting a production world");
        }
        mint::into(Subject::PRODUCTION, &out, false, None, options.quiet)?;
    }
    Ok(testbed::open(&out)?)
}

/// Run the trials, with a bar.
fn tried(
    config: &TransferConfig,
    home: &Testbed,
    methods: &[Method],
    targets: &[Testbed],
    quiet: bool,
) -> Result<Matrix, aar_study::StudyError> {
    with_bar(quiet, &|tell| transfer::run(config, home, methods, targets, tell))
}

type Tell<'a> = &'a (dyn Fn(TrialEvent) + Sync);

/// Do what runs trials, with a bar.
fn with_bar<T>(quiet: bool, run: &dyn Fn(Tell) -> T) -> T {
    let bar = if quiet { ProgressBar::hidden() } else { ProgressBar::new(0) };
    bar.set_style(style("  trials   {bar:24} {pos}/{len}, {eta} left"));
    let done = run(&|event| match event {
        TrialEvent::Progress { done, total } => {
            bar.set_length(total as u64);
            bar.set_position(done as u64);
        }
        TrialEvent::Failed { testbed, reason } => {
            if !quiet {
                bar.suspend(|| aar_lab::note!("a trial on {testbed} failed: {reason}"));
            }
        }
    });
    bar.finish_and_clear();
    done
}

/// The testbeds that are named, then the freshly minted ones.
fn targets(options: &Options, folder: &Path, home: &Testbed) -> Result<Vec<Testbed>, Failure> {
    let mut targets = options
        .to
        .iter()
        .map(|name| Ok(testbed::open(&testbed::find(name, &places::worlds())?)?))
        .collect::<Result<Vec<Testbed>, Failure>>()?;
    targets.extend(minted(options, folder, &home.record.subject)?);
    if let Some(same) = targets.iter().find(|target| target.record == home.record) {
        let detail = format!("{} is the study's own testbed", same.path.display());
        return Err(Failure::new(INPUT, detail).hint("choose another for --to"));
    }
    Ok(targets)
}

fn finalists(server: &aar_server::Server) -> Result<Vec<Method>, Failure> {
    let board = server.board();
    let rows = board.results().filter(|row| row.kind != Kind::Baseline);
    rows.map(|row| {
        let asked = &row.record.asked;
        let bundle = server.bundle(&asked.bundle).ok_or_else(|| {
            Failure::new(INPUT, format!("bundle {} of evaluation {} is gone", asked.bundle, row.record.id))
                .hint("aar audit verify says what is missing")
        })?;
        Ok(Method { name: asked.name.clone(), by: asked.by.clone(), bundle, home: row.score.pgr })
    })
    .collect()
}

fn recipes(names: &[String]) -> Result<Vec<Method>, Failure> {
    let all = names.iter().any(|name| name == "all");
    let names: Vec<&str> = if all {
        aar_methods::shipped::RECIPES.iter().map(|(name, _)| *name).collect()
    } else {
        names.iter().map(String::as_str).collect()
    };
    // Plain is the reference of every testbed already.
    let chosen = names.into_iter().filter(|name| *name != "plain");
    chosen
        .map(|name| {
            let recipe = shipped(name).ok_or_else(|| {
                Failure::new(INPUT, format!("no shipped recipe is called {name:?}")).hint("aar lab recipes lists them")
            })?;
            Ok(Method { name: recipe.name, by: "shipped".into(), bundle: Bundle::of_recipe(&recipe.text), home: None })
        })
        .collect()
}

fn minted(options: &Options, folder: &Path, subject: &str) -> Result<Vec<Testbed>, Failure> {
    let kind = if options.reserved { "reserved" } else { "fresh" };
    let fresh = (1..=options.fresh).map(|at| (format!("{kind}-{at:02}"), None));
    let others = options.models.iter().map(|pair| (format!("models-{pair}"), Some(pair.as_str())));
    let mut worlds = Vec::new();
    for (name, models) in fresh.chain(others) {
        let out = folder.join(&name);
        if !out.exists() {
            if !options.quiet {
                aar_lab::note!("minting {name}");
            }
            mint::into(subject, &out, options.reserved, models, options.quiet)?;
        }
        worlds.push(testbed::open(&out)?);
    }
    Ok(worlds)
}

/// The close's seeds first, so that the same teachers' numbers are used; then the others.
fn seeds(close: &[Seed], count: u16) -> Vec<Seed> {
    let mut seeds = close.to_vec();
    let unused = (0..transfer::MOST_SEEDS as u32).filter(|teacher| !close.iter().any(|seed| seed.teacher == *teacher));
    seeds.extend(unused.map(|teacher| Seed { seed: u64::from(teacher) + 1, teacher }));
    seeds.truncate(usize::from(count));
    seeds
}

fn print(matrix: &Matrix) {
    let shown = |estimate: Option<Estimate>| estimate.map_or("–".into(), |estimate| estimate.to_string());
    for line in &matrix.methods {
        aar_lab::say!("{} by {}: {} on {}", line.method, line.by, shown(line.home), matrix.home);
        for (cell, target) in line.cells.iter().zip(&matrix.targets) {
            let p = cell.against_plain.map_or("–".into(), |plain| format!("{:.3}", plain.p));
            let plain = shown(target.plain);
            aar_lab::say!(
                "    {:18} {:24} {}, retained {}",
                target.name,
                shown(cell.pgr),
                cell.fate.words(),
                shown(cell.retained)
            );
            aar_lab::say!("    {:18} plain {plain}, p {p}, gap {:.3} (at least {:.3})", "", target.gap, target.gap_low);
            if let Some(reason) = &cell.failed {
                aar_lab::say!("    {:18} {reason}", "");
            }
        }
        aar_lab::say!("    → {}", line.follows());
    }
    if let Some(predicts) = matrix.predicts {
        let Predicts { correlation, methods, testbeds } = predicts;
        aar_lab::say!(
            "rank correlation of PGR at home and elsewhere, {methods} methods on the {testbeds} testbeds where all of them ran: {correlation}"
        );
    }
}
