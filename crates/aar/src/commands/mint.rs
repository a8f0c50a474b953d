//! `aar mint`

use crate::failure::{CREATE, Failure, INPUT, USAGE};
use crate::places;
use crate::show::minting::MintBars;
use aar_domain::testbed::Check;
use aar_worlds::mint::{MintEvent, MintOptions, mint};
use aar_worlds::seal::seal;
use aar_worlds::secret::Secret;
use aar_worlds::subjects::Subject;
use aar_worlds::{WorldError, mint::Attempt};
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::Instant;

#[derive(clap::Args)]
pub struct Options {
    /// The subject: `chat`, `math` or `code`
    subject: String,
    /// Write the world here
    #[arg(long)]
    out: Option<PathBuf>,
    /// Print the table of bounds; exit status 0 only where all hold
    #[arg(long)]
    check: bool,
    /// A demonstration world whose secret follows from this number; its truth is public
    #[arg(long)]
    seed: Option<u64>,
    /// Name of the world; the folder's by default
    #[arg(long)]
    name: Option<String>,
    /// Draw the mechanism from those reserved for sealed transfer
    #[arg(long)]
    reserved: bool,
    /// Do not draw the mechanism: take the one that everything was calibrated on
    #[arg(long, conflicts_with = "reserved")]
    calibrated: bool,
    /// Draws at most
    #[arg(long, default_value_t = 24)]
    attempts: u32,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
    /// No progress
    #[arg(long)]
    quiet: bool,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    let named = check(options)?;
    let secret = match options.seed {
        Some(seed) => Secret::of_seed(seed),
        None => Secret::draw().map_err(WorldError::Entropy)?,
    };
    let subject = if options.calibrated { named } else { named.drawn(&secret, options.reserved) };
    let threads = places::threads();
    if !options.quiet {
        let commitment = secret.commitment();
        aar_lab::note!(
            "minting a {} world · generator {} · commitment {} · {threads} threads",
            subject.name(),
            subject.generator(),
            &commitment[..16]
        );
        aar_lab::note!("{}", subject.mechanism);
        aar_lab::note!("a draw takes some 6 min on 2 threads, most are accepted");
    }
    let started = Instant::now();
    let bars = MintBars::new(options.quiet);
    let attempts: Mutex<Vec<Attempt>> = Mutex::new(Vec::new());
    let minted = mint(&subject, &secret, MintOptions { threads, attempts: options.attempts }, &|event| {
        bars.show(&event);
        if let MintEvent::Ended(attempt) = event
            && let Ok(mut attempts) = attempts.lock()
        {
            attempts.push(*attempt);
        }
    });
    bars.finish();
    let attempts = attempts.into_inner().unwrap_or_default();
    if let (Ok(minted), Some(path)) = (&minted, &options.out) {
        let name = options.name.clone().or_else(|| Some(path.file_name()?.to_string_lossy().into_owned()));
        seal(minted, &secret, name.as_deref().unwrap_or(subject.name()), options.seed.is_some(), path)?;
    }
    if options.json {
        let report = serde_json::json!({
            "subject": subject.name(), "generator": subject.generator(), "commitment": secret.commitment(), "accepted": minted.is_ok(), "mechanism": subject.mechanism.to_string(),
            "attempts": attempts, "checks": minted.as_ref().map(|minted| minted.checks.clone()).unwrap_or_default(),
            "wall_s": started.elapsed().as_secs_f64(), "out": options.out,
        });
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else if options.check {
        minted.iter().for_each(|minted| print_table(&minted.checks));
        aar_lab::say!("{} draws in {:.0} min", attempts.len(), started.elapsed().as_secs_f64() / 60.0);
    }
    minted?;
    if let Some(out) = &options.out {
        aar_lab::note!("the world is in {0}\nnext: aar run --set testbed={0} --out out/fresh", out.display());
    }
    Ok(())
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
    if let Some(out) = options.out.as_ref().filter(|out| out.exists()) {
        return Err(Failure::new(CREATE, format!("{} exists already", out.display())).hint("choose a new folder"));
    }
    Ok(subject)
}

fn print_table(checks: &[Check]) {
    aar_lab::say!("{:50} {:>8}  {:14} holds", "property", "measured", "bound");
    for check in checks {
        let bound = match check.bounds {
            (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
            (Some(low), None) => format!("at least {low:.2}"),
            (None, Some(high)) => format!("at most {high:.2}"),
            (None, None) => String::new(),
        };
        let holds = match (check.report_only, check.holds()) {
            (true, _) => "(reported)",
            (false, true) => "yes",
            (false, false) => "NO",
        };
        aar_lab::say!("{:50} {:>8.3}  {bound:14} {holds}", check.name, check.value);
    }
}
