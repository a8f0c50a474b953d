//! `aar mint`

mod journal;
mod table;

use crate::failure::{CREATE, Failure, INPUT, USAGE};
use crate::places;
use crate::show::minting::MintBars;
use aar_domain::testbed::{Check, TestbedRecord};
use aar_worlds::mint::{Attempt, MintEvent, MintOptions, mint};
use aar_worlds::pair::Pair;
use aar_worlds::seal::seal;
use aar_worlds::secret::Secret;
use aar_worlds::subjects::Subject;
use clap::builder::PossibleValuesParser;
use journal::Journal;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Instant;

/// Draws at most, of each world.
const ATTEMPTS: u32 = 24;

#[derive(clap::Args)]
pub struct Options {
    /// The subject: `chat`, `math` or `code`; or `production`, which `aar transfer --production` tries methods on
    subject: String,
    /// Write the world here; with --worlds, a folder of worlds. A mint that was stopped goes on where it was
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print the table of bounds; exit status 0 only where all hold
    #[arg(long)]
    check: bool,
    /// So many worlds, each of a secret of its own, and what holds over them
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=99))]
    worlds: Option<u32>,
    /// A demonstration world whose secret follows from this number; its truth is public
    #[arg(long)]
    seed: Option<u64>,
    /// Name of the world; the folder's by default
    #[arg(long, conflicts_with = "worlds")]
    name: Option<String>,
    /// Draw the mechanism from those reserved for sealed transfer
    #[arg(long)]
    reserved: bool,
    /// Do not draw the mechanism: take the one that everything was calibrated on
    #[arg(long, conflicts_with = "reserved")]
    calibrated: bool,
    /// Other models than the subject's own: another teacher, a larger student, or a student of another architecture
    #[arg(long, value_name = "PAIR", value_parser = pairs())]
    models: Option<String>,
    /// Draws at most, of each world
    #[arg(long, default_value_t = ATTEMPTS)]
    attempts: u32,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

/// Names of pairs of models.
pub fn pairs() -> PossibleValuesParser {
    PossibleValuesParser::new(Pair::ALL.map(Pair::name))
}

/// What came of one world.
#[derive(Serialize)]
struct Outcome {
    subject: &'static str,
    generator: String,
    commitment: String,
    accepted: bool,
    mechanism: String,
    attempts: Vec<Attempt>,
    checks: Vec<Check>,
    wall_s: f64,
    out: Option<PathBuf>,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let named = check(options)?;
    let Some(count) = options.worlds else {
        return one(options, &named);
    };
    let mut outcomes = Vec::new();
    for at in 1..=count {
        let out = options.out.as_ref().map(|folder| folder.join(format!("{at:02}")));
        if !options.quiet {
            aar_lab::note!("world {at} of {count}");
        }
        let outcome = match out.as_ref().filter(|out| out.exists()) {
            Some(made) => made_before(made, &named)?,
            None => world(options, &named, options.seed.map(|seed| seed + u64::from(at) - 1), out.as_deref())?,
        };
        outcomes.push(outcome);
    }
    let accepted = outcomes.iter().filter(|outcome| outcome.accepted).count();
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&outcomes).unwrap_or_default());
    } else {
        table::over_worlds(&outcomes);
    }
    if accepted < outcomes.len() {
        let detail = format!("{accepted} of {count} {} worlds were accepted", named.name());
        return Err(Failure::new(crate::failure::NOT_HELD, detail).hint("the draws and what they failed on are above"));
    }
    Ok(())
}

fn one(options: &Options, named: &Subject) -> Result<(), Failure> {
    if let Some(out) = options.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::new(CREATE, format!("{} exists already", out.display())).hint("choose a new folder"));
    }
    let outcome = world(options, named, options.seed, options.out.as_deref())?;
    if options.json {
        aar_lab::say!("{}", serde_json::to_string_pretty(&outcome).unwrap_or_default());
    } else if options.check {
        table::of_world(&outcome.checks);
        aar_lab::say!("{} draws in {:.0} min", outcome.attempts.len(), outcome.wall_s / 60.0);
    }
    if !outcome.accepted {
        return Err(aar_worlds::WorldError::Exhausted(options.attempts).into());
    }
    if let Some(out) = &options.out {
        let next = match named.name() {
            Subject::PRODUCTION => "aar transfer DIR --production=",
            _ => "aar run --out out/fresh --set testbed=",
        };
        aar_lab::note!("the world is in {0}\nnext: {next}{0}", out.display());
    }
    Ok(())
}

/// Mint a world of a subject into a folder, for whoever needs a fresh one, or one of other models.
pub fn into(subject: &str, out: &Path, reserved: bool, models: Option<&str>, quiet: bool) -> Result<(), Failure> {
    let options = Options {
        subject: subject.to_owned(),
        out: Some(out.to_owned()),
        check: false,
        worlds: None,
        seed: None,
        name: None,
        reserved,
        calibrated: false,
        models: models.map(str::to_owned),
        attempts: ATTEMPTS,
        json: false,
        quiet,
    };
    let named = check(&options)?;
    let outcome = world(&options, &named, None, Some(out))?;
    if outcome.accepted { Ok(()) } else { Err(aar_worlds::WorldError::Exhausted(ATTEMPTS).into()) }
}

/// Mint one world, or go on with one.
fn world(options: &Options, named: &Subject, seed: Option<u64>, out: Option<&Path>) -> Result<Outcome, Failure> {
    let secret = match seed {
        Some(seed) => Secret::of_seed(seed),
        None => Secret::draw().map_err(aar_worlds::WorldError::Entropy)?,
    };
    let how = if options.calibrated { "calibrated" } else { ["drawn", "reserved"][usize::from(options.reserved)] };
    let journal =
        out.map(|out| Journal::open(out, &named.generator(), how, seed.is_some(), secret.clone())).transpose()?;
    let (secret, ended) =
        journal.as_ref().map_or((secret, vec![]), |journal| (journal.secret.clone(), journal.ended.clone()));
    let subject = if options.calibrated { named.clone() } else { named.clone().drawn(&secret, options.reserved) };
    announce(options, &subject, &secret, ended.len());
    let started = Instant::now();
    let bars = MintBars::new(options.quiet);
    let attempts: Mutex<Vec<Attempt>> = Mutex::new(ended.clone());
    let settings = MintOptions { threads: places::threads(), attempts: options.attempts, ended };
    let minted = mint(&subject, &secret, settings, &|event| {
        bars.show(&event);
        if let MintEvent::Ended(attempt) = event {
            if let Some(journal) = &journal {
                journal.note(&attempt);
            }
            attempts.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(*attempt);
        }
    });
    bars.finish();
    let minted = match minted {
        Err(aar_worlds::WorldError::Exhausted(_)) => None,
        other => Some(other?),
    };
    if let (Some(minted), Some(path)) = (&minted, out) {
        let name = options.name.clone().or_else(|| Some(path.file_name()?.to_string_lossy().into_owned()));
        seal(minted, &secret, name.as_deref().unwrap_or(subject.name()), seed.is_some(), path)?;
    }
    if let Some(journal) = journal {
        journal.close(minted.is_some())?;
    }
    Ok(Outcome {
        subject: subject.name(),
        generator: subject.generator(),
        commitment: secret.commitment(),
        accepted: minted.is_some(),
        mechanism: subject.mechanism.to_string(),
        attempts: attempts.into_inner().unwrap_or_default(),
        checks: minted.map(|minted| minted.checks).unwrap_or_default(),
        wall_s: started.elapsed().as_secs_f64(),
        out: out.map(Path::to_owned),
    })
}

fn announce(options: &Options, subject: &Subject, secret: &Secret, ended: usize) {
    if options.quiet {
        return;
    }
    let commitment = secret.commitment();
    aar_lab::note!(
        "minting a {} world · generator {} · commitment {} · {} threads",
        subject.name(),
        subject.generator(),
        &commitment[..16],
        places::threads()
    );
    aar_lab::note!("{}", subject.mechanism);
    if let Some(pair) = subject.pair {
        aar_lab::note!("{pair}");
    }
    let takes = match subject.name() {
        Subject::PRODUCTION => "half an hour or more",
        _ => "some 6 min on 2 threads",
    };
    match ended {
        0 => aar_lab::note!("a draw takes {takes}, most are accepted"),
        ended => aar_lab::note!("going on after {ended} draws that were refused"),
    }
}

/// A world that an earlier call of the same command has minted.
fn made_before(out: &Path, named: &Subject) -> Result<Outcome, Failure> {
    let read = |name: &str| {
        let path = out.join(name);
        std::fs::read_to_string(&path).map_err(|source| {
            Failure::new(CREATE, format!("{} is in the way: {}: {source}", out.display(), path.display()))
                .hint("choose a new folder for --out")
        })
    };
    let path = out.join("testbed.json");
    let unreadable = |error: serde_json::Error| Failure::new(INPUT, format!("{}: {error}", path.display()));
    let record: TestbedRecord = serde_json::from_str(&read("testbed.json")?).map_err(unreadable)?;
    let aar_domain::testbed::Origin::Minted { generator, commitment, mechanism, .. } = record.origin else {
        return Err(Failure::new(CREATE, format!("{} holds a testbed that was not minted", out.display())));
    };
    if record.subject != named.name() || generator != named.generator() {
        let detail = format!("{} holds a {} world of generator {generator}", out.display(), record.subject);
        return Err(Failure::new(CREATE, detail).hint("choose a new folder for --out"));
    }
    let attempts = read("hidden/attempts.jsonl")?;
    Ok(Outcome {
        subject: named.name(),
        generator,
        commitment,
        accepted: true,
        mechanism,
        attempts: attempts.lines().map(serde_json::from_str).collect::<Result<_, _>>().map_err(unreadable)?,
        checks: record.checks,
        wall_s: 0.0,
        out: Some(out.to_owned()),
    })
}

/// What can be said before anything is computed.
fn check(options: &Options) -> Result<Subject, Failure> {
    let subject = Subject::named(&options.subject).ok_or_else(|| {
        let detail = format!("subject {:?} can't be minted; there are: {}", options.subject, Subject::NAMES.join(", "));
        Failure::new(INPUT, detail).hint("aar mint chat --out DIR")
    })?;
    if options.out.is_none() && !options.check {
        return Err(Failure::new(USAGE, "nothing to do")
            .hint("--out DIR writes the world, --check prints its table of bounds, or both"));
    }
    Ok(match options.models.as_deref().and_then(Pair::named) {
        Some(pair) => subject.with(pair),
        None => subject,
    })
}
