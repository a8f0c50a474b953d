//! `aar bench`: compare what ships. So far `methods`.

use crate::failure::{CREATE, Failure, INPUT};
use crate::places;
use crate::show::benching::BenchBar;
use aar_domain::rung::Split;
use aar_methods::shipped;
use aar_study::testbed::ready_made;
use aar_worlds::bench::results::Results;
use aar_worlds::bench::table::{Table, compose};
use aar_worlds::bench::{Contender, Control, Entrant, Plan, markdown, run as run_bench};
use std::path::{Path, PathBuf};

#[derive(clap::Subcommand)]
pub enum Command {
    /// Every recipe on every testbed with the same seeds: a table of PGRs with intervals and costs. A bench that was
    /// stopped goes on
    Methods(Options),
}

#[derive(clap::Args)]
pub struct Options {
    /// Testbeds' folders, minted or imported; by default the worlds that ship
    #[arg(long, num_args = 1.., value_name = "DIR", conflicts_with = "subjects")]
    testbeds: Vec<PathBuf>,
    /// Of the worlds that ship, those of these subjects
    #[arg(long, value_delimiter = ',', value_name = "SUBJECT")]
    subjects: Vec<String>,
    /// Recipes by the names of `aar lab recipes`, and controls, which are no recipes (`majority`, `tuned-plain`, ...); all by default
    #[arg(long, value_delimiter = ',', value_name = "NAME")]
    recipes: Vec<String>,
    /// Seeds of each
    #[arg(long, default_value_t = 5)]
    seeds: usize,
    /// Answer the feedback split instead of the selection split
    #[arg(long)]
    feedback: bool,
    /// The file with a line per run
    #[arg(long, default_value = "out/bench-methods.jsonl")]
    results: PathBuf,
    /// Put the table into this Markdown page, in place of the last one
    #[arg(long)]
    out: Option<PathBuf>,
    /// The table as JSON on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub fn run(command: &Command) -> Result<(), Failure> {
    let Command::Methods(options) = command;
    let plan = plan(options)?;
    let results = Results::open(&options.results)?;
    let bar = BenchBar::new(options.quiet);
    if !options.quiet {
        aar_lab::note!(
            "{} recipes and {} controls on {} testbeds, {} seeds each; what is done stands in {}",
            plan.recipes.len(),
            plan.controls.len(),
            plan.testbeds.len(),
            plan.seeds,
            options.results.display()
        );
    }
    let results = run_bench(&plan, results, places::threads(), &|event| bar.show(&event));
    bar.finish();
    let table = compose(&plan, &results?)?;
    let rendered = markdown::render(&table, &again(options));
    if let Some(page) = &options.out {
        put(page, |before| markdown::insert(before, &rendered))?;
    }
    print(options, &table, &rendered);
    Ok(())
}

fn print(options: &Options, table: &Table, rendered: &str) {
    match (&options.out, options.json) {
        (_, true) => aar_lab::say!("{}", serde_json::to_string_pretty(table).unwrap_or_default()),
        (Some(page), false) => aar_lab::note!("the table is in {}", page.display()),
        (None, false) => aar_lab::say!("{rendered}"),
    }
}

fn plan(options: &Options) -> Result<Plan, Failure> {
    let folders = match options.testbeds.is_empty() {
        true => ready_made(places::worlds().get(..1).unwrap_or_default()),
        false => options.testbeds.clone(),
    };
    let mut testbeds = folders.iter().map(|folder| Entrant::open(folder)).collect::<Result<Vec<_>, _>>()?;
    if !options.subjects.is_empty() {
        let known: Vec<String> = testbeds.iter().map(|testbed| testbed.record.subject.clone()).collect();
        if let Some(missing) = options.subjects.iter().find(|subject| !known.contains(subject)) {
            let message = format!("no world of subject {missing:?} ships");
            let hint = format!("`aar mint {missing} --out DIR` makes one; then --testbeds DIR");
            return Err(Failure::new(INPUT, message).hint(hint));
        }
        testbeds.retain(|testbed| options.subjects.contains(&testbed.record.subject));
    }
    if testbeds.is_empty() {
        return Err(Failure::new(INPUT, "no worlds that ship are to be found").hint("--testbeds DIR names others"));
    }
    let (controls, names): (Vec<&str>, Vec<&str>) = match options.recipes.is_empty() {
        true => (Control::ALL.map(Control::name).to_vec(), shipped::RECIPES.iter().map(|(name, _)| *name).collect()),
        false => options.recipes.iter().map(String::as_str).partition(|name| Control::named(name).is_some()),
    };
    let recipes = names.into_iter().map(Contender::shipped).collect::<Result<_, _>>()?;
    let controls = controls.into_iter().filter_map(Control::named).collect();
    let split = if options.feedback { Split::Feedback } else { Split::Selection };
    Ok(Plan { testbeds, recipes, controls, seeds: options.seeds, splits: vec![split], trials: false })
}

/// The command that makes the table again, without paths of this machine.
fn again(options: &Options) -> String {
    let mut words = vec!["aar bench methods".to_owned()];
    let names = |paths: &[PathBuf]| {
        paths.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned()).collect()
    };
    for (flag, values, between) in [
        ("--testbeds", names(&options.testbeds), " "),
        ("--subjects", options.subjects.clone(), ","),
        ("--recipes", options.recipes.clone(), ","),
    ] {
        if !values.is_empty() {
            words.push(format!("{flag} {}", values.join(between)));
        }
    }
    words.push(format!("--seeds {}", options.seeds));
    words.extend(options.feedback.then(|| "--feedback".to_owned()));
    words.join(" ")
}

/// Change a page; one that is not there is empty.
pub(super) fn put(page: &Path, change: impl Fn(&str) -> String) -> Result<(), Failure> {
    let failed = |step: &'static str| {
        move |error: std::io::Error| Failure::new(CREATE, format!("{step} {}: {error}", page.display()))
    };
    let before = match std::fs::read_to_string(page) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.map_err(failed("read"))?,
    };
    std::fs::write(page, change(&before)).map_err(failed("write"))
}
