//! What came of a study, computed from the event log and the truth alone: run, `aar report` and `--json` share it.

use crate::diversity::{self, Notice};
use crate::finalists::Candidate;
use crate::plan::Plan;
use aar_api::integrity::{Cheating, Integrity, Left};
use aar_domain::rung::{Kind, Rung, Split};
use aar_domain::stats::{Pgr, minimum_difference};
use aar_domain::testbed::TestbedRecord;
use aar_domain::transfer::matrix::Matrix;
use aar_domain::transfer::production::Trial;
use aar_grader::ledger::Unit;
use aar_server::event::{Phase, Purpose, Role};
use aar_server::handle::Snapshot;
use aar_server::record::{EvaluationRecord, Status};
use aar_server::{Server, board, transfer};
use serde::Serialize;

mod spending;

pub use spending::Spending;
use spending::{sums, team_spending};

/// Everything that is said of a study.
#[derive(Clone, Debug, Serialize)]
pub struct StudyResult {
    /// Problem and subject.
    pub problem: String,
    /// The testbed's name.
    pub testbed: String,
    /// The study's name.
    pub study: String,
    /// Whether the operator granted evaluations while it ran: then nobody may speak of equal budgets.
    pub budgets_changed: bool,
    /// True where anybody can read the truth or derive the key.
    pub demonstration: bool,
    /// `running`, `closed`, …
    pub phase: String,
    /// Weak and ceiling on the selection split, over their frozen seeds.
    pub baselines: BaselinePair,
    /// What two equal methods' PGRs differ by in 95 of 100 comparisons, at the size of a graded evaluation.
    pub noise_floor: Option<f64>,
    /// The smallest difference that the close finds with a power of 80 %, in PGR.
    pub resolves: Option<f64>,
    /// Rows re-run at the close first, then graded ones; best first.
    pub leaderboard: Vec<Row>,
    /// Who worked.
    pub researchers: Vec<ResearcherRow>,
    /// Finalists compared with each other.
    pub pairs: Vec<PairRow>,
    /// Verdicts of checks, the operator's words, touches of decoys.
    pub integrity: Integrity,
    /// Attempts at cheating, everybody's.
    pub cheating: Cheating,
    /// In words.
    pub verdict: String,
    /// What its finalists get elsewhere, where that was tried (`aar transfer`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer: Option<Matrix>,
    /// What one of them gains in production, where that was tried (`aar transfer --production`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub production: Option<Trial>,
    /// Evaluations that failed: method, author, reason.
    pub failures: Vec<FailureRow>,
    /// Bits that answers may have given away: used and limit.
    pub bits: (f64, Option<f64>),
    /// Operations of all training, counted by the engine.
    pub operations: u64,
    /// CPU-seconds of all evaluations, measured from outside.
    pub cpu_s: f64,
    /// Wall-clock seconds of all runs of this study.
    pub wall_s: f64,
    /// What all spent on language models; absent where nobody has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
    /// Times at which nearly all researchers did the same.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub collapses: Vec<Notice>,
}

/// Weak and ceiling.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BaselinePair {
    /// The teacher.
    pub weak: BaselineRow,
    /// The student trained on the truth.
    pub ceiling: BaselineRow,
}

/// Mean accuracy over frozen seeds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct BaselineRow {
    /// Mean.
    pub mean: f64,
    /// Standard error, items and seeds.
    pub se: f64,
    /// Frozen seeds.
    pub seeds: usize,
}

/// A row of the leaderboard.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// Rank among graded or among re-run rows; methods that can't be told apart share one. Absent where the row is marked.
    pub rank: Option<usize>,
    /// Why it is not ranked: a binding verdict, or the operator's refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mark: Option<String>,
    /// Submissions that its author had made with this one; of a replicated row, in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempts: Option<usize>,
    /// SHA-256 of its method card, frozen when it was submitted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub card: Option<String>,
    /// Name of the method.
    pub method: String,
    /// Author.
    pub by: String,
    /// Kind of author.
    pub kind: Kind,
    /// Family of ideas.
    pub family: String,
    /// How far it may be believed.
    pub rung: Rung,
    /// Which items.
    pub split: Split,
    /// How many.
    pub n_items: usize,
    /// How many seeds.
    pub seeds: usize,
    /// Unclipped; absent where the gap is not clearly positive.
    pub pgr: Option<f64>,
    /// 95 % interval.
    pub pgr_ci: Option<[f64; 2]>,
    /// PGR per seed.
    pub pgr_by_seed: Vec<f64>,
    /// Accuracy, pooled.
    pub transfer_acc: f64,
    /// In distribution.
    pub id_acc: Option<f64>,
    /// Out of distribution.
    pub ood_acc: Option<f64>,
    /// Paired test against plain training on the same seeds, Holm over graded or re-run rows; absent for plain itself.
    pub p_plain: Option<f64>,
    /// Times this bundle was evaluated.
    pub evaluations: usize,
    /// The bundle it was built on.
    pub parent: Option<String>,
    /// Author of that bundle.
    pub parent_by: Option<String>,
    /// Its bundle.
    pub bundle: String,
    /// The evaluation behind the row.
    pub evaluation: i64,
    /// What it was announced at before replication; replicated rows only.
    pub announced: Option<f64>,
    /// What is left of it without the teacher's labels; examined finalists only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub without_teacher: Option<Left>,
    /// Signal receipt: bits of held-out answers that its author could see before it was submitted.
    pub bits_before: f64,
}

/// Two finalists compared on the same seeds and items.
#[derive(Clone, Debug, Serialize)]
pub struct PairRow {
    /// The better one's evaluation.
    pub better: i64,
    /// The other's.
    pub other: i64,
    /// Difference in PGR.
    pub difference: f64,
    /// Paired test, Holm over all pairs of finalists.
    pub p: f64,
}

fn pair_of(pair: &board::Pair, gap: f64) -> PairRow {
    PairRow { better: pair.better, other: pair.other, difference: pair.comparison.difference / gap, p: pair.p }
}

/// A researcher.
#[derive(Clone, Debug, Serialize)]
pub struct ResearcherRow {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: Option<Kind>,
    /// Where it started.
    pub direction: Option<String>,
    /// Evaluations used.
    pub evaluations: u32,
    /// Findings posted.
    pub findings: usize,
    /// Seconds it was at work.
    pub wall_s: f64,
    /// CPU-seconds of its evaluations, measured from outside.
    pub cpu_s: f64,
    /// Sessions it began, as it says itself; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u64>,
    /// Attempts at cheating on record.
    pub cheating: Cheating,
    /// What it spent on its language model; absent where it has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spending: Option<Spending>,
}

/// A failed evaluation.
#[derive(Clone, Debug, Serialize)]
pub struct FailureRow {
    /// Method.
    pub method: String,
    /// Author.
    pub by: String,
    /// What happened.
    pub reason: String,
}

/// Compute the result of what is in the log now.
pub fn of(server: &Server, plan: &Plan, testbed: &TestbedRecord) -> StudyResult {
    let snapshot = server.snapshot();
    let board = server.board();
    let frozen = server.vault().frozen(Split::Selection);
    let gap = frozen.ceiling - frozen.weak;
    let mut leaderboard: Vec<Row> = board.rows.iter().map(|row| row_of(&snapshot, server, row)).collect();
    announce(&mut leaderboard);
    let widest = board.results().filter_map(|row| row.against_plain).map(|found| found.se).reduce(f64::max);
    let demonstration = testbed.truth_public;
    let account = snapshot.ledger.account(Unit::MilliBits);
    let mut result = StudyResult {
        problem: format!("weak-to-strong / {}", testbed.subject),
        testbed: testbed.name.clone(),
        study: plan.name.clone(),
        budgets_changed: snapshot.budgets_changed,
        demonstration,
        phase: snapshot.phase.name().into(),
        baselines: BaselinePair {
            weak: BaselineRow { mean: frozen.weak, se: frozen.weak_se, seeds: frozen.seeds },
            ceiling: BaselineRow { mean: frozen.ceiling, se: frozen.ceiling_se, seeds: frozen.seeds },
        },
        noise_floor: board.noise_floor.map(|(floor, _)| floor),
        resolves: widest.map(|se| minimum_difference(se, plan.close.seeds, gap)),
        leaderboard,
        researchers: researchers(&snapshot),
        pairs: board.pairs.iter().map(|pair| pair_of(pair, gap)).collect(),
        integrity: snapshot.integrity.clone(),
        cheating: all_cheating(&snapshot),
        verdict: String::new(),
        transfer: transfer::of(&snapshot.notes),
        production: transfer::production(&snapshot.notes),
        failures: failures(&snapshot),
        bits: (account.used as f64 / 1000.0, account.limit.map(|limit| limit as f64 / 1000.0)),
        operations: snapshot.ledger.account(Unit::Operations).used,
        cpu_s: snapshot.ledger.account(Unit::CpuMs).used as f64 / 1000.0,
        wall_s: snapshot
            .notes
            .iter()
            .filter(|note| note.kind == "run")
            .filter_map(|note| note.body["wall_s"].as_f64())
            .sum(),
        spending: None,
        collapses: diversity::notices(&snapshot),
    };
    result.spending = sums(&snapshot).map(|sums| team_spending(&sums.team, &result));
    result.verdict = crate::verdict::of(&result, plan, snapshot.phase == Phase::Closed);
    result
}

/// The graded submissions that may become finalists: not those that a binding verdict holds, or that were refused.
pub fn candidates(server: &Server, snapshot: &Snapshot) -> Vec<Candidate> {
    let open = |(record, kind): (&EvaluationRecord, &Kind)| {
        let marked = snapshot.marks.get(record.id as usize - 1).is_some_and(Option::is_some);
        if record.asked.purpose != Purpose::Submission || record.status != Status::Done || marked {
            return None;
        }
        Some(Candidate {
            evaluation: record.id,
            bundle: record.asked.bundle.clone(),
            by: record.asked.by.clone(),
            random: *kind == Kind::Random,
            pgr: server.score(record.id)?.pgr?.value,
        })
    };
    snapshot.evaluations.iter().zip(&snapshot.kinds).filter_map(open).collect()
}

fn row_of(snapshot: &Snapshot, server: &Server, row: &board::Row) -> Row {
    let asked = &row.record.asked;
    let author = |bundle: &String| {
        snapshot.evaluations.iter().find(|other| other.asked.bundle == *bundle).map(|other| other.asked.by.clone())
    };
    Row {
        rank: row.rank,
        mark: row.mark.as_ref().map(ToString::to_string),
        attempts: row.attempts,
        card: asked.card.clone(),
        method: asked.name.clone(),
        by: asked.by.clone(),
        kind: row.kind,
        family: asked.family.clone(),
        rung: row.rung,
        split: asked.split,
        n_items: server.vault().items(asked.split),
        seeds: row.score.replicated.by_seed.len(),
        pgr: row.score.pgr.map(|pgr| pgr.value),
        pgr_ci: row.score.pgr.map(|Pgr { low, high, .. }| [low, high]),
        pgr_by_seed: row.score.by_seed.clone(),
        transfer_acc: row.score.accuracy,
        id_acc: row.score.accuracy_in,
        ood_acc: row.score.accuracy_out,
        p_plain: row.p_plain,
        evaluations: snapshot.evaluations.iter().filter(|other| other.asked.bundle == asked.bundle).count(),
        parent: asked.parent.clone(),
        parent_by: asked.parent.as_ref().and_then(author),
        bundle: asked.bundle.clone(),
        evaluation: row.record.id,
        announced: None,
        without_teacher: row.reliance.map(|(_, left)| left),
        bits_before: server.signal(row.record.id).map_or(0.0, |signal| signal.bits),
    }
}

/// Beside every replicated value, what the same bundle was announced at.
fn announce(rows: &mut [Row]) {
    let graded: Vec<(String, Option<f64>)> =
        rows.iter().filter(|row| !row.rung.is_result()).map(|row| (row.bundle.clone(), row.pgr)).collect();
    for row in rows.iter_mut().filter(|row| row.rung.is_result()) {
        row.announced = graded.iter().find(|(bundle, _)| *bundle == row.bundle).and_then(|(_, pgr)| *pgr);
    }
}

fn researchers(snapshot: &Snapshot) -> Vec<ResearcherRow> {
    let spent = sums(snapshot).unwrap_or_default();
    let wall = |name: &str| {
        let runs = snapshot.notes.iter().filter(|note| note.kind == "run");
        runs.filter_map(|note| note.body["researchers"][name].as_f64()).sum()
    };
    let sessions = |name: &str| {
        let mut runs = snapshot.notes.iter().rev().filter(|note| note.kind == "run");
        runs.find_map(|note| note.body["sessions"][name].as_u64())
    };
    let cpu_ms = |name: &str| {
        let used = snapshot.submissions_of(name).map(|record| snapshot.cpu_ms(record));
        used.fold(0, u64::saturating_add)
    };
    let cheating = snapshot.cheating();
    let row = |participant: &aar_server::event::Participant| ResearcherRow {
        spending: spent.callers.get(&participant.name).map(|totals| Spending::of(totals, wall(&participant.name))),
        name: participant.name.clone(),
        kind: participant.kind,
        direction: participant.direction.clone(),
        evaluations: snapshot.submissions_of(&participant.name).count() as u32,
        findings: snapshot.findings.iter().filter(|finding| finding.posted.by == participant.name).count(),
        wall_s: wall(&participant.name),
        cpu_s: cpu_ms(&participant.name) as f64 / 1000.0,
        sessions: sessions(&participant.name),
        cheating: cheating.get(participant.name.as_str()).copied().unwrap_or_default(),
    };
    snapshot.participants.iter().filter(|participant| participant.role == Role::Researcher).map(row).collect()
}

/// Everybody's, those included whom no token names.
fn all_cheating(snapshot: &Snapshot) -> Cheating {
    let mut all = Cheating::default();
    snapshot.cheating().values().for_each(|made| all += *made);
    all
}

fn failures(snapshot: &Snapshot) -> Vec<FailureRow> {
    let failed = |record: &EvaluationRecord| {
        let (reason, tail) = record.failure.as_ref()?;
        let last = tail.lines().last().unwrap_or_default();
        let reason = if last.is_empty() { reason.clone() } else { format!("{reason}: {last}") };
        Some(FailureRow { method: record.asked.name.clone(), by: record.asked.by.clone(), reason })
    };
    snapshot.evaluations.iter().filter_map(failed).collect()
}
