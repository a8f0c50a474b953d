//! What a mint measured, as tables.

use super::Outcome;
use aar_domain::stats::over_testbeds;
use aar_domain::testbed::Check;

/// One world's bounds.
pub fn of_world(checks: &[Check]) {
    aar_lab::say!("{:60} {:>8}  {:14} holds", "property", "measured", "bound");
    for check in checks {
        let holds = match (check.report_only, check.holds()) {
            (true, _) => "(reported)",
            (false, true) => "yes",
            (false, false) => "NO",
        };
        aar_lab::say!("{:60} {:>8.3}  {:14} {holds}", check.name, check.value, bound(check));
    }
}

fn bound(check: &Check) -> String {
    match check.bounds {
        (Some(low), Some(high)) => format!("{low:.2} to {high:.2}"),
        (Some(low), None) => format!("at least {low:.2}"),
        (None, Some(high)) => format!("at most {high:.2}"),
        (None, None) => String::new(),
    }
}

/// Several worlds: each world's line, then every property over the accepted ones.
pub fn over_worlds(outcomes: &[Outcome]) {
    for (at, outcome) in outcomes.iter().enumerate() {
        let draws = outcome.attempts.len();
        let ends = outcome.attempts.last().map_or("", |last| last.outcome.as_str());
        aar_lab::say!(
            "world {}  {}  {draws} draws, {:.0} min: {ends}",
            at + 1,
            outcome.mechanism,
            outcome.wall_s / 60.0
        );
    }
    let accepted: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.accepted).collect();
    let Some(first) = accepted.first() else { return };
    aar_lab::say!("{:60} {:>8} {:>17} {:>8} {:>8}  above plain", "property", "mean", "95 % interval", "least", "most");
    for check in &first.checks {
        let of = |name: &str| -> Vec<f64> {
            let value = |outcome: &&Outcome| Some(outcome.checks.iter().find(|known| known.name == name)?.value);
            accepted.iter().filter_map(value).collect()
        };
        let values = of(&check.name);
        let plain = of("PGR of plain");
        let above = values.iter().zip(&plain).filter(|(value, plain)| value > plain).count();
        let in_pgr = check.name.contains("(PGR)") || check.name.starts_with("PGR of ");
        let above = if in_pgr { format!("{above} of {}", values.len()) } else { String::new() };
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        // Worlds are the units, so one alone has no interval.
        let (mean, interval) = match over_testbeds(&values) {
            Some(over) => (over.value, format!("[{:.3}, {:.3}]", over.low, over.high)),
            None => (values[0], "one world".into()),
        };
        aar_lab::say!("{:60} {mean:>8.3} {interval:>17} {least:>8.3} {most:>8.3}  {above}", check.name);
    }
}
