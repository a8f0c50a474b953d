//! Studies replayed against a table that is made up: answers drawn so that each composition is worth what a rule says.

use aar_domain::rung::Split;
use aar_grader::ledger::Policy;
use aar_grader::truth;
use aar_methods::search::sample::sample;
use aar_methods::search::space::{self, Genome};
use aar_methods::shipped;
use aar_study::ablation::bench::Bench;
use aar_study::ablation::team::{BASELINES, Direction, Kind, Sharing, Team};
use aar_study::ablation::{many, markdown, replay, report};
use aar_worlds::bench::{Contender, Entrant};
use aar_worlds::tabular::{Header, Run, Table};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const SEEDS: usize = 4;

fn harbour() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../worlds/harbour").canonicalize().unwrap()
}

/// What a composition is worth: few choices help, most hurt, as the policy's own test has it.
fn worth(genome: &Genome) -> f64 {
    let has = |gene: usize, choice: u8| f64::from(genome[gene] == choice);
    let harm = 0.4 * has(0, 2) + 0.3 * has(0, 4) + 0.15 * has(2, 2) + 0.3 * has(4, 1) + 0.1 * has(5, 1);
    let harm = harm + 0.6 * has(4, 2);
    0.25 - harm + 0.1 * has(0, 1) + 0.15 * has(8, 1) + 0.2 * has(3, 3)
}

/// A table whose compositions are worth what the rule says.
fn table() -> Table {
    table_of(&worth)
}

/// 160 compositions and the default study's baselines on `harbour`, right as often as they are worth.
fn table_of(worth: &dyn Fn(&Genome) -> f64) -> Table {
    let testbed = Entrant::open(&harbour()).unwrap();
    let mut known = BTreeSet::new();
    let mut recipes: Vec<Contender> = BASELINES.iter().map(|name| Contender::shipped(name).unwrap()).collect();
    let mut genomes: Vec<Genome> =
        BASELINES.iter().map(|name| space::read(shipped::text(name).unwrap()).unwrap()).collect();
    known.extend(genomes.iter().cloned());
    for genome in sample(160, 1, &mut |genome| known.insert(genome.clone())) {
        let name = space::describe(&genome);
        // What costs too much is no recipe.
        if let Ok(contender) = Contender::of(&name, &space::recipe(&genome, &name)) {
            recipes.push(contender);
            genomes.push(genome);
        }
    }
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let labels =
        |split| truth::read_rows(&harbour(), split).unwrap().into_iter().map(|row| row.label).collect::<Vec<bool>>();
    let splits = Split::ALL.map(|split| (split, labels(split), &testbed.record.splits[&split]));
    let mut runs = Vec::new();
    for (recipe, genome) in genomes.iter().enumerate() {
        for seed in 0..SEEDS as u64 {
            let cost = 1_000_000 * u64::from(recipes[recipe].recipe.cost());
            let mut run = Run { recipe, seed, operations: cost, cpu_s: 1.0, ..Run::default() };
            for (split, labels, sizes) in &splits {
                let right = sizes.weak.mean + worth(genome) * (sizes.ceiling.mean - sizes.weak.mean);
                let sign = |&label: &bool| if label == (rng.random::<f64>() < right) { '+' } else { '-' };
                run.keep(*split, &labels.iter().map(sign).collect::<String>());
            }
            runs.push(run);
        }
    }
    Table { header: Header::new(&testbed, &recipes, SEEDS, 1), runs }
}

fn open(dir: &Path, table: &Table) -> Bench {
    let path = dir.join("harbour.jsonl");
    table.write(&path).unwrap();
    Bench::open(&path, &[harbour()]).unwrap()
}

const NAIVE: Policy = Policy::Naive { step: 0.05 };

#[test]
fn search_beats_blind_draws_at_equal_compute() {
    let dir = tempfile::tempdir().unwrap();
    let bench = open(dir.path(), &table());
    let settings = |questions: &[&str]| report::Settings {
        studies: 100,
        budget: 20.0,
        policy: NAIVE,
        questions: questions.iter().map(|&name| name.into()).collect(),
    };
    let report = report::run(std::slice::from_ref(&bench), settings(&["search", "entropy"]), &|| ());
    let arms = &report.answers[0].arms;
    let gain = arms[1].gain.unwrap();
    assert!(gain.low > 0.0 && gain.p < 0.01 && gain.pairs == 100, "{gain:?}");
    // Nearly the same is spent, and never more than there is.
    for arm in arms {
        let spent = arm.on[0].spent;
        assert!((16.0..=20.0).contains(&spent), "{}: {spent}", arm.name);
    }
    // Before anything was shared, sharing changes nothing; nine researchers of eleven families have log2 9 bits at most.
    let entropy = |team: usize| report.ideas[team].turns[0].entropy.unwrap();
    assert_eq!(entropy(1), entropy(2));
    assert!((0..3).all(|team| entropy(team).value > 0.5 && entropy(team).value < 9f64.log2()), "{:?}", report.ideas);
    let page = markdown::render(&report, "aar ablate");
    assert!(page.contains("| search | 0.") && page.contains("What the tables can't answer"), "{page}");
    let best = report.tables[0].best.unwrap().value;
    let rule = bench.genomes().map(|(genome, _)| worth(genome)).fold(f64::NEG_INFINITY, f64::max);
    assert!((best - rule).abs() < 0.1, "the rule's best in the table is {rule}: {best}");
}

/// Turn, author and row of all submissions.
fn submitted(bench: &Bench, team: &Team, study: u64) -> Vec<(u32, usize, usize)> {
    replay::run(bench, team, study).submissions.iter().map(|one| (one.turn, one.by, one.row)).collect()
}

#[test]
fn a_study_is_what_its_team_allows() {
    let dir = tempfile::tempdir().unwrap();
    let bench = open(dir.path(), &table());
    let usual = Team::usual(24.0, NAIVE);
    let nine = Team { researchers: 9, budget: 40.0, ..usual };
    assert_eq!(replay::run(&bench, &usual, 7), replay::run(&bench, &usual, 7));
    assert_ne!(replay::run(&bench, &usual, 7), replay::run(&bench, &usual, 8));

    let rows = |team: &Team, study: u64| submitted(&bench, team, study);
    // Of earlier turns nothing is tried again, unless nobody is told of it.
    let again = |rows: &[(u32, usize, usize)]| {
        rows.iter().filter(|(turn, _, row)| rows.iter().any(|(before, _, other)| before < turn && other == row)).count()
    };
    let alone = Team { sharing: Sharing::Nothing, direction: Direction::None, ..nine };
    let sum = |team: &Team| (1..=10).map(|study| again(&rows(team, study))).sum::<usize>();
    assert_eq!((sum(&nine), sum(&Team { kind: Kind::Random, ..nine })), (0, 0));
    assert!(sum(&alone) > 0);

    // Ideas that are fixed at the start do not follow what comes out; others do.
    let start: BTreeSet<Genome> =
        BASELINES.iter().map(|name| space::read(shipped::text(name).unwrap()).unwrap()).collect();
    let other =
        open(dir.path(), &table_of(&|genome| if start.contains(genome) { worth(genome) } else { 0.5 - worth(genome) }));
    let specific = Team { direction: Direction::Specific, ..nine };
    let differ = |team: &Team| (1..=5).any(|study| rows(team, study) != submitted(&other, team, study));
    assert!(differ(&nine) && !differ(&specific));

    // Without trials nothing is refused; where the trial says no, nothing is handed in without one of the blind draws.
    let mut refused = table();
    let no = aar_worlds::bench::results::Tried::Failed("no".into());
    refused.runs.iter_mut().for_each(|run| run.tried = Some(no.clone()));
    let refusing = open(dir.path(), &refused);
    assert!(replay::run(&refusing, &usual, 1).refused > 0);
    assert_eq!(replay::run(&refusing, &Team { trials: 0, ..usual }, 1).refused, 0);
}

#[test]
fn the_best_of_many_runs_ahead_of_what_holds_where_all_is_told() {
    let dir = tempfile::tempdir().unwrap();
    // Nothing is better than plain training, so all that is announced beyond it is luck.
    let bench = open(dir.path(), &table_of(&|_| 0.25));
    let points = many::curve(&bench, 30, &|| ());
    let (first, last) = (&points[0], points.last().unwrap());
    assert_eq!((first.submissions, last.submissions), (1, bench.rows.len() - 1));
    let value = |estimate: Option<aar_domain::stats::Estimate>| estimate.unwrap().value;
    let ahead = |point: &many::Point| value(point.announced_off) - value(point.replicated_off);
    // Standard error of an answer 0.03 PGR: the best of 150 lies some 2.5 of them above.
    assert!(ahead(last) > 0.05 && ahead(last) > ahead(first) + 0.02, "{first:?} {last:?}");
    assert!(value(last.announced_on) < value(last.announced_off), "{last:?}");
}

#[test]
fn what_is_damaged_or_foreign_is_refused_with_the_reason() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("harbour.jsonl");
    table().write(&path).unwrap();
    let text = std::fs::read_to_string(&path).unwrap();
    let check = |text: &str, testbed: &str, expect: &str| {
        std::fs::write(&path, text).unwrap();
        let testbed = harbour().parent().unwrap().join(testbed);
        let error = Bench::open(&path, &[testbed]).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expect) && error.contains("harbour.jsonl"), "{error:?} does not say {expect:?}");
    };
    check(&text[..text.len() / 2], "harbour", "ends in the middle");
    let at = text.find("\"feedback\":\"").unwrap() + 12;
    let other = if text.as_bytes()[at] == b'A' { "B" } else { "A" };
    check(&format!("{}{other}{}", &text[..at], &text[at + 1..]), "harbour", "damaged");
    check(&text, "orchard", "was measured on harbour");
    check("{\"a\": 1}\n", "harbour", "not a table");
    check(&text.replacen("\"aar_table\":1", "\"aar_table\":9", 1), "harbour", "format 9 is newer");
    let mut short = table();
    short.runs.pop();
    short.write(&path).unwrap();
    check(&std::fs::read_to_string(&path).unwrap(), "harbour", "are announced");
}
