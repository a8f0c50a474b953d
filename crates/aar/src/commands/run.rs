//! `aar run`

use crate::failure::{Failure, INPUT, UNAVAILABLE, USAGE};
use crate::places;
use crate::show::importing::ImportBar;
use crate::show::live::Live;
use crate::show::minting::MintBars;
use crate::show::{self, p_value, with_interval};
use aar_domain::rung::Kind;
use aar_sandbox::Isolation;
use aar_server::{Server, ServerConfig};
use aar_study::config::{RunConfig, ShippedRecipe};
use aar_study::directory::StudyDirectory;
use aar_study::diversity::Notice;
use aar_study::plan::LAPTOP;
use aar_study::result::{Row, StudyResult};
use aar_study::run::run as run_study;
use aar_study::{Plan, StudyError, programs, testbed};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(clap::Args)]
pub struct Options {
    /// The study file; the embedded laptop study by default
    #[arg(long)]
    study: Option<PathBuf>,
    /// The study's directory; out/NAME by default. The same one again goes on where it stopped
    #[arg(long)]
    out: Option<PathBuf>,
    /// Seed of everything that is not secret
    #[arg(long)]
    seed: Option<u64>,
    /// Change a setting of the study file, for instance testbed=fresh or close.seeds=5
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Small enough for two minutes, too small for a verdict
    #[arg(long)]
    quick: bool,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
    /// Loopback port for people and tools; any free one by default
    #[arg(long, default_value_t = 0)]
    port: u16,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    study(options, false)
}

/// Run a study to its end; an open-ended one ends when its operator closes it.
pub fn study(options: &Options, open_ended: bool) -> Result<(), Failure> {
    let plan = read_plan(options)?;
    if plan.researchers.is_empty() && !open_ended {
        return Err(Failure::new(INPUT, "the study has no researchers")
            .hint("`aar serve` keeps it open for others; or add [[researchers]] with name, kind and evaluations"));
    }
    check_keys(&plan)?;
    programs::check(&plan, &places::path())?;
    let out = options.out.clone().unwrap_or_else(|| {
        // A quick study is another study: it must not stand in the way of the full one.
        Path::new("out").join(if options.quick { format!("{}-quick", plan.name) } else { plan.name.clone() })
    });
    let stop = Arc::new(AtomicBool::new(false));
    listen_for_stop(stop.clone());
    let isolation = Isolation::detect();
    let threads = places::threads();
    if !options.quiet {
        aar_lab::note!(
            "aar {} · study {} · seed {} · {threads} threads, {} · isolation: {}",
            env!("CARGO_PKG_VERSION"),
            plan.name,
            plan.seed,
            show::simd(),
            isolation.describe()
        );
    }
    let (study, resumed) = StudyDirectory::open(&out, &plan)?;
    let testbed = prepare(&plan, &study, threads, options.quiet)?;
    let config = RunConfig {
        plan: &plan,
        directory: &study,
        testbed: &testbed,
        executable: places::executable(),
        path: places::path(),
        isolation,
        workers: threads,
        http: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, options.port))),
        recipe: &shipped,
        open_ended,
        stop: &stop,
    };
    if open_ended && !options.quiet {
        let out = out.display();
        aar_lab::note!(
            "open until `aar ctl close --out {out}`; `aar token add NAME --out {out}` lets somebody work on it"
        );
    }
    let mut live = Live::new(&plan, options.quiet);
    let done = run_study(&config, resumed, &mut |event| live.show(&event));
    live.finish();
    let result = done?;
    let page = write_report(&result, &plan, &study, &testbed)?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&result).unwrap_or_default());
    } else {
        print_result(&result, &page);
    }
    Ok(())
}

fn read_plan(options: &Options) -> Result<Plan, Failure> {
    let (text, place) = match &options.study {
        None => (LAPTOP.to_owned(), "studies/laptop.toml".into()),
        Some(path) => {
            let text = std::fs::read_to_string(path).map_err(|error| {
                Failure::new(INPUT, format!("read the study file {}: {error}", path.display()))
                    .hint("leave --study out for the embedded laptop study")
            })?;
            (text, path.display().to_string())
        }
    };
    let mut sets = options.set.clone();
    if let Some(seed) = options.seed {
        if i64::try_from(seed).is_err() {
            return Err(Failure::new(USAGE, format!("--seed {seed}: at most {}", i64::MAX)));
        }
        sets.push(format!("seed={seed}"));
    }
    Ok(Plan::read(&text, &place, options.quick, &sets)?)
}

/// Without its key a language model answers nobody: better said before anything is begun.
fn check_keys(plan: &Plan) -> Result<(), Failure> {
    let used = plan.researchers.iter().filter(|researcher| plan.speaks(researcher));
    for (name, model) in used.filter_map(|researcher| plan.model_of(researcher).ok()) {
        let Some(variable) = model.key_env() else { continue };
        if std::env::var(variable).is_ok_and(|value| !value.trim().is_empty()) {
            continue;
        }
        return Err(Failure::new(UNAVAILABLE, format!("{variable} is not set: models.{name} needs its provider's key"))
            .hint(format!("export {variable}=…, or give models.{name} another provider: an address such as http://127.0.0.1:8000 of a server of your own"))
            .hint_more("without any model: `aar run` (researchers of kind search)"));
    }
    Ok(())
}

/// The first Ctrl-C stops cleanly, the second at once.
#[allow(clippy::disallowed_methods)] // Who asks twice does not want to wait for destructors; the log is safe at any moment.
pub fn listen_for_stop(stop: Arc<AtomicBool>) {
    let handler = move || {
        if stop.swap(true, Ordering::Relaxed) {
            std::process::exit(crate::failure::STOPPED);
        }
        aar_lab::note!("\nstopping; what is done is kept (Ctrl-C again stops at once)");
    };
    // Without a handler Ctrl-C still stops, only less cleanly, and a killed run resumes too.
    let _ = ctrlc::set_handler(handler);
}

fn prepare(plan: &Plan, study: &StudyDirectory, threads: usize, quiet: bool) -> Result<testbed::Testbed, Failure> {
    let known = study.path("testbed").exists();
    if !quiet && !known && plan.testbed == "fresh" {
        aar_lab::note!("minting a world first: a draw takes some 6 min on 2 threads, most are accepted");
    }
    let mints = MintBars::new(quiet);
    let mut imports = ImportBar::new(quiet || plan.testbed != "import" || known);
    let prepared =
        testbed::prepare(plan, study, &places::worlds(), threads, &|event| mints.show(&event), &mut |event| {
            imports.show(&event)
        });
    mints.finish();
    imports.finish();
    prepared.map_err(|error| match (&error, plan.testbed.as_str()) {
        (StudyError::Testbed { .. }, "import") => {
            let failure: Failure = error.into();
            Failure { hint: None, ..failure }
                .hint("data: a folder with train_label.jsonl, train_unlabel.jsonl and test.jsonl: --set data=DIR\nmodel: a folder with config.json, model.safetensors and tokenizer.json of sentence-transformers/all-MiniLM-L6-v2: --set model=DIR")
        }
        _ => error.into(),
    })
}

/// A recipe that ships, by name.
pub fn shipped(name: &str) -> Option<ShippedRecipe> {
    let recipe = aar_methods::shipped::get(name)?.ok()?;
    Some(ShippedRecipe {
        text: aar_methods::shipped::text(name)?.to_owned(),
        name: recipe.name,
        family: recipe.family.name().to_owned(),
    })
}

fn write_report(
    result: &StudyResult,
    plan: &Plan,
    study: &StudyDirectory,
    testbed: &testbed::Testbed,
) -> Result<PathBuf, Failure> {
    let server = Server::start(&ServerConfig {
        log: study.path("study.db"),
        testbed: testbed.path.clone(),
        socket: None,
        http: None,
    })
    .map_err(StudyError::from)?;
    let page = crate::commands::report::write(result, plan, testbed, study, &server)?;
    let here = std::env::current_dir().unwrap_or_default();
    Ok(page.strip_prefix(&here).map(Path::to_owned).unwrap_or(page))
}

/// The replicated rows and the best graded ones, as a table.
fn leaderboard(result: &StudyResult) -> String {
    let mut table = show::table(["", "method", "by", "rung", "PGR [95 %]", "announced", "p plain"]);
    if table.width().is_none() {
        table.set_width(120);
    }
    // Numbers stay on one line; the method gives way.
    for column in [2, 3, 4, 5, 6] {
        if let Some(column) = table.column_mut(column) {
            column.set_constraint(comfy_table::ColumnConstraint::ContentWidth);
        }
    }
    let (replicated, graded): (Vec<&Row>, Vec<&Row>) = result.leaderboard.iter().partition(|row| row.rung.is_result());
    let hidden = graded.len().saturating_sub(10);
    for row in replicated.iter().chain(graded.iter().take(10)) {
        let by = if row.kind == Kind::Baseline { "–".into() } else { row.by.clone() };
        let rung = serde_json::to_value(row.rung).unwrap_or_default();
        table.add_row([
            row.rank.map_or("–".into(), |rank| rank.to_string()),
            row.method.clone(),
            by,
            rung.as_str().unwrap_or_default().to_owned(),
            with_interval(row.pgr, row.pgr_ci),
            row.announced.map_or(String::new(), |announced| format!("{announced:.2}")),
            p_value(row.p_plain),
        ]);
    }
    let more = if hidden > 0 { format!("\n… and {hidden} more graded rows in the report") } else { String::new() };
    format!("{table}{more}\n")
}

/// Leaderboard, verdict, report.
pub fn print_result(result: &StudyResult, page: &Path) {
    use std::fmt::Write;
    let mut out = leaderboard(result);
    if let Some(floor) = result.noise_floor {
        let _ = writeln!(
            out,
            "noise floor ± {floor:.2} PGR for graded rows; equal ranks can't be told apart; graded rows are announcements, replicated rows are results"
        );
    }
    if let Some(resolves) = result.resolves {
        let _ = writeln!(out, "the close finds a difference of {resolves:.2} PGR with a power of 80 %");
    }
    for row in &result.leaderboard {
        if let Some(mark) = &row.mark {
            let _ = writeln!(out, "not ranked {} by {} (#{}): {mark}", row.method, row.by, row.evaluation);
        }
    }
    for failure in &result.failures {
        let _ = writeln!(out, "failed     {} by {}: {}", failure.method, failure.by, failure.reason);
    }
    let _ = writeln!(out, "\nverdict    {}", wrap(&result.verdict, 100, 11));
    spent_and_said(result, &mut out);
    let _ = writeln!(out, "report     {}", page.display());
    let _ = writeln!(out, "{:10} {} in all", "took", show::duration(result.wall_s));
    aar_lab::say!("{}", out.trim_end_matches('\n'));
}

/// What was spent, and when all thought the same.
fn spent_and_said(result: &StudyResult, out: &mut String) {
    use std::fmt::Write;
    if let Some(spending) = &result.spending {
        let hour = spending.usd_per_hour.map_or(String::new(), |usd| format!(", US$ {usd:.2} per researcher-hour"));
        let point = spending.usd_per_point.map_or(String::new(), |usd| format!(", US$ {usd:.2} per 0.01 PGR"));
        let _ = writeln!(out, "spent      US$ {:.2}{hour}{point}", spending.usd);
    }
    for notice in &result.collapses {
        let Notice { inside, active, family, evaluation, .. } = notice;
        let _ = writeln!(out, "ideas      after #{evaluation}, {inside} of {active} researchers worked on {family}");
    }
}

/// Break text into lines, indented after the first.
fn wrap(text: &str, width: usize, indent: usize) -> String {
    let mut out = String::new();
    let mut column = indent;
    for word in text.split(' ') {
        let length = word.chars().count();
        if column > indent && column + 1 + length > width {
            out.push('\n');
            out.push_str(&" ".repeat(indent));
            column = indent;
        } else if column > indent {
            out.push(' ');
            column += 1;
        }
        out.push_str(word);
        column += length;
    }
    out
}
