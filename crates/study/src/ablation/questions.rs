//! What is asked of the tables: each question compares teams that differ in one thing.

use super::team::{Direction, Kind, Sharing, Team};
use aar_grader::ledger::Policy;

/// Width of a ledger's step, in PGR; the default study's.
pub const STEP: f64 = 0.05;

/// A comparison.
pub struct Question {
    /// What it is called on the command line.
    pub name: &'static str,
    /// What it asks.
    pub asks: &'static str,
    /// Teams by name; the others are compared with the first.
    pub arms: Vec<(&'static str, Team)>,
}

/// A team of so many as the published study had.
const NINE: usize = 9;

/// All questions, at a budget and under a policy of answers.
pub fn all(budget: f64, policy: Policy) -> Vec<Question> {
    let usual = Team::usual(budget, policy);
    let nine = Team { researchers: NINE, ..usual };
    let random = Team { kind: Kind::Random, ..usual };
    let question = |name, asks, arms: &[(&'static str, Team)]| Question { name, asks, arms: arms.to_vec() };
    vec![
        question(
            "search",
            "Does search get further than blind draws at equal counted compute?",
            &[("random", random), ("search", usual)],
        ),
        question(
            "directions",
            "Nine researchers: different vague directions, or none?",
            &[("undirected", Team { direction: Direction::None, ..nine }), ("directed", nine)],
        ),
        question(
            "specific",
            "Nine researchers: vague directions, or specific ideas fixed at the start?",
            &[("vague", nine), ("ideas fixed", Team { direction: Direction::Specific, ..nine })],
        ),
        question(
            "forum",
            "Nine researchers: is what others found known?",
            &[("nothing is shared", Team { sharing: Sharing::Nothing, ..nine }), ("all is shared", nine)],
        ),
        question(
            "snapshots",
            "Nine researchers: can one build on another's bundle?",
            &[("findings only", Team { sharing: Sharing::Findings, ..nine }), ("snapshots too", nine)],
        ),
        question(
            "cold-start",
            "Six baselines on the board at the start, or plain training alone?",
            &[("plain alone", Team { baselines: false, ..usual }), ("six baselines", usual)],
        ),
        question(
            "trials",
            "Cheap trials on the pool before a submission, paid from the same budget?",
            &[("no trials", Team { trials: 0, ..usual }), ("two proposals tried", usual)],
        ),
        question(
            "team",
            "One, three or nine researchers at equal total compute?",
            &[("one", Team { researchers: 1, ..usual }), ("three", usual), ("nine", nine)],
        ),
        question(
            "ledger",
            "What does it cost to be told less?",
            &[
                ("every value", Team { policy: Policy::Exact, ..usual }),
                ("values on a grid", Team { policy: Policy::Naive { step: STEP }, ..usual }),
                ("the ladder", Team { policy: Policy::Ladder { step: STEP }, ..usual }),
            ],
        ),
    ]
}

/// Nine researchers with time to talk: what their ideas' entropy is watched in.
pub fn entropy(budget: f64, policy: Policy) -> Question {
    let nine = Team { researchers: NINE, budget: budget * LONG, ..Team::usual(budget, policy) };
    let arms = vec![
        ("undirected", Team { direction: Direction::None, ..nine }),
        ("directed", nine),
        ("directed, nothing is shared", Team { sharing: Sharing::Nothing, ..nine }),
    ];
    Question { name: "entropy", asks: "How mixed are nine researchers' ideas, turn by turn?", arms }
}

/// How much longer such a study is than the others.
pub const LONG: f64 = 3.0;
