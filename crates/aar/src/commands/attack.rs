//! `aar attack`: the shipped attacks against the grader, a server or a running study, beside the same attacks against the reference's rules.

use crate::failure::{Failure, NOT_HELD, USAGE};
use crate::places;
use aar_api::client::Address;
use aar_grader::attack::{self, Bounded, ITEMS, MOST_INFLATED, MOST_RECOVERED, Outcome, Rules};
use aar_grader::ledger::Policy;
use aar_study::attack::{self as study, Extent, Probe, Running};
use aar_study::operator::OperatorDoor;
use aar_study::plan::FeedbackPlan;
use clap::ValueEnum;
use std::path::Path;

/// Submissions whose time is taken.
const TIMED: u32 = 300;

#[derive(clap::Args)]
pub struct Options {
    /// Attack servers over HTTP, each with a truth of its own, instead of the grader in memory
    #[arg(long, conflicts_with = "study")]
    running: bool,
    /// Attack a study that runs, its directory or address, with the researcher's token in AAR_TOKEN: only by what must be refused and costs nothing
    #[arg(long, value_name = "WHERE")]
    study: Option<String>,
    /// Fresh truths per attack
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    truths: u32,
    /// Submissions of the team; the laptop study's by default
    #[arg(long, default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    submissions: u32,
    /// The policy that must keep the promise: a study file's default, or another one
    #[arg(long, value_enum, default_value = "default")]
    policy: Judged,
    /// Seed of the truths and of the attackers' choices
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// One JSON object on stdout
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Judged {
    /// What a study has that says nothing
    Default,
    /// The best so far, moved by a paired test
    Ladder,
    /// Every answer on a grid of 0.05 PGR
    Naive,
    /// Every answer as it is
    Exact,
}

pub fn run(options: &Options) -> Result<(), Failure> {
    if let Some(place) = &options.study {
        return on_study(place, options.json);
    }
    let policy = match options.policy {
        Judged::Default => FeedbackPlan::default().policy,
        Judged::Ladder => Policy::Ladder { step: 0.05 },
        Judged::Naive => Policy::Naive { step: 0.05 },
        Judged::Exact => Policy::Exact,
    };
    if options.running { on_servers(options, policy) } else { in_memory(options, policy) }
}

fn in_memory(options: &Options, policy: Policy) -> Result<(), Failure> {
    let all = |rules| attack::run(rules, options.truths, options.seed, places::threads());
    let judged = all(Rules::Ledger(policy, options.submissions));
    let naive = all(Rules::Reference);
    let curve: Vec<(u32, Vec<Outcome>)> = [1, 3, 6, 12, 24, 48, 96]
        .map(|count| {
            (count, attack::run(Rules::Ledger(policy, count), options.truths.min(100), options.seed, places::threads()))
        })
        .into();
    let broken: Vec<&str> = judged.iter().filter(|outcome| !outcome.holds()).map(|outcome| outcome.attack).collect();
    let given_up = naive.iter().any(|outcome| outcome.complete == 1.0 && outcome.answered < 400.0);
    if options.json {
        let curve: Vec<_> = curve
            .iter()
            .map(|(count, outcomes)| serde_json::json!({"submissions": count, "attacks": outcomes}))
            .collect();
        let report = serde_json::json!({
            "items": ITEMS, "truths": options.truths, "submissions": options.submissions, "policy": policy,
            "most_recovered": MOST_RECOVERED, "most_inflated": MOST_INFLATED, "holds": broken.is_empty() && given_up,
            "judged": judged, "naive_reference": naive, "curve": curve,
        });
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        print(options, policy, &judged, &naive, &curve);
    }
    judge(given_up, &broken, options.truths)
}

/// The exit code.
fn judge(given_up: bool, broken: &[&str], truths: u32) -> Result<(), Failure> {
    if !given_up {
        return Err(Failure::new(NOT_HELD, "the attacks did not even empty the reference: they prove nothing here"));
    }
    if !broken.is_empty() {
        let failure = Failure::new(NOT_HELD, format!("the promise does not hold against: {}", broken.join(", ")));
        let few = "a bound over few truths is wide: with --truths 200, the default, it is what SECURITY.md speaks of";
        return Err(if truths < 200 { failure.hint(few) } else { failure });
    }
    Ok(())
}

fn on_servers(options: &Options, policy: Policy) -> Result<(), Failure> {
    let Options { truths, submissions, seed, .. } = *options;
    let extent = Extent { truths, submissions, timed: TIMED, seed, threads: places::threads() };
    let running = study::running(policy, extent, &|what| aar_lab::note!("attacking {what} …"))?;
    let naive = attack::run(Rules::Reference, truths, seed, places::threads());
    let given_up = naive.iter().any(|outcome| outcome.complete == 1.0 && outcome.answered < 400.0);
    let broken = running.broken();
    if options.json {
        let report = serde_json::json!({
            "items": ITEMS, "truths": truths, "submissions": submissions, "policy": policy,
            "most_recovered": MOST_RECOVERED, "most_inflated": MOST_INFLATED, "holds": broken.is_empty() && given_up,
            "running": running, "naive_reference": naive,
        });
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        show(options, policy, &running, &naive);
    }
    judge(given_up, &broken, truths)
}

fn show(options: &Options, policy: Policy, running: &Running, naive: &[Outcome]) {
    say_what(options, "over HTTP");
    table(&format!("{policy:?}, a server each"), &running.outcomes);
    table("naive-reference", naive);
    show_probes(&running.probes);
    aar_lab::say!("graded answers of a team that chooses among many bundles, minus fresh truth, by submissions:");
    for (count, value) in &running.curve {
        aar_lab::say!("{count:>5}  {:+.2} (≤ {:+.2})", value.mean, value.upper);
    }
    let time = running.latency;
    aar_lab::say!(
        "time of an answer and number of right ones, {} submissions: rank correlation {:+.3}, p = {:.2}, median {:.1} ms (not judged)",
        time.submissions,
        time.correlation,
        time.p,
        time.median_us as f64 / 1000.0
    );
    promise();
}

fn show_probes(probes: &[Probe]) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_header(["around the grader", "tried", "given away"]);
    for probe in probes {
        let given = if probe.given_away.is_empty() { "nothing".into() } else { probe.given_away.join("\n") };
        table.add_row([probe.attack.to_owned(), probe.tried.to_string(), given]);
    }
    aar_lab::say!("{table}");
}

/// A study that runs already, by its directory or address.
fn on_study(place: &str, json: bool) -> Result<(), Failure> {
    let address = if place.starts_with("http://") || place.starts_with("unix:") {
        place.to_owned()
    } else {
        let door = OperatorDoor::find(Path::new(place));
        let none = || Failure::new(USAGE, format!("no study is running in {place}"));
        door.ok_or_else(|| {
            none().hint("--study takes the directory of a running study, http://HOST:PORT or unix:PATH")
        })?
        .api
    };
    let token = std::env::var("AAR_TOKEN").map_err(|_| {
        Failure::new(USAGE, "AAR_TOKEN is not set: the token of a researcher of this study is needed")
            .hint("`aar token add NAME` makes one for a study that runs")
    })?;
    let probes = study::refused(&address.parse::<Address>()?, &token)?;
    let broken: Vec<&str> =
        probes.iter().filter(|probe| !probe.given_away.is_empty()).map(|probe| probe.attack).collect();
    if json {
        let report = serde_json::json!({"study": place, "holds": broken.is_empty(), "probes": probes});
        aar_lab::say!("{}", serde_json::to_string_pretty(&report).unwrap_or_default());
    } else {
        show_probes(&probes);
        aar_lab::say!("labels and scores cost submissions: `aar attack --running` attacks them on servers of its own");
    }
    // Nothing of it is an estimate.
    judge(true, &broken, u32::MAX)
}

fn say_what(options: &Options, how: &str) {
    aar_lab::say!(
        "{ITEMS} graded items {how}, {} fresh truths per attack, {} submissions; means with their upper 95 % bound",
        options.truths,
        options.submissions
    );
    aar_lab::say!("labels: share right beyond guessing; graded, headline: PGR shown minus PGR on fresh truth");
}

fn promise() {
    aar_lab::say!(
        "promise: at most {} % of labels and {MOST_INFLATED} PGR of headline, at the upper bound, for every attack",
        100.0 * MOST_RECOVERED
    );
}

fn table(name: &str, outcomes: &[Outcome]) {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
    table.set_header([name, "answers", "labels", "graded", "headline", "bits"]);
    for outcome in outcomes {
        table.add_row([
            outcome.attack.to_owned(),
            format!("{:.0}", outcome.answered),
            format!("{:+.1} % (≤ {:.1})", 100.0 * outcome.recovered.mean, 100.0 * outcome.recovered.upper),
            pgr(outcome.graded),
            pgr(outcome.headline),
            outcome.bits.map_or("nobody counts".into(), |bits| format!("{bits:.0}")),
        ]);
    }
    aar_lab::say!("{table}");
}

fn print(options: &Options, policy: Policy, judged: &[Outcome], naive: &[Outcome], curve: &[(u32, Vec<Outcome>)]) {
    say_what(options, "in memory");
    table(&format!("{policy:?}"), judged);
    table("naive-reference", naive);
    aar_lab::say!("the ledger's own answers minus fresh truth, by submissions:");
    for (count, outcomes) in curve {
        let worst = |a: &&Outcome, b: &&Outcome| mean(a).total_cmp(&mean(b));
        if let Some(worst) = outcomes.iter().max_by(worst) {
            aar_lab::say!("{count:>5}  {:+.2} ({})", mean(worst), worst.attack);
        }
    }
    promise();
}

fn mean(outcome: &Outcome) -> f64 {
    outcome.graded.map_or(f64::NEG_INFINITY, |graded| graded.mean)
}

fn pgr(value: Option<Bounded>) -> String {
    value.map_or("-".into(), |value| format!("{:+.3} (≤ {:+.3})", value.mean, value.upper))
}
