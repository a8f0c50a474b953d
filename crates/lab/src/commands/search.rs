//! `lab search`

use super::open_student;
use crate::cli::{Data, Server};
use crate::failure::{Failure, USAGE};
use crate::search::driver::{self, Bench, SearchOptions};
use aar_api::paths;
use aar_api::study::Me;
use aar_domain::family::Family;
use aar_methods::pool::Pool;
use aar_methods::trial::{self, HELD_OUT_ROWS, TRAIN_ROWS, TrialReport, TrialSlices};
use aar_methods::{Recipe, Student};
use std::path::Path;

#[derive(clap::Args)]
pub struct Options {
    /// Never draw from this family of ideas; may be given several times
    #[arg(long)]
    without: Vec<String>,
    /// Proposals tried on public data per turn
    #[arg(long, default_value_t = 2)]
    trials: usize,
    /// Pool rows a trial trains on
    #[arg(long, default_value_t = TRAIN_ROWS)]
    train_rows: usize,
    /// Pool rows a trial answers
    #[arg(long, default_value_t = HELD_OUT_ROWS)]
    held_out_rows: usize,
    #[command(flatten)]
    server: Server,
    #[command(flatten)]
    data: Data,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let without = options.without.iter().map(|name| family(name)).collect::<Result<_, _>>()?;
    let client = options.server.client()?;
    let me: Me = client.get(paths::ME)?;
    let data = &options.data.data;
    let pool = Pool::load(&data.join("pool.jsonl"), &data.join("weak.jsonl"))?;
    let student = open_student(data, options.data.threads)?;
    let slices = TrialSlices::draw(&pool, options.train_rows, options.held_out_rows, me.seed);
    // Only a researcher that looks needs something to compare with.
    let plain = if me.kind.as_deref() == Some("random") {
        None
    } else {
        Some(trial::run(&super::recipe("plain")?, &slices, student.as_ref(), me.seed, None)?.1)
    };
    let bench = PublicBench { student, slices, plain };
    driver::run(&client, &bench, &SearchOptions { without, trials: options.trials })
        .map_err(|driver::SearchError::Server(error)| error.into())
}

fn family(name: &str) -> Result<Family, Failure> {
    let known: Vec<&str> = Family::ALL.iter().map(|family| family.name()).collect();
    Family::ALL.into_iter().find(|family| family.name() == name).ok_or_else(|| {
        Failure::new(USAGE, format!("{name:?} is no family of ideas")).hint(format!("one of {}", known.join(", ")))
    })
}

/// Trials on the public half alone.
struct PublicBench {
    student: Box<dyn Student>,
    slices: TrialSlices,
    plain: Option<Vec<f32>>,
}

impl Bench for PublicBench {
    fn refuses(&self, recipe: &str) -> Option<String> {
        let parsed = Recipe::parse(recipe, Path::new("candidate"));
        parsed.and_then(|recipe| recipe.applicable(self.student.problem())).err().map(|error| error.to_string())
    }

    fn trial(&self, recipe: &str, seed: u64) -> Result<TrialReport, String> {
        let recipe = Recipe::parse(recipe, Path::new("trial")).map_err(|error| error.to_string())?;
        let tried = trial::run(&recipe, &self.slices, self.student.as_ref(), seed, self.plain.as_deref());
        tried.map(|(report, _)| report).map_err(|error| error.to_string())
    }
}
