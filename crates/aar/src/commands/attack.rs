//! `aar attack`: the shipped attacks against the grader, beside the same attacks against the reference's rules.

use crate::failure::{Failure, NOT_HELD};
use crate::places;
use aar_grader::attack::{self, Bounded, ITEMS, MOST_INFLATED, MOST_RECOVERED, Outcome, Rules};
use aar_grader::ledger::Policy;
use aar_study::plan::FeedbackPlan;
use clap::ValueEnum;

#[derive(clap::Args)]
pub struct Options {
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
    let policy = match options.policy {
        Judged::Default => FeedbackPlan::default().policy,
        Judged::Ladder => Policy::Ladder { step: 0.05 },
        Judged::Naive => Policy::Naive { step: 0.05 },
        Judged::Exact => Policy::Exact,
    };
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
    if !given_up {
        return Err(Failure::new(NOT_HELD, "the attacks did not even empty the reference: they prove nothing here"));
    }
    if !broken.is_empty() {
        return Err(Failure::new(NOT_HELD, format!("the promise does not hold against: {}", broken.join(", "))));
    }
    Ok(())
}

fn print(options: &Options, policy: Policy, judged: &[Outcome], naive: &[Outcome], curve: &[(u32, Vec<Outcome>)]) {
    aar_lab::say!(
        "{ITEMS} graded items, {} fresh truths per attack, {} submissions; means with their upper 95 % bound",
        options.truths,
        options.submissions
    );
    aar_lab::say!("labels: share right beyond guessing; graded, headline: PGR shown minus PGR on fresh truth");
    for (name, outcomes) in [(format!("{policy:?}"), judged), ("naive-reference".into(), naive)] {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::UTF8_FULL_CONDENSED);
        table.set_header([name.as_str(), "answers", "labels", "graded", "headline", "bits"]);
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
    aar_lab::say!("the ledger's own answers minus fresh truth, by submissions:");
    for (count, outcomes) in curve {
        let worst = |a: &&Outcome, b: &&Outcome| mean(a).total_cmp(&mean(b));
        if let Some(worst) = outcomes.iter().max_by(worst) {
            aar_lab::say!("{count:>5}  {:+.2} ({})", mean(worst), worst.attack);
        }
    }
    aar_lab::say!(
        "promise: at most {} % of labels and {MOST_INFLATED} PGR of headline, at the upper bound, for every attack",
        100.0 * MOST_RECOVERED
    );
}

fn mean(outcome: &Outcome) -> f64 {
    outcome.graded.map_or(f64::NEG_INFINITY, |graded| graded.mean)
}

fn pgr(value: Option<Bounded>) -> String {
    value.map_or("-".into(), |value| format!("{:+.3} (≤ {:+.3})", value.mean, value.upper))
}
