//! What a mint measured, as tables.

use super::Outcome;
use aar_domain::stats::over_testbeds;
use aar_domain::testbed::{Check, kind_of};
use std::collections::BTreeMap;

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
    standings(&accepted);
}

/// How near to a world's best recipe counts as near.
const NEAR: f64 = 0.05;
/// What the check of a recipe is called.
const OF_RECIPE: &str = "PGR of ";

/// Which recipes are near the best, on how many worlds and under which mechanisms.
fn standings(accepted: &[&Outcome]) {
    let near: Vec<(&str, usize)> = near_best(accepted);
    aar_lab::say!("\n{:60} within {NEAR} PGR of a world's best", "recipe");
    for (recipe, worlds) in near.iter().take(5) {
        aar_lab::say!("{recipe:60} on {worlds} of {}", accepted.len());
    }
    aar_lab::say!("\n{:106} {:>6}  best recipes, by mean PGR", "mechanism", "worlds");
    let cells = by_mechanism(accepted);
    for (mechanism, worlds, best) in &cells {
        let best: Vec<String> = best.iter().take(3).map(|(recipe, mean)| format!("{recipe} {mean:.2}")).collect();
        aar_lab::say!("{mechanism:106} {worlds:>6}  {}", best.join(", "));
    }
    aar_lab::say!("\nRecipes that change places, against their mean over all worlds:");
    let overall = means(accepted);
    for (mechanism, _, here) in &cells {
        let said = match turned(here, &overall) {
            Some((a, b, [gain, behind])) => format!("{a} is {gain:.2} above {b}, {behind:.2} below it over all"),
            None => "none".into(),
        };
        aar_lab::say!("{mechanism}: {said}");
    }
}

fn recipes(outcome: &Outcome) -> impl Iterator<Item = (&str, f64)> {
    // Those that are bounded are there once more, as bounds.
    let reported = outcome.checks.iter().filter(|check| check.report_only);
    reported.filter_map(|check| Some((check.name.strip_prefix(OF_RECIPE)?, check.value)))
}

/// Recipes by the number of worlds on which they are near the best, most first.
fn near_best<'a>(accepted: &[&'a Outcome]) -> Vec<(&'a str, usize)> {
    let mut near = BTreeMap::<&str, usize>::new();
    for outcome in accepted {
        let best = recipes(outcome).map(|(_, pgr)| pgr).fold(f64::NEG_INFINITY, f64::max);
        for (recipe, _) in recipes(outcome).filter(|(_, pgr)| *pgr >= best - NEAR) {
            *near.entry(recipe).or_default() += 1;
        }
    }
    let mut near: Vec<_> = near.into_iter().collect();
    near.sort_by_key(|(recipe, worlds)| (std::cmp::Reverse(*worlds), *recipe));
    near
}

type Cell<'a> = (&'a str, usize, Vec<(&'a str, f64)>);

/// Mechanisms with the number of their worlds and the recipes' mean PGR there, highest first.
fn by_mechanism<'a>(accepted: &[&'a Outcome]) -> Vec<Cell<'a>> {
    let mut cells = BTreeMap::<&str, Vec<&Outcome>>::new();
    for outcome in accepted {
        cells.entry(kind_of(&outcome.mechanism)).or_default().push(outcome);
    }
    let cells = cells.into_iter().map(|(cell, worlds)| (cell, worlds.len(), means(&worlds)));
    cells.collect()
}

/// Recipes' mean PGR over worlds, highest first.
fn means<'a>(worlds: &[&'a Outcome]) -> Vec<(&'a str, f64)> {
    let mut sums = BTreeMap::<&str, f64>::new();
    worlds.iter().flat_map(|world| recipes(world)).for_each(|(recipe, pgr)| *sums.entry(recipe).or_default() += pgr);
    let mut means: Vec<_> = sums.into_iter().map(|(recipe, sum)| (recipe, sum / worlds.len() as f64)).collect();
    means.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    means
}

/// The two recipes whose order is turned round most clearly: the first is above the second here and below it over all, by so much.
fn turned<'a>(here: &[(&'a str, f64)], overall: &[(&str, f64)]) -> Option<(&'a str, &'a str, [f64; 2])> {
    let over = |recipe: &str| overall.iter().find(|(name, _)| *name == recipe).map(|(_, pgr)| *pgr);
    let pairs = here.iter().enumerate().flat_map(|(at, a)| here[at + 1..].iter().map(move |b| (a, b)));
    let gains = pairs.filter_map(|(a, b)| Some((a.0, b.0, [a.1 - b.1, over(b.0)? - over(a.0)?])));
    let clear = |[gain, behind]: [f64; 2]| gain.min(behind);
    gains.filter(|(.., gains)| clear(*gains) > 0.0).max_by(|(.., a), (.., b)| clear(*a).total_cmp(&clear(*b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn world(mechanism: &str, recipes: &[(&str, f64)]) -> Outcome {
        let check = |(name, value): &(&str, f64)| Check {
            name: format!("{OF_RECIPE}{name}"),
            value: *value,
            bounds: (None, None),
            report_only: true,
        };
        Outcome {
            subject: "chat",
            generator: String::new(),
            commitment: String::new(),
            accepted: true,
            mechanism: mechanism.into(),
            attempts: vec![],
            checks: recipes.iter().map(check).collect(),
            wall_s: 0.0,
            out: None,
        }
    }

    #[test]
    fn near_is_counted_by_world_and_means_by_mechanism() {
        let worlds = [
            world("tone", &[("plain", 0.2), ("probe", 0.70), ("ensemble", 0.74)]),
            world("tone: right in 66 %", &[("plain", 0.3), ("probe", 0.9), ("ensemble", 0.5)]),
            world("length", &[("plain", 0.4), ("probe", 0.1), ("ensemble", 0.42)]),
        ];
        let worlds: Vec<&Outcome> = worlds.iter().collect();
        assert_eq!(near_best(&worlds), [("ensemble", 2), ("probe", 2), ("plain", 1)]);
        let cells = by_mechanism(&worlds);
        let order: Vec<_> = cells.iter().map(|(cell, worlds, best)| (*cell, *worlds, best[0].0)).collect();
        assert_eq!(order, [("length", 1, "ensemble"), ("tone", 2, "probe")]);
        assert!((cells[1].2[0].1 - 0.8).abs() < 1e-12);
        // Over all: probe 0.57, ensemble 0.55, plain 0.30.
        let (above, below, [gain, behind]) = turned(&cells[0].2, &means(&worlds)).unwrap();
        assert_eq!((above, below), ("plain", "probe"));
        assert!((gain - 0.3).abs() < 1e-12 && (behind - 0.8 / 3.0).abs() < 1e-12, "{gain} {behind}");
        assert!(turned(&cells[1].2, &means(&worlds)).is_none());
    }
}
